/**
 * One session's hold on the recorder: what it can record here, the recording itself, and what becomes of it when the
 * recorder dies. Partial failure degrades: what cannot be recorded is told, and the rest is recorded.
 */
import { type CodedError, toCodedError } from '../../shared/errors.ts';
import {
  type LibraryEvent,
  type MediaService,
  type RecordingManifest,
  mediaServices,
} from '../../shared/recorder/library.ts';
import type { Clock } from '../platform/clock.ts';
import { DisposableStore } from '../platform/disposable.ts';
import type { Files } from '../platform/files.ts';
import type { SessionSettings } from '../platform/settings.ts';
import type { Recorder, RecorderConnection, Recording } from '../recorder/recorder.ts';
import { type ExpectedMode, ProgressWatch, type ServiceHealth } from './progressWatch.ts';
import {
  type RecordingPlan,
  chooseDisplay,
  isEmptyPlan,
  permissionsFor,
  planOf,
  recorderConfigOf,
} from './recorderConfig.ts';
import { recoverRecording } from './recoverRecording.ts';
import type { RecordingState, SessionEvent } from './sessionMachine.ts';

/** Each look costs the recorder about a millisecond of a processor; with `stalledAfterMs` it makes five seconds. */
const watchEveryMs = 2000;

export interface RecorderLinkOptions {
  readonly recorder: Recorder;
  readonly settings: SessionSettings;
  readonly clock: Clock;
  readonly files: Files;
  /** The recording's folder. */
  readonly folder: string;
  readonly tell: (service: MediaService | 'recorder', message: string) => void;
}

export class RecorderLink extends DisposableStore {
  readonly #options: RecorderLinkOptions;
  #plan: RecordingPlan;
  #displayId: string | undefined;
  #connection: RecorderConnection | undefined;
  #recording: Recording | undefined;
  #lost: CodedError | undefined;
  #endedBecause: string | undefined;
  #mode: ExpectedMode = 'recording';
  #onLost: (() => void) | undefined;
  #send: ((event: SessionEvent) => void) | undefined;
  readonly #early: LibraryEvent[] = [];
  /** What the settings ask for and this machine does not give. */
  readonly #failed = new Map<MediaService, ServiceHealth>();
  readonly #told = new Map<MediaService, string>();

  constructor(options: RecorderLinkOptions) {
    super();
    this.#options = options;
    this.#plan = planOf(options.settings);
  }

  get plan(): RecordingPlan {
    return this.#plan;
  }
  get recording(): Recording | undefined {
    return this.#recording;
  }
  /** Why the recorder is gone, when it died. */
  get lost(): CodedError | undefined {
    return this.#lost;
  }
  /** Why the recorder ended the recording by itself, when it did. */
  get endedBecause(): string | undefined {
    return this.#endedBecause;
  }

  /** Finds out what can be recorded; never throws, because activity can be recorded without any recorder. */
  async connect(): Promise<void> {
    if (isEmptyPlan(this.#plan)) return;
    try {
      const connection = this.own(await this.#options.recorder.connect());
      this.#connection = connection;
      this.own(connection.onDied((error) => this.#lose(error)));
      await this.#narrowPlan(connection);
    } catch (error) {
      this.#recordNothing(error);
    }
  }

  async record(sessionId: string): Promise<Recording | undefined> {
    if (!this.#connection || isEmptyPlan(this.#plan)) return undefined;
    const { settings, folder } = this.#options;
    const target = { sessionId, outputDirectory: folder, displayId: this.#displayId };
    try {
      this.#recording = await this.#connection.record(recorderConfigOf(this.#plan, settings, target));
    } catch (error) {
      this.#recordNothing(error);
      return undefined;
    }
    // What is told before anybody watches is kept until then.
    this.own(
      this.#recording.onEvent((event) => {
        if (this.#send) this.#note(event, this.#send);
        else this.#early.push(event);
      }),
    );
    for (const [service, { state, error }] of Object.entries(this.#recording.services)) {
      // Without an input or a source it works all the same.
      if (error && state === 'error') this.#fail(service as MediaService, error.message);
      else if (error) this.#tellOnce(service as MediaService, error.message);
    }
    return this.#recording;
  }

  /** The moment of the pause, in our monotonic clock. */
  pause(): Promise<number> {
    return this.#change('paused', (recording) => recording.pause());
  }

  resume(): Promise<number> {
    return this.#change('recording', (recording) => recording.resume());
  }

  /** What was recorded; of a recorder that died or hangs, what can be read back from its files. */
  async stop(): Promise<RecordingManifest | undefined> {
    if (!this.#recording) return undefined;
    if (!this.#lost) {
      try {
        return await this.#recording.stop();
      } catch (error) {
        this.#options.tell('recorder', `The recording did not end cleanly. ${toCodedError(error).message}`);
      }
    }
    const { recorder, folder, files } = this.#options;
    return recoverRecording(recorder, folder, files);
  }

  /** Every service that the settings ask for: those that record, and those that cannot, with the reason. */
  stateOfServices(): RecordingState {
    const active: ServiceHealth = { state: 'active', health: 'healthy' };
    const started = Object.keys(this.#recording?.services ?? {}).filter((name) => isPlanned(name, this.#plan));
    return { ...Object.fromEntries(started.map((service) => [service, active])), ...Object.fromEntries(this.#failed) };
  }

  /** Looks every two seconds whether what should advance did; what it answers stops it. */
  watch(send: (event: SessionEvent) => void): () => void {
    const recording = this.#recording;
    if (!recording) return () => undefined;
    this.#onLost = () => send({ type: 'RECORDER_LOST' });
    if (this.#lost) this.#onLost();
    this.#send = send;
    for (const event of this.#early.splice(0)) this.#note(event, send);
    const progress = new ProgressWatch();
    const timer = setInterval(() => void this.#look(recording, progress, send), watchEveryMs);
    return () => {
      clearInterval(timer);
      this.#send = undefined;
      this.#onLost = undefined;
    };
  }

  /** Tells what goes wrong; how each service is, says its status. */
  #note(event: LibraryEvent, send: (event: SessionEvent) => void): void {
    switch (event.type) {
      case 'serviceFailed':
        this.#fail(event.service, event.error.message);
        break;
      case 'sourceLost':
      case 'stalled':
      case 'silence':
        this.#tellOnce(event.service, event.message);
        break;
      case 'sourceRecovered':
      case 'resumed':
        this.#told.delete(event.service);
        this.#failed.delete(event.service);
        break;
      case 'diskLow':
        this.#options.tell('recorder', event.message);
        if (!event.stopping) return;
        this.#endedBecause = event.message;
        send({ type: 'END' });
        break;
      default:
    }
  }

  async #change(to: 'recording' | 'paused', call: (recording: Recording) => Promise<number>): Promise<number> {
    if (!this.#recording || this.#lost) return this.#options.clock.monotonicMs();
    const before = this.#mode;
    this.#mode = 'changing';
    try {
      const atMonotonicMs = await call(this.#recording);
      this.#mode = to;
      return atMonotonicMs;
    } catch (error) {
      this.#mode = before;
      throw error;
    }
  }

  async #look(recording: Recording, progress: ProgressWatch, send: (event: SessionEvent) => void): Promise<void> {
    const asked = this.#mode;
    try {
      const status = await recording.status();
      // A state that was asked for in between was changed for good reason.
      const expected = asked === this.#mode ? asked : 'changing';
      const updates = progress.look(status, this.#options.clock.monotonicMs(), expected);
      send({ type: 'UPDATE_RECORDING_STATE', updates });
    } catch (error) {
      // A recorder that does not even answer is not known to record.
      if (this.#lost || this.isDisposed) return;
      const silent: ServiceHealth = { state: 'active', health: 'degraded', message: toCodedError(error).message };
      const services = Object.keys(recording.services);
      send({ type: 'UPDATE_RECORDING_STATE', updates: Object.fromEntries(services.map((name) => [name, silent])) });
    }
  }

  /** Takes out of the plan what this machine does not give, and says so. */
  async #narrowPlan(connection: RecorderConnection): Promise<void> {
    const { tell, settings } = this.#options;
    const permissions = await connection.permissions(permissionsFor(this.#plan));
    if (permissions.screen === 'denied') {
      const reason = permissions.reasons?.screen ?? 'permission was denied.';
      this.#markFailed(['video', 'screenshots'], reason);
      this.#plan = { ...this.#plan, video: false, screenshots: false };
      tell('video', `The screen is not recorded: ${reason}`);
    }
    if (permissions.microphone === 'denied') {
      this.#plan = { ...this.#plan, microphone: false };
      tell('audio', `The microphone is not recorded: ${permissions.reasons?.microphone ?? 'permission was denied.'}`);
    }
    if (!this.#plan.video && !this.#plan.screenshots) return;
    this.#displayId = chooseDisplay(await connection.sources(), settings.display);
    if (settings.display && this.#displayId && this.#displayId !== settings.display) {
      tell('video', `Display "${settings.display}" is not there; "${this.#displayId}" is recorded instead.`);
    }
  }

  #recordNothing(error: unknown): void {
    this.#markFailed(mediaServices, toCodedError(error).message);
    this.#plan = { video: false, screenshots: false, systemSound: false, microphone: false };
    this.#options.tell('recorder', `Only the editor's activity is recorded. ${toCodedError(error).message}`);
  }

  #markFailed(services: readonly MediaService[], message: string): void {
    for (const service of services) {
      if (isPlanned(service, this.#plan)) this.#failed.set(service, { state: 'error', health: 'failed', message });
    }
  }

  #fail(service: MediaService, message: string): void {
    this.#markFailed([service], message);
    this.#tellOnce(service, message);
  }

  /** A service that did not come up says so twice, in the answer to the start and as an event; so does a lost source. */
  #tellOnce(service: MediaService, message: string): void {
    if (this.#told.get(service) === message) return;
    this.#told.set(service, message);
    this.#options.tell(service, `${labelOf[service]}: ${message}`);
  }

  #lose(error: CodedError): void {
    this.#lost = error;
    this.#onLost?.();
  }
}

function isPlanned(service: string, plan: RecordingPlan): boolean {
  return service === 'audio'
    ? plan.systemSound || plan.microphone
    : service === 'video'
      ? plan.video
      : plan.screenshots;
}

const labelOf: Readonly<Record<MediaService, string>> = { video: 'Video', audio: 'Sound', screenshots: 'Screenshots' };
