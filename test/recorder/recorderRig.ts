/** Owns what a test of the real recorder needs: a screen, a sound server, something that moves, and recordings made through the extension's own port. */
import { join } from 'node:path';
import { systemClock } from '../../src/extension/platform/clock.ts';
import type { Logger } from '../../src/extension/platform/logger.ts';
import { libraryPathIn } from '../../src/extension/recorder/libraryPath.ts';
import { ProcessRecorder } from '../../src/extension/recorder/processRecorder.ts';
import type { RecorderConnection, Recording } from '../../src/extension/recorder/recorder.ts';
import type { LibraryEvent, RecorderConfig } from '../../src/shared/recorder/library.ts';
import { OwnedProcess, type Resource, Resources, TemporaryFolder } from '../../scripts/editor/resources.ts';
import { Screen } from '../../scripts/editor/screen.ts';
import { Sound } from '../../scripts/editor/sound.ts';
import { repositoryRoot } from '../../scripts/process.ts';

const patienceMs = 20_000;

export class RecorderRig implements Resource {
  private readonly owned = new Resources();

  private constructor(
    readonly screen: Screen,
    readonly sound: Sound,
  ) {
    this.owned.use(screen);
    this.owned.use(sound);
  }

  static async open(): Promise<RecorderRig> {
    const rig = new RecorderRig(await Screen.open({ width: 640, height: 480 }), await Sound.open());
    // A clock face would change once a second; this changes all the time.
    const busy = 'i=0; while :; do i=$((i+1)); echo line $i; sleep 0.05; done';
    rig.owned.use(new OwnedProcess('xterm', ['-e', busy], { env: { ...process.env, DISPLAY: rig.screen.display } }));
    return rig;
  }

  async connect(): Promise<RecorderConnection> {
    const recorder = new ProcessRecorder({
      processPath: join(repositoryRoot, 'dist/recorderProcess.cjs'),
      libraryPath: libraryPathIn(repositoryRoot),
      log: quietLog,
      clock: systemClock,
      env: { ...process.env, DISPLAY: this.screen.display, ...this.sound.env },
    });
    const connection = await recorder.connect();
    this.owned.use({
      dispose: async () => {
        connection.dispose();
        return Promise.resolve();
      },
    });
    return connection;
  }

  folder(purpose: string): string {
    return this.owned.use(new TemporaryFolder(purpose)).path;
  }

  use<T extends Resource>(resource: T): T {
    return this.owned.use(resource);
  }

  async dispose(): Promise<void> {
    await this.owned.dispose();
  }
}

/** Screen, system sound and screenshots, in short fragments. */
export function configFor(outputDirectory: string): RecorderConfig {
  return {
    sessionId: 'test',
    outputDirectory,
    video: {
      ...{ enabled: true, fps: 15, maxWidth: 1920, fragmentMs: 500, quality: 0.6, layout: 'single', sources: [] },
      ...{ excludedWindowIds: [], excludedApps: [], showCursor: true },
    },
    audio: {
      ...{ enabled: true, microphone: null, systemAudio: true, balance: 0.5, segmentMs: 30_000, sampleRate: 48_000 },
    },
    screenshots: { enabled: true, format: 'png', maxWidth: 1920 },
  };
}

/** Every event of a recording, from the moment this is made. */
export class Events {
  private readonly seen: LibraryEvent[] = [];
  private readonly listeners = new Set<() => void>();

  constructor(recording: Recording) {
    recording.onEvent((event) => {
      this.seen.push(event);
      for (const listener of [...this.listeners]) listener();
    });
  }

  /** Resolves with the first event that fits, seen already or still to come. */
  async first<T extends LibraryEvent['type']>(
    type: T,
    fits: (event: Extract<LibraryEvent, { type: T }>) => boolean = () => true,
  ): Promise<Extract<LibraryEvent, { type: T }>> {
    return await new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        clearTimeout(timer);
        this.listeners.delete(look);
        act();
      };
      const look = (): void => {
        const found = this.seen.find(
          (event): event is Extract<LibraryEvent, { type: T }> =>
            event.type === type && fits(event as Extract<LibraryEvent, { type: T }>),
        );
        if (found) settle(() => resolve(found));
      };
      const timer = setTimeout(
        () => settle(() => reject(new Error(`No "${type}" came: ${JSON.stringify(this.seen)}`))),
        patienceMs,
      );
      this.listeners.add(look);
      look();
    });
  }

  /** The next synced fragment: what was recorded until now is on the disk. */
  async nextFragment(): Promise<void> {
    const count = this.seen.length;
    await this.first('fragmentWritten', (event) => this.seen.indexOf(event) >= count);
  }
}

const quietLog: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
