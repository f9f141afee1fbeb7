/** The work behind the machine's states for one session: the lease, the recorder, the screenshots, the activity and the store. */
import type { ActivityEventBody } from '../../shared/model/activity.ts';
import type { SessionMetadata } from '../../shared/model/sessionMetadata.ts';
import { SessionClock } from '../../shared/sessionClock.ts';
import { ActivityLog } from '../activity/activityLog.ts';
import type { StartObserver } from '../activity/activityObserver.ts';
import type { Clock } from '../platform/clock.ts';
import { DisposableStore } from '../platform/disposable.ts';
import { Lease } from '../platform/lease.ts';
import type { SessionSettings } from '../platform/settings.ts';
import type { Recorder, Recording } from '../recorder/recorder.ts';
import { type SessionStore, finishSession, problemsField } from './finishSession.ts';
import { recordedConfigOf } from './recorderConfig.ts';
import { RecorderLink } from './recorderLink.ts';
import { ScreenshotTimer } from './screenshotTimer.ts';
import type { RecordingState, SessionEvent } from './sessionMachine.ts';
import { explainStorageError, explained } from './storageError.ts';

export type ProblemService = Extract<ActivityEventBody, { kind: 'problem' }>['service'];

export interface SessionRunOptions {
  readonly sessionId: string;
  readonly name: string;
  readonly workspaceName: string | undefined;
  /** This machine's name, for the lease. */
  readonly host: string;
  readonly settings: SessionSettings;
  readonly recorder: Recorder;
  readonly store: SessionStore;
  readonly observers: readonly StartObserver[];
  readonly clock: Clock;
  /** Resolves when the store is free for a new session: recovery of an old one holds the same lease. */
  readonly ready: () => Promise<void>;
  /** The user must know: called once for each thing that goes wrong. */
  readonly onProblem: (message: string) => void;
}

export class SessionRun extends DisposableStore {
  readonly #options: SessionRunOptions;
  readonly #recorder: RecorderLink;
  readonly #problems: { readonly service: ProblemService; readonly message: string }[] = [];
  #lease: Lease | undefined;
  #sessionClock: SessionClock | undefined;
  #activity: ActivityLog | undefined;
  #screenshots: ScreenshotTimer | undefined;
  #metadata: SessionMetadata | undefined;

  constructor(options: SessionRunOptions) {
    super();
    this.#options = options;
    const { recorder, settings, clock, store, sessionId } = options;
    const tell = (service: ProblemService, message: string) => this.#tell(service, message);
    const folder = store.paths.recording(sessionId);
    this.#recorder = this.own(new RecorderLink({ recorder, settings, clock, files: store.files, folder, tell }));
  }

  /** Media time now; 0 before the start. */
  elapsedMs(): number {
    return this.#sessionClock?.offsetAt(this.#options.clock.monotonicMs()) ?? 0;
  }

  /** Why the session ended by itself, when it did. */
  get interruptedBecause(): string | undefined {
    return this.#recorder.lost?.message ?? this.#recorder.endedBecause;
  }

  /** Throws `leaseTaken` while another window records, and the disk's errors where nothing can be stored. */
  async validate(): Promise<void> {
    const { store, host, ready } = this.#options;
    await ready();
    const { root, recordingLease: path } = store.paths;
    this.#lease ??= await explained(root, () => Lease.acquire({ path, host }));
  }

  checkPermissions(): Promise<void> {
    return this.#recorder.connect();
  }

  async start(): Promise<RecordingState> {
    const { sessionId, store, clock } = this.#options;
    // Before the first byte is recorded: a crash from here on leaves a session that can be found.
    const metadata = this.#newMetadata();
    this.#metadata = metadata;
    await explained(store.paths.root, () => store.storage.saveMetadata(metadata));
    const recording = await this.#recorder.record(sessionId);
    this.#sessionClock = new SessionClock(recording?.startedAtMonotonicMs ?? clock.monotonicMs());
    this.#activity = this.own(this.#startActivity(this.#sessionClock));
    for (const problem of this.#problems) this.#activity.record({ kind: 'problem', ...problem });
    this.#tellTogether();
    if (recording && this.#recorder.plan.screenshots) this.#startScreenshots(recording);
    await this.#saveMetadata({ recordingConfig: recordedConfigOf(this.#recorder.plan) });
    return this.#recorder.stateOfServices();
  }

  async pause(): Promise<void> {
    await this.#screenshots?.pause();
    try {
      this.#sessionClock?.pause(await this.#recorder.pause());
    } catch (error) {
      this.#screenshots?.resume();
      throw error;
    }
    await this.#activity?.flush();
    await this.#saveMetadata({ status: 'paused', pauseTime: this.#nowIso() });
  }

  async resume(): Promise<void> {
    this.#endPause(await this.#recorder.resume());
    this.#screenshots?.resume();
    await this.#saveMetadata({ status: 'active', resumeTime: this.#nowIso() });
  }

  watch(send: (event: SessionEvent) => void): () => void {
    return this.#recorder.watch(send);
  }

  /** Finishes every file and stores the session. When that fails it throws, and everything stays where it is for the next start. */
  async stop(): Promise<SessionMetadata> {
    if (!this.#metadata) throw new Error('A session is stopped only after it was started.');
    const { clock, store } = this.#options;
    const durationMs = this.elapsedMs();
    if (this.#recorder.lost)
      this.#tell('recorder', `${this.#recorder.lost.message} What was recorded until then is kept.`);
    await this.#screenshots?.pause();
    const manifest = await this.#recorder.stop();
    this.#endPause(clock.monotonicMs());
    await this.#activity?.flush();
    this.#activity?.dispose();
    const status = this.#recorder.lost ? 'interrupted' : 'completed';
    const metadata = this.#withProblems(this.#metadata);
    const ending = { status, endTime: this.#nowIso(), durationMs, manifest } as const;
    return explained(store.paths.root, () => finishSession(metadata, ending, store));
  }

  override dispose(): void {
    super.dispose();
    void this.#lease?.release();
    this.#lease = undefined;
  }

  #startActivity(sessionClock: SessionClock): ActivityLog {
    const { sessionId, store, clock, observers } = this.#options;
    return new ActivityLog({
      clock,
      sessionClock,
      observers,
      append: (events, onWritten) => store.storage.appendActivity(sessionId, events, onWritten),
      onWriteFailed: (error) =>
        this.#tell('activity', `The editor's activity cannot be written. ${this.#explain(error)}`),
      onRecorded: ({ kind }) => {
        if (kind === 'fileFocused') this.#screenshots?.requestSoon();
      },
    });
  }

  #startScreenshots(recording: Recording): void {
    const { sessionId, store, clock, settings } = this.#options;
    let hasFailed = false;
    this.#screenshots = this.own(
      new ScreenshotTimer({
        sessionId,
        clock,
        intervalMs: settings.screenshotIntervalMs,
        take: () => recording.takeScreenshot(),
        storage: store.storage,
        attachments: store.attachments,
        onFailed: (error) => {
          // Once is enough for the user: the next attempts go on, and most likely fail for the same reason.
          if (!hasFailed && !this.#recorder.lost) this.#tell('screenshots', `Screenshots: ${this.#explain(error)}`);
          hasFailed = true;
        },
      }),
    );
  }

  #endPause(atMonotonicMs: number): void {
    if (!this.#sessionClock?.isPaused) return;
    const durationMs = this.#sessionClock.resume(atMonotonicMs);
    this.#activity?.record({ kind: 'paused', durationMs }, atMonotonicMs);
  }

  /** What goes wrong before the session runs is told in one message when it does. */
  #tell(service: ProblemService, message: string): void {
    const problem = { service, message: message.slice(0, 500) };
    this.#problems.push(problem);
    this.#activity?.record({ kind: 'problem', ...problem });
    if (this.#activity) this.#options.onProblem(message);
  }

  #tellTogether(): void {
    const messages = this.#problems.map(({ message }) => message);
    if (messages.length > 0) this.#options.onProblem(messages.join(' '));
  }

  #newMetadata(): SessionMetadata {
    const { sessionId: id, name, workspaceName } = this.#options;
    return {
      id,
      name,
      schemaVersion: 2,
      startTime: this.#nowIso(),
      status: 'active',
      screenshotsRef: `screenshots/${id}`,
      audioSegmentsRef: `audio/${id}`,
      activityRef: `activity/${id}`,
      tags: [],
      topicIds: [],
      extractedTaskIds: [],
      extractedNoteIds: [],
      recordingConfig: recordedConfigOf(this.#recorder.plan),
      ...(workspaceName === undefined ? {} : { workspaceName }),
    };
  }

  /** While a session runs its metadata is a convenience: a disk that refuses it is told of, and recording goes on. */
  async #saveMetadata(changes: Partial<SessionMetadata>): Promise<void> {
    if (!this.#metadata) return;
    this.#metadata = this.#withProblems({ ...this.#metadata, ...changes });
    try {
      await this.#options.store.storage.saveMetadata(this.#metadata);
    } catch (error) {
      this.#tell('activity', `The session cannot be updated on disk. ${this.#explain(error)}`);
    }
  }

  #withProblems(metadata: SessionMetadata): SessionMetadata {
    return { ...metadata, ...problemsField(this.#problems.map(({ message }) => message)) };
  }

  #explain(error: unknown): string {
    return explainStorageError(error, this.#options.store.paths.root).message;
  }

  #nowIso(): string {
    return this.#options.clock.now().toISOString();
  }
}
