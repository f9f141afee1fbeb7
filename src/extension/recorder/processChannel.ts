/** One forked recorder process and the calls that wait for its answers: every call settles, also when the process dies or is late. */
import { type ChildProcess, fork } from 'node:child_process';
import { deferred } from '../../shared/deferred.ts';
import { CodedError, type ErrorCode, recorderErrorCodes } from '../../shared/errors.ts';
import { DisposableStore } from '../platform/disposable.ts';
import type { Logger } from '../platform/logger.ts';
import { type FromProcess, type LibraryCall, type ToProcess, fromProcessSchema } from './ipc.ts';

/** How long the process may take to load the library. */
const readyTimeoutMs = 5000;
/** A process that was asked to end, with its recordings finished, gets this long before it is killed. */
const endTimeoutMs = 12_000;

export interface ProcessChannelOptions {
  readonly processPath: string;
  readonly libraryPath: string;
  readonly log: Logger;
  /** Replaces the environment that the process gets; a test's recorder has a display of its own. */
  readonly env?: NodeJS.ProcessEnv;
}

interface Waiting {
  readonly resolve: (json: unknown) => void;
  readonly reject: (error: CodedError) => void;
  readonly timer: NodeJS.Timeout;
}

export class ProcessChannel extends DisposableStore {
  readonly #process: ChildProcess;
  readonly #log: Logger;
  readonly #waiting = new Map<number, Waiting>();
  readonly #eventListeners = new Set<(handle: number, event: unknown) => void>();
  readonly #mediaListeners = new Set<(job: number, event: unknown) => void>();
  readonly #deathListeners = new Set<(error: CodedError) => void>();
  readonly #ready = deferred<void>();
  #lastId = 0;
  #death: CodedError | undefined;
  #killedBecause: string | undefined;

  private constructor(options: ProcessChannelOptions) {
    super();
    // A process may die after it was ready, or before anybody waits: neither is an unhandled rejection.
    this.#ready.promise.catch(() => undefined);
    this.#log = options.log;
    this.#process = fork(options.processPath, [options.libraryPath], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // Calls block threads of this pool: one waits for events, one may record, and the rest must not starve.
      env: { ...(options.env ?? process.env), UV_THREADPOOL_SIZE: '8' },
      // Flags of the extension host (an inspector's port, for one) are not for its children.
      execArgv: [],
    });
    this.#process.stdout?.on('data', (text: Buffer) => this.#log.debug(text.toString().trimEnd()));
    this.#process.stderr?.on('data', (text: Buffer) => this.#log.warn(text.toString().trimEnd()));
    this.#process.on('message', (message) => this.#receive(message));
    this.#process.on('error', (error) => this.#die(`The recorder could not be started: ${error.message}`));
    this.#process.on('exit', (code, signal) =>
      this.#die(this.#killedBecause ?? `The recorder stopped unexpectedly (${signal ?? `exit code ${code}`}).`),
    );
  }

  /** Resolves when the library is loaded; throws `libraryMissing`, `libraryVersion`, `recorderDied` or `timeout`. */
  static async open(options: ProcessChannelOptions): Promise<ProcessChannel> {
    const channel = new ProcessChannel(options);
    const timer = setTimeout(
      () => channel.#ready.reject(new CodedError('timeout', 'The recorder did not start within 5 seconds.')),
      readyTimeoutMs,
    );
    try {
      await channel.#ready.promise;
      return channel;
    } catch (error) {
      channel.dispose();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** The library's answer as JSON. An answer after `timeoutMs` is a `timeout` error and is dropped. */
  call(call: LibraryCall, timeoutMs: number): Promise<unknown> {
    if (this.#death) return Promise.reject(this.#death);
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(
          new CodedError('timeout', `The recorder did not answer "${call.name}" within ${timeoutMs / 1000} seconds.`),
        );
      }, timeoutMs);
      this.#waiting.set(id, { resolve, reject, timer });
      this.#process.send({ id, call } satisfies ToProcess, (error) => {
        if (error) this.#settle(id)?.reject(new CodedError('recorderDied', 'The recorder is gone.', { cause: error }));
      });
    });
  }

  onEvent(listener: (handle: number, event: unknown) => void): { dispose(): void } {
    this.#eventListeners.add(listener);
    return { dispose: () => this.#eventListeners.delete(listener) };
  }

  onMediaEvent(listener: (job: number, event: unknown) => void): { dispose(): void } {
    this.#mediaListeners.add(listener);
    return { dispose: () => this.#mediaListeners.delete(listener) };
  }

  onDied(listener: (error: CodedError) => void): { dispose(): void } {
    this.#deathListeners.add(listener);
    return { dispose: () => this.#deathListeners.delete(listener) };
  }

  /** Ends the process without waiting: for a library that hangs. What it wrote is recovered from the files. */
  kill(because: string): void {
    this.#killedBecause ??= because;
    this.#process.kill('SIGKILL');
  }

  /** Lets the process finish its recordings and end by itself. */
  override dispose(): void {
    if (this.isDisposed) return;
    super.dispose();
    this.#killedBecause ??= 'The recorder was ended.';
    if (this.#process.connected) this.#process.disconnect();
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const killer = setTimeout(() => this.#process.kill('SIGKILL'), endTimeoutMs);
    killer.unref();
    this.#process.once('exit', () => clearTimeout(killer));
  }

  #receive(message: unknown): void {
    const parsed = fromProcessSchema.safeParse(message);
    if (!parsed.success) {
      this.#log.warn(`A message of the recorder process was not understood: ${parsed.error.message}`);
      return;
    }
    this.#dispatch(parsed.data);
  }

  #dispatch(message: FromProcess): void {
    switch (message.type) {
      case 'ready':
        this.#ready.resolve();
        break;
      case 'unusable':
        this.#ready.reject(libraryError(message.error));
        break;
      case 'answer':
        this.#settle(message.id)?.resolve(message.json);
        break;
      case 'failure':
        this.#settle(message.id)?.reject(libraryError(message.error));
        break;
      case 'event':
        for (const listener of this.#eventListeners) listener(message.handle, message.event);
        break;
      case 'mediaEvent':
        for (const listener of [...this.#mediaListeners]) listener(message.job, message.event);
        break;
    }
  }

  #settle(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (waiting) clearTimeout(waiting.timer);
    return waiting;
  }

  #die(message: string): void {
    if (this.#death) return;
    const death = new CodedError('recorderDied', message);
    this.#death = death;
    this.#ready.reject(death);
    for (const id of [...this.#waiting.keys()]) this.#settle(id)?.reject(death);
    for (const listener of [...this.#deathListeners]) listener(death);
  }
}

const knownCodes: readonly string[] = [...recorderErrorCodes, 'libraryMissing', 'libraryVersion'] satisfies ErrorCode[];

/** An error as the library says it. */
export function libraryError({ code, message }: { code: string; message: string }): CodedError {
  return new CodedError(isKnown(code) ? code : 'internal', message);
}

function isKnown(code: string): code is ErrorCode {
  return knownCodes.includes(code);
}
