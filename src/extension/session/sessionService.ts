/** The one session of this window: runs the machine over a session's work and tells the rest of the extension where it stands. */
import { randomUUID } from 'node:crypto';
import { type ActorRefFrom, createActor, fromCallback, fromPromise, waitFor } from 'xstate';
import { CodedError } from '../../shared/errors.ts';
import { DisposableStore } from '../platform/disposable.ts';
import { Emitter } from '../platform/emitter.ts';
import type { Logger } from '../platform/logger.ts';
import { type SessionEvent, sessionMachine } from './sessionMachine.ts';
import { SessionRun, type SessionRunOptions } from './sessionRun.ts';

export type SessionState =
  | 'idle'
  | 'validating'
  | 'checkingPermissions'
  | 'starting'
  | 'active'
  | 'pausing'
  | 'paused'
  | 'resuming'
  | 'ending'
  | 'completed'
  | 'error';

export interface SessionView {
  readonly state: SessionState;
  readonly sessionId: string | undefined;
  /** What is wrong right now, in words; empty while everything advances. */
  readonly warnings: readonly string[];
}

export interface SessionServiceOptions extends Omit<
  SessionRunOptions,
  'sessionId' | 'name' | 'workspaceName' | 'settings'
> {
  /** Asked at each start. */
  readonly describe: () => Pick<SessionRunOptions, 'name' | 'workspaceName' | 'settings'>;
  readonly log: Logger;
}

export interface SessionOutcome {
  readonly sessionId: string;
  /** Why the session ended without the user asking for it. */
  readonly interruptedBecause: string | undefined;
}

type Actor = ActorRefFrom<typeof sessionMachine>;
const idleView: SessionView = { state: 'idle', sessionId: undefined, warnings: [] };

export class SessionService extends DisposableStore {
  readonly #options: SessionServiceOptions;
  readonly #changed = this.own(new Emitter<SessionView>());
  readonly #ended = this.own(new Emitter<SessionOutcome>());
  readonly #failed = this.own(new Emitter<CodedError>());
  #current: { readonly actor: Actor; readonly run: SessionRun } | undefined;
  /** The machine keeps its last error; it is told once. */
  #lastError: CodedError | undefined;
  #lastLine = '';

  constructor(options: SessionServiceOptions) {
    super();
    this.#options = options;
  }

  readonly onDidChange = this.#changed.event;
  /** A session was stored. */
  readonly onDidEnd = this.#ended.event;
  /** A session could not start, or could not be stored. */
  readonly onDidFail = this.#failed.event;

  get view(): SessionView {
    return this.#current ? viewOf(this.#current.actor) : idleView;
  }

  /** Media time of the running session; 0 without one. */
  elapsedMs(): number {
    return this.#current?.run.elapsedMs() ?? 0;
  }

  /** Resolves when the session is active, or did not start (see `onDidFail`). */
  async start(): Promise<void> {
    if (this.view.state === 'ending') {
      throw new CodedError('invalidState', 'The last session is still being saved. Start again in a moment.');
    }
    if (this.#current)
      throw new CodedError('invalidState', 'A session is already running. End it before you start another.');
    const sessionId = randomUUID();
    const run = new SessionRun({ ...this.#options, ...this.#options.describe(), sessionId });
    const actor = createActor(machineFor(run), { input: { sessionId } });
    this.#current = { actor, run };
    actor.subscribe(() => this.#follow(actor, run));
    actor.start();
    actor.send({ type: 'START' });
    await this.#settled(actor);
  }

  pause(): Promise<void> {
    return this.#send({ type: 'PAUSE' }, 'active');
  }
  resume(): Promise<void> {
    return this.#send({ type: 'RESUME' }, 'paused');
  }

  /** Resolves when the session is stored, or could not be (see `onDidFail`). */
  async end(): Promise<void> {
    const actor = this.#current?.actor;
    if (!actor) throw new CodedError('invalidState', 'No session is running.');
    actor.send({ type: 'END' });
    await waitFor(actor, isOver);
  }

  async #send(event: SessionEvent, needed: SessionState): Promise<void> {
    const actor = this.#current?.actor;
    if (!actor || viewOf(actor).state !== needed) {
      throw new CodedError('invalidState', needed === 'active' ? 'No session is recording.' : 'No session is paused.');
    }
    actor.send(event);
    await this.#settled(actor);
  }

  async #settled(actor: Actor): Promise<void> {
    await waitFor(actor, (snapshot) => isOver(snapshot) || ['active', 'paused'].includes(stateOf(snapshot)));
  }

  #follow(actor: Actor, run: SessionRun): void {
    const view = viewOf(actor);
    this.#note(view);
    const { error } = actor.getSnapshot().context;
    if (error && error !== this.#lastError) this.#failed.fire(error);
    this.#lastError = error;
    if (isOver(actor.getSnapshot())) {
      this.#current = undefined;
      run.dispose();
      if (view.state === 'completed' && view.sessionId) {
        this.#ended.fire({ sessionId: view.sessionId, interruptedBecause: run.interruptedBecause });
      }
    }
    this.#changed.fire(this.view);
  }

  /** A line for each new state or warning, so that the log tells a session's story. */
  #note({ sessionId, state, warnings }: SessionView): void {
    const line = [`Session ${sessionId ?? ''} is ${state}.`, ...warnings].join(' ');
    if (line !== this.#lastLine) this.#options.log.info(line);
    this.#lastLine = line;
  }

  override dispose(): void {
    super.dispose();
    this.#current?.actor.stop();
    this.#current?.run.dispose();
  }
}

/** Nothing more happens in this machine: a failed session is not retried in place, the user starts another. */
function isOver(snapshot: ReturnType<Actor['getSnapshot']>): boolean {
  return snapshot.matches('completed') || snapshot.matches('error') || snapshot.status === 'stopped';
}

function stateOf({ value }: ReturnType<Actor['getSnapshot']>): SessionState {
  return typeof value === 'string' ? value : value.running;
}

function viewOf(actor: Actor): SessionView {
  const snapshot = actor.getSnapshot();
  const services = Object.values(snapshot.context.recordingState);
  return {
    state: stateOf(snapshot),
    sessionId: snapshot.context.sessionId,
    // Several services often fail for one reason.
    warnings: [...new Set(services.flatMap(({ health, message }) => (health === 'healthy' ? [] : (message ?? []))))],
  };
}

function machineFor(run: SessionRun): typeof sessionMachine {
  return sessionMachine.provide({
    actors: {
      validateConfig: fromPromise(() => run.validate()),
      checkPermissions: fromPromise(() => run.checkPermissions()),
      startRecordingServices: fromPromise(() => run.start()),
      pauseRecordingServices: fromPromise(() => run.pause()),
      resumeRecordingServices: fromPromise(() => run.resume()),
      stopRecordingServices: fromPromise(async (): Promise<void> => {
        await run.stop();
      }),
      monitorRecordingHealth: fromCallback(({ sendBack }) => run.watch(sendBack)),
    },
  });
}
