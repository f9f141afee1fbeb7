/** Finds sessions that a crash left unfinished, takes in what was recorded of them, and marks them interrupted. */
import { toCodedError } from '../../shared/errors.ts';
import type { SessionMetadata } from '../../shared/model/sessionMetadata.ts';
import { Lease } from '../platform/lease.ts';
import type { Logger } from '../platform/logger.ts';
import type { Recorder } from '../recorder/recorder.ts';
import { type SessionStore, finishSession } from './finishSession.ts';
import { recoverRecording } from './recoverRecording.ts';

export interface RecoveryOptions {
  readonly recorder: Recorder;
  readonly store: SessionStore;
  readonly host: string;
  readonly log: Logger;
  /** Sessions whose metadata says that they still run. */
  readonly unfinished: () => readonly SessionMetadata[];
  /** False while this window records. */
  readonly isIdle: () => boolean;
}

export class SessionRecovery {
  readonly #options: RecoveryOptions;
  #running: Promise<SessionMetadata[]> | undefined;

  constructor(options: RecoveryOptions) {
    this.#options = options;
  }

  /** Answers the sessions that were recovered. While any window records nothing is touched: it may be its session. */
  async run(): Promise<SessionMetadata[]> {
    // Who asks while it runs is answered by it; what it recovers is told once.
    if (this.#running) {
      await this.#running;
      return [];
    }
    this.#running = this.#run().finally(() => (this.#running = undefined));
    return this.#running;
  }

  /** Resolves when nothing is being recovered any more. */
  async settled(): Promise<void> {
    await this.#running?.catch(() => undefined);
  }

  async #run(): Promise<SessionMetadata[]> {
    const { store, host, log, recorder, unfinished, isIdle } = this.#options;
    if (!isIdle() || unfinished().length === 0) return [];
    let lease: Lease;
    try {
      lease = await Lease.acquire({ path: store.paths.recordingLease, host });
    } catch (error) {
      log.info(`Unfinished sessions are left alone: ${toCodedError(error).message}`);
      return [];
    }
    try {
      const recovered: SessionMetadata[] = [];
      for (const metadata of unfinished()) {
        const session = await recoverOne(metadata, recorder, store, log);
        if (session) recovered.push(session);
      }
      return recovered;
    } finally {
      await lease.release();
    }
  }
}

async function recoverOne(
  metadata: SessionMetadata,
  recorder: Recorder,
  store: SessionStore,
  log: Logger,
): Promise<SessionMetadata | undefined> {
  try {
    const manifest = await recoverRecording(recorder, store.paths.recording(metadata.id), store.files);
    const lastOffsetMs = (await store.storage.getActivity(metadata.id)).at(-1)?.offsetMs;
    const endTime = new Date(
      Date.parse(metadata.startTime) + (manifest?.durationMs ?? lastOffsetMs ?? 0),
    ).toISOString();
    const ending = { status: 'interrupted', endTime, durationMs: lastOffsetMs, manifest } as const;
    const finished = await finishSession(metadata, ending, store);
    log.info(`Session ${metadata.id} was recovered: ${Math.round(finished.totalDuration ?? 0)} ms.`);
    return finished;
  } catch (error) {
    // It stays unfinished, with all its files, for the next start.
    log.error(`Session ${metadata.id} could not be recovered.`, error);
    return undefined;
  }
}
