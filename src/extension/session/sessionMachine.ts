/**
 * The session's states, from pressing Start to a finished session. What the states do is given as actors, so that the
 * machine runs without a recorder or a disk; a machine lives for one session.
 */
import { assign, fromCallback, fromPromise, setup } from 'xstate';
import { type CodedError, toCodedError } from '../../shared/errors.ts';
import type { MediaService } from '../../shared/recorder/library.ts';
import type { ServiceHealth } from './progressWatch.ts';

export type RecordingState = { [service in MediaService]?: ServiceHealth };

export interface SessionContext {
  readonly sessionId: string;
  readonly recordingState: RecordingState;
  readonly error: CodedError | undefined;
  /** End was asked for in a state that first has to finish something else. */
  readonly endRequested: boolean;
}

export type SessionEvent =
  | { type: 'START' }
  | { type: 'PAUSE' }
  | { type: 'RESUME' }
  | { type: 'END' }
  | { type: 'UPDATE_RECORDING_STATE'; updates: RecordingState }
  /** The recorder process is gone: what it wrote is taken in and the session ends. */
  | { type: 'RECORDER_LOST' }
  | { type: 'RETRY' }
  | { type: 'DISMISS' };

interface ActorInput {
  readonly sessionId: string;
}
const notProvided = () => Promise.reject(new Error('The machine was started without its actors.'));

export const sessionMachine = setup({
  types: {
    context: {} as SessionContext,
    events: {} as SessionEvent,
    input: {} as { readonly sessionId: string },
  },
  actors: {
    validateConfig: fromPromise<void, ActorInput>(notProvided),
    checkPermissions: fromPromise<void, ActorInput>(notProvided),
    startRecordingServices: fromPromise<RecordingState, ActorInput>(notProvided),
    pauseRecordingServices: fromPromise<void, ActorInput>(notProvided),
    resumeRecordingServices: fromPromise<void, ActorInput>(notProvided),
    stopRecordingServices: fromPromise<void, ActorInput>(notProvided),
    /** Sends UPDATE_RECORDING_STATE and RECORDER_LOST while the session records or is paused. */
    monitorRecordingHealth: fromCallback<SessionEvent, ActorInput>(() => undefined),
  },
  actions: {
    rememberEnd: assign({ endRequested: true }),
    updateRecordingState: assign(({ context, event }) =>
      event.type === 'UPDATE_RECORDING_STATE'
        ? { recordingState: { ...context.recordingState, ...event.updates } }
        : {},
    ),
    keepError: assign(({ event }) => ('error' in event ? { error: toCodedError(event.error) } : {})),
    forgetError: assign({ error: undefined, endRequested: false }),
  },
  guards: { endRequested: ({ context }) => context.endRequested },
}).createMachine({
  id: 'session',
  context: ({ input }) => ({
    sessionId: input.sessionId,
    recordingState: {},
    error: undefined,
    endRequested: false,
  }),
  initial: 'idle',
  states: {
    idle: { on: { START: 'validating' } },
    validating: {
      on: { END: { actions: 'rememberEnd' } },
      invoke: {
        src: 'validateConfig',
        input: inputOf,
        onDone: 'checkingPermissions',
        onError: { target: 'error', actions: 'keepError' },
      },
    },
    checkingPermissions: {
      on: { END: { actions: 'rememberEnd' } },
      invoke: {
        src: 'checkPermissions',
        input: inputOf,
        onDone: 'starting',
        onError: { target: 'error', actions: 'keepError' },
      },
    },
    starting: {
      on: { END: { actions: 'rememberEnd' } },
      invoke: {
        src: 'startRecordingServices',
        input: inputOf,
        onDone: { target: 'running', actions: assign({ recordingState: ({ event }) => event.output }) },
        onError: { target: 'error', actions: 'keepError' },
      },
    },
    /** Everything between a start and an end that succeeded; watched all the time. */
    running: {
      invoke: { src: 'monitorRecordingHealth', input: inputOf },
      on: {
        UPDATE_RECORDING_STATE: { actions: 'updateRecordingState' },
        RECORDER_LOST: 'ending',
      },
      initial: 'active',
      states: {
        active: {
          always: { guard: 'endRequested', target: '#session.ending' },
          on: { PAUSE: 'pausing', END: '#session.ending' },
        },
        pausing: {
          on: { END: { actions: 'rememberEnd' } },
          invoke: {
            src: 'pauseRecordingServices',
            input: inputOf,
            onDone: 'paused',
            // A pause that failed is still recording: saying so and going on loses nothing.
            onError: { target: 'active', actions: 'keepError' },
          },
        },
        paused: {
          always: { guard: 'endRequested', target: '#session.ending' },
          on: { RESUME: 'resuming', END: '#session.ending' },
        },
        resuming: {
          on: { END: { actions: 'rememberEnd' } },
          invoke: {
            src: 'resumeRecordingServices',
            input: inputOf,
            onDone: 'active',
            onError: { target: 'paused', actions: 'keepError' },
          },
        },
      },
    },
    ending: {
      invoke: {
        src: 'stopRecordingServices',
        input: inputOf,
        onDone: 'completed',
        onError: { target: 'error', actions: 'keepError' },
      },
    },
    completed: { type: 'final' },
    error: {
      on: {
        RETRY: { target: 'validating', actions: 'forgetError' },
        DISMISS: 'idle',
      },
    },
  },
});

function inputOf({ context }: { context: SessionContext }): ActorInput {
  return { sessionId: context.sessionId };
}
