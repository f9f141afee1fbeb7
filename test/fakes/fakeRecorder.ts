/** A recorder without a process: it writes small real files into the output folder, and a test decides what goes wrong. */
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../src/extension/platform/clock.ts';
import type { Disposable } from '../../src/extension/platform/disposable.ts';
import { Emitter } from '../../src/extension/platform/emitter.ts';
import type { Recorder, RecorderConnection, Recording } from '../../src/extension/recorder/recorder.ts';
import { CodedError } from '../../src/shared/errors.ts';
import type {
  CapturedScreenshot,
  LibraryEvent,
  MediaResult,
  RecorderConfig,
  RecorderPermissions,
  RecorderSources,
  RecorderStatus,
  RecordingManifest,
  ServiceStatus,
} from '../../src/shared/recorder/library.ts';
import { SessionClock } from '../../src/shared/sessionClock.ts';

const healthy: ServiceStatus = {
  state: 'active',
  health: 'healthy',
  errorCount: 0,
  bytesOnDisk: 0,
  metrics: { itemsRecorded: 0, droppedItems: 0, averageLatencyMs: 0 },
};

export class FakeRecorder implements Recorder {
  /** What goes wrong, for a test to set before it happens. */
  connectError: CodedError | undefined;
  recordError: CodedError | undefined;
  stopError: CodedError | undefined;
  pauseError: CodedError | undefined;
  recoverError: CodedError | undefined;
  /** What happens to the files before they are adopted. */
  afterStop: (directory: string) => Promise<void> = () => Promise.resolve();
  permissions: RecorderPermissions = { screen: 'notRequired', microphone: 'notRequired' };
  services: Recording['services'] = { video: healthy, audio: healthy, screenshots: healthy };
  /** The picture that screenshots show. */
  screen = 'first';

  readonly recorded: RecorderConfig[] = [];
  connections = 0;
  readonly events = new Emitter<LibraryEvent>();
  #wasAsked: () => void = () => undefined;
  /** Resolves when a recovery was asked for. */
  readonly asked = new Promise<void>((resolve) => (this.#wasAsked = resolve));
  readonly #died = new Emitter<CodedError>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  connect(): Promise<RecorderConnection> {
    if (this.connectError) return Promise.reject(this.connectError);
    this.connections++;
    return Promise.resolve({
      sources: () => Promise.resolve(oneDisplay),
      permissions: () => Promise.resolve(this.permissions),
      record: (config) => this.#record(config),
      recover: (directory) => this.#recover(directory),
      concatenateAudio: ({ outputPath }) => writeMedia(outputPath),
      mergeMedia: ({ outputPath }) => writeMedia(outputPath),
      onDied: this.#died.event,
      dispose: () => this.connections--,
    });
  }

  /** The process is gone, as after SIGKILL. */
  die(): void {
    this.#died.fire(new CodedError('recorderDied', 'The recorder stopped unexpectedly (SIGKILL).'));
  }

  async #record(config: RecorderConfig): Promise<Recording> {
    if (this.recordError) throw this.recordError;
    this.recorded.push(config);
    await mkdir(config.outputDirectory, { recursive: true });
    await writeFile(join(config.outputDirectory, 'video-0001.mp4'), 'begun');
    return new FakeRecording(this, config, this.#clock);
  }

  async #recover(directory: string): Promise<RecordingManifest> {
    this.#wasAsked();
    if (this.recoverError) throw this.recoverError;
    return { ...(await writeRecording(directory, 'any', 4000)), state: 'recovered', lostMs: 500 };
  }
}

class FakeRecording implements Recording {
  readonly startedAtMonotonicMs: number;
  readonly services: Recording['services'];
  readonly #fake: FakeRecorder;
  readonly #config: RecorderConfig;
  readonly #clock: Clock;
  readonly #sessionClock: SessionClock;
  #screenshots = 0;
  #lastScreen: string | undefined;

  constructor(fake: FakeRecorder, config: RecorderConfig, clock: Clock) {
    this.#fake = fake;
    this.#config = config;
    this.#clock = clock;
    this.services = fake.services;
    this.startedAtMonotonicMs = clock.monotonicMs();
    this.#sessionClock = new SessionClock(this.startedAtMonotonicMs);
  }

  pause(): Promise<number> {
    if (this.#fake.pauseError) return Promise.reject(this.#fake.pauseError);
    this.#sessionClock.pause(this.#clock.monotonicMs());
    return Promise.resolve(this.#clock.monotonicMs());
  }
  resume(): Promise<number> {
    this.#sessionClock.resume(this.#clock.monotonicMs());
    return Promise.resolve(this.#clock.monotonicMs());
  }

  addSource(): Promise<void> {
    return Promise.resolve();
  }
  removeSource(): Promise<void> {
    return Promise.resolve();
  }
  setLayout(): Promise<void> {
    return Promise.resolve();
  }
  updateAudioMix(): Promise<void> {
    return Promise.resolve();
  }

  async takeScreenshot(): Promise<CapturedScreenshot> {
    const isDuplicate = this.#lastScreen === this.#fake.screen;
    if (!isDuplicate) this.#screenshots++;
    this.#lastScreen = this.#fake.screen;
    const name = `screenshot-${this.#screenshots}.png`;
    const path = join(this.#config.outputDirectory, name);
    if (!isDuplicate) await writeFile(path, this.#fake.screen);
    return {
      path,
      ...(isDuplicate ? { duplicateOf: name } : {}),
      width: 1600,
      height: 1000,
      bytes: this.#fake.screen.length,
      sha256: createHash('sha256').update(this.#fake.screen).digest('hex'),
      perceptualHash: '00ff00ff00ff00ff',
      offsetMs: this.#offsetMs(),
    };
  }

  status(): Promise<RecorderStatus> {
    const state = this.#sessionClock.isPaused ? 'paused' : 'recording';
    return Promise.resolve({
      state,
      offsetMs: this.#offsetMs(),
      monotonicMs: 0,
      layout: 'single',
      sources: [],
      services: this.services,
    });
  }

  async stop(): Promise<RecordingManifest> {
    if (this.#fake.stopError) throw this.#fake.stopError;
    const { outputDirectory, sessionId } = this.#config;
    const manifest = await writeRecording(outputDirectory, sessionId, this.#offsetMs());
    await this.#fake.afterStop(outputDirectory);
    return manifest;
  }

  onEvent(listener: (event: LibraryEvent) => void): Disposable {
    return this.#fake.events.event(listener);
  }

  #offsetMs(): number {
    return this.#sessionClock.offsetAt(this.#clock.monotonicMs());
  }
}

async function writeMedia(path: string): Promise<MediaResult> {
  await writeFile(path, 'media');
  return { path, durationMs: 4000, bytes: 5 };
}

async function writeRecording(folder: string, sessionId: string, durationMs: number): Promise<RecordingManifest> {
  await writeFile(join(folder, 'video-0001.mp4'), `video of ${sessionId}`);
  await writeFile(join(folder, 'audio-0001.wav'), `sound of ${sessionId}`);
  return {
    schemaVersion: 1,
    sessionId,
    startedAt: '2026-11-22T09:00:01.000Z',
    durationMs,
    state: 'finished',
    takes: [
      { index: 1, path: 'video-0001.mp4', offsetMs: 0, durationMs, frames: 30, width: 1600, height: 1000, bytes: 50 },
    ],
    segments: [{ index: 1, path: 'audio-0001.wav', offsetMs: 0, durationMs, bytes: 50, peak: 0.5, isEmpty: false }],
    gaps: [],
    pauses: [],
  };
}

const oneDisplay: RecorderSources = {
  displays: [{ id: ':0.0', name: 'screen', width: 1600, height: 1000, primary: true }],
  windows: [],
  cameras: [],
  microphones: [],
  systemAudio: [],
};
