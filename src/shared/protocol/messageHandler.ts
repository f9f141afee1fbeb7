/** One side of a panel's conversation: every call settles with a result or a CodedError, and whatever arrives is validated first. */
import type * as z from 'zod';
import { assertNever } from '../assertNever.ts';
import { CodedError, type ErrorCode, type ExtensionErrorCode, recorderErrorCodes, toCodedError } from '../errors.ts';
import {
  type Contract,
  type Envelope,
  envelopeSchema,
  type EventName,
  type EventOf,
  type ParamsOf,
  type RequestName,
  type ResultOf,
} from './messages.ts';

/** What answers each request of a contract; a throw reaches the caller as its code and message. */
export type RequestHandlers<C extends Contract> = {
  readonly [N in RequestName<C>]: (params: ParamsOf<C, N>) => ResultOf<C, N> | Promise<ResultOf<C, N>>;
};

/** What listens to each event of a contract. */
export type EventListeners<C extends Contract> = {
  readonly [N in EventName<C>]: (payload: EventOf<C, N>) => void;
};

export interface MessageHandlerOptions<Incoming extends Contract, Outgoing extends Contract> {
  /** What this side can be asked and told. */
  readonly incoming: Incoming;
  /** What this side may ask and tell: the other side's `incoming`. */
  readonly outgoing: Outgoing;
  readonly requests: RequestHandlers<Incoming>;
  readonly events: EventListeners<Incoming>;
  post(message: Envelope): void;
  /** Told of what cannot be answered to anybody: malformed envelopes, bad events, answers that nobody waits for. */
  onProblem(error: CodedError): void;
}

interface PendingCall {
  readonly name: string;
  readonly result: z.ZodType;
  resolve(value: unknown): void;
  reject(error: CodedError): void;
}

/**
 * Used by the extension and by the webview with the contracts swapped. It knows no transport: `post` sends, and whoever
 * owns the transport hands each message that arrives to `receive`, which never throws.
 */
export class MessageHandler<Incoming extends Contract, Outgoing extends Contract> {
  readonly #options: MessageHandlerOptions<Incoming, Outgoing>;
  readonly #pending = new Map<number, PendingCall>();
  #nextId = 1;
  #disposed = false;

  constructor(options: MessageHandlerOptions<Incoming, Outgoing>) {
    this.#options = options;
  }

  /** Rejects with the other side's CodedError, `invalidMessage` for an answer of the wrong shape, `invalidState` after `dispose`. */
  call<N extends RequestName<Outgoing>>(name: N, params: ParamsOf<Outgoing, N>): Promise<ResultOf<Outgoing, N>> {
    return new Promise((resolve, reject) => {
      const contract = ownValue(this.#options.outgoing.requests, name);
      if (this.#disposed) return reject(closed(name));
      if (!contract) return reject(new CodedError('invalidMessage', `There is no request "${name}"`));
      const id = this.#nextId++;
      this.#pending.set(id, {
        name,
        result: contract.result,
        resolve: (value) => resolve(value as ResultOf<Outgoing, N>),
        reject,
      });
      this.#post({ type: 'request', id, name, params }, (error) => this.#take(id)?.reject(error));
    });
  }

  /** Tells the other side; what it cannot understand it reports on its own side. */
  emit<N extends EventName<Outgoing>>(name: N, payload: EventOf<Outgoing, N>): void {
    if (!this.#disposed) this.#post({ type: 'event', name, payload });
  }

  receive(message: unknown): void {
    if (this.#disposed) return;
    const envelope = envelopeSchema.safeParse(message);
    if (!envelope.success) {
      this.#options.onProblem(invalid('A message of an unknown shape', envelope.error));
      return;
    }
    switch (envelope.data.type) {
      case 'request':
        void this.#answer(envelope.data.id, envelope.data.name, envelope.data.params);
        return;
      case 'result':
        this.#settle(envelope.data.id, envelope.data.result);
        return;
      case 'error': {
        const { code, message: words } = envelope.data.error;
        const call = this.#take(envelope.data.id);
        const error = new CodedError(knownCode(code), words);
        if (call) call.reject(error);
        else this.#options.onProblem(error);
        return;
      }
      case 'event':
        this.#notify(envelope.data.name, envelope.data.payload);
        return;
      default:
        assertNever(envelope.data, 'message');
    }
  }

  dispose(): void {
    this.#disposed = true;
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const call of pending) call.reject(closed(call.name));
  }

  async #answer(id: number, name: string, params: unknown): Promise<void> {
    try {
      const contract = ownValue(this.#options.incoming.requests, name);
      const handler = ownValue(this.#options.requests, name) as ((params: unknown) => unknown) | undefined;
      if (!contract || !handler) throw new CodedError('invalidMessage', `There is no request "${name}"`);
      const parsed = contract.params.safeParse(params);
      if (!parsed.success) throw invalid(`"${name}" was asked with bad parameters`, parsed.error);
      this.#post({ type: 'result', id, result: await handler(parsed.data) });
    } catch (thrown) {
      const error = toCodedError(thrown);
      this.#post({ type: 'error', id, error: { code: error.code, message: error.message } });
    }
  }

  #settle(id: number, result: unknown): void {
    const call = this.#take(id);
    if (!call) {
      this.#options.onProblem(new CodedError('invalidMessage', `An answer to a question that nobody asked (${id})`));
      return;
    }
    const parsed = call.result.safeParse(result);
    if (parsed.success) call.resolve(parsed.data);
    else call.reject(invalid(`"${call.name}" was answered with a bad result`, parsed.error));
  }

  #notify(name: string, payload: unknown): void {
    const schema = ownValue(this.#options.incoming.events, name);
    const listener = ownValue(this.#options.events, name) as ((payload: unknown) => void) | undefined;
    const parsed = schema?.safeParse(payload);
    if (!parsed || !listener) {
      this.#options.onProblem(new CodedError('invalidMessage', `There is no event "${name}"`));
    } else if (!parsed.success) {
      this.#options.onProblem(invalid(`The event "${name}" came with a bad payload`, parsed.error));
    } else {
      try {
        listener(parsed.data);
      } catch (thrown) {
        this.#options.onProblem(toCodedError(thrown));
      }
    }
  }

  /** A transport may refuse a message (it cannot be cloned, the panel is gone): a call then fails instead of waiting for ever. */
  #post(message: Envelope, onFailure: (error: CodedError) => void = this.#options.onProblem.bind(this.#options)): void {
    if (this.#disposed) return;
    try {
      this.#options.post(message);
    } catch (thrown) {
      onFailure(toCodedError(thrown));
    }
  }

  #take(id: number): PendingCall | undefined {
    const call = this.#pending.get(id);
    this.#pending.delete(id);
    return call;
  }
}

/** Names come from outside: `constructor` and its like must not be found on the prototype. */
function ownValue<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

function closed(name: string): CodedError {
  return new CodedError('invalidState', `The panel was closed before "${name}" was answered`);
}

/** Names the first field that is wrong; never its value, which may be something that was recorded. */
function invalid(what: string, error: z.ZodError): CodedError {
  const issue = error.issues[0];
  const where = issue && issue.path.length > 0 ? ` (${issue.path.map(String).join('.')}: ${issue.code})` : '';
  return new CodedError('invalidMessage', `${what}${where}`, { cause: error });
}

const extensionErrorCodes: Readonly<Record<ExtensionErrorCode, true>> = {
  libraryMissing: true,
  libraryVersion: true,
  recorderDied: true,
  notFound: true,
  damaged: true,
  newerVersion: true,
  leaseTaken: true,
  invalidMessage: true,
};
const knownCodes: ReadonlySet<string> = new Set([...recorderErrorCodes, ...Object.keys(extensionErrorCodes)]);

function knownCode(code: string): ErrorCode {
  return knownCodes.has(code) ? (code as ErrorCode) : 'internal';
}
