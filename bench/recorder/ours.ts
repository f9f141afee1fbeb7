/** Drives the recorder as shipped: its process, unpacked from the VSIX, over the extension's own channel. */
import { join } from 'node:path';
import type * as z from 'zod';
import { ProcessChannel } from '../../src/extension/recorder/processChannel.ts';
import type { LibraryCall } from '../../src/extension/recorder/ipc.ts';
import { libraryPathIn } from '../../src/extension/recorder/libraryPath.ts';
import type { Logger } from '../../src/extension/platform/logger.ts';
import {
  capturedScreenshotSchema,
  createdSchema,
  libraryEventSchema,
  type LibraryEvent,
  manifestSchema,
  type RecorderConfig,
  sourcesSchema,
  pausedSchema,
  resumedSchema,
  startedSchema,
  statusSchema,
} from '../../src/shared/recorder/library.ts';
import { childNamed } from './processFigures.ts';
import { type FinishedRecording, framesPerSecond, type RecordingRequest, type RunningRecording } from './recording.ts';

const callTimeoutMs = 10_000;
/** The extension asks so often while it records, so the bench does too. */
const statusEveryMs = 2000;

export interface OurOptions {
  /** So many test patterns of 1920x1080 in a grid are recorded instead of the display. */
  readonly patterns?: number;
  readonly screenshots?: boolean;
}

/** Begins with a process of its own; `extension` is the folder of the unpacked VSIX. */
export async function beginOurs(
  extension: string,
  request: RecordingRequest,
  options: OurOptions = {},
): Promise<OurRecording> {
  const forkedAtMs = nowMs();
  const channel = await openChannel(extension, request);
  try {
    const pid = childNamed('recorderProcess.cjs');
    const seen = new EventLog(channel);
    const { displays } = await ask(channel, sourcesSchema, { name: 'sources' });
    const display = displays.find(({ primary }) => primary) ?? displays[0];
    if (!display) throw new Error(`The recorder sees no display on ${request.display}.`);
    const { handle } = await ask(channel, createdSchema, {
      name: 'create',
      config: configOf(request, display.id, options),
    });
    const calledAtMs = nowMs();
    const { startedAtMonotonicMs } = await ask(channel, startedSchema, { name: 'start', handle });
    const firstFrame = await seen.first('firstFrame');
    // The library's clock is Node's: both are CLOCK_MONOTONIC.
    const times = {
      startedAtMonotonicMs,
      firstFrameMs: firstFrame.monotonicMs - forkedAtMs,
      callToFrameMs: firstFrame.monotonicMs - calledAtMs,
      firstFrameAtMs: Date.now() - (nowMs() - firstFrame.monotonicMs),
    };
    return new OurRecording(channel, handle, pid, times, forkedAtMs, seen);
  } catch (error) {
    channel.kill('The measurement is over.');
    throw error;
  }
}

export class OurRecording implements RunningRecording {
  readonly firstFrameMs: number;
  readonly startedAtMonotonicMs: number;
  /** By the wall clock, milliseconds since 1970. */
  readonly firstFrameAtMs: number;
  private readonly polling: NodeJS.Timeout;

  constructor(
    private readonly channel: ProcessChannel,
    private readonly handle: number,
    readonly pid: number,
    times: {
      readonly firstFrameMs: number;
      readonly callToFrameMs: number;
      readonly startedAtMonotonicMs: number;
      readonly firstFrameAtMs: number;
    },
    private readonly forkedAtMs: number,
    private readonly seen: EventLog,
  ) {
    this.firstFrameMs = times.firstFrameMs;
    this.startedAtMonotonicMs = times.startedAtMonotonicMs;
    this.firstFrameAtMs = times.firstFrameAtMs;
    this.polling = setInterval(() => void this.status().catch(() => undefined), statusEveryMs);
  }

  /** From starting the process until the first fragment is written and synced. */
  async firstOnDiskMs(): Promise<number> {
    await this.seen.first('fragmentWritten');
    return (this.seen.arrivedAtMs('fragmentWritten') ?? NaN) - this.forkedAtMs;
  }

  /** Answers the monotonic moment. */
  async pause(): Promise<number> {
    return (await ask(this.channel, pausedSchema, { name: 'pause', handle: this.handle })).pausedAtMonotonicMs;
  }

  async resume(): Promise<number> {
    return (await ask(this.channel, resumedSchema, { name: 'resume', handle: this.handle })).resumedAtMonotonicMs;
  }

  /** How long the call took, in milliseconds; undefined when the screen was the same as in the one before. */
  async takeScreenshot(): Promise<number | undefined> {
    const beganAtMs = nowMs();
    const call = { name: 'takeScreenshot', handle: this.handle, request: {} } as const;
    const { duplicateOf } = await ask(this.channel, capturedScreenshotSchema, call);
    return duplicateOf ? undefined : nowMs() - beganAtMs;
  }

  async end(): Promise<FinishedRecording> {
    clearInterval(this.polling);
    const { services } = await this.status();
    const metrics = services.video?.metrics;
    if (!metrics) throw new Error('The recorder tells nothing of its video.');
    const toldAtMs = nowMs();
    const { takes, segments } = await ask(this.channel, manifestSchema, { name: 'stop', handle: this.handle });
    return {
      bytes: [...takes, ...segments].reduce((sum, { bytes }) => sum + bytes, 0),
      endMs: nowMs() - toldAtMs,
      droppedPercent: (100 * metrics.droppedItems) / Math.max(1, metrics.itemsRecorded + metrics.droppedItems),
    };
  }

  /** The process ends by itself when its channel closes. */
  async dispose(): Promise<void> {
    clearInterval(this.polling);
    const gone = new Promise<void>((resolve) => this.channel.onDied(() => resolve()));
    if (isAlive(this.pid)) {
      process.kill(this.pid, 'SIGTERM');
      await gone;
    }
    this.channel.dispose();
  }

  private status(): Promise<z.infer<typeof statusSchema>> {
    return ask(this.channel, statusSchema, { name: 'status', handle: this.handle });
  }
}

/** Remembers the library's events: the first ones come before `start` has answered. */
class EventLog {
  private readonly log: { readonly event: LibraryEvent; readonly atMs: number }[] = [];
  private readonly listeners = new Set<() => void>();

  constructor(channel: ProcessChannel) {
    channel.onEvent((_, json) => {
      const parsed = libraryEventSchema.safeParse(json);
      if (parsed.success) this.log.push({ event: parsed.data, atMs: nowMs() });
      for (const listener of this.listeners) listener();
    });
  }

  arrivedAtMs(type: LibraryEvent['type']): number | undefined {
    return this.log.find(({ event }) => event.type === type)?.atMs;
  }

  async first<T extends LibraryEvent['type']>(type: T): Promise<Extract<LibraryEvent, { type: T }>> {
    return await new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.listeners.delete(look);
        reject(new Error(`The recorder never told of "${type}": ${JSON.stringify(this.log)}`));
      }, callTimeoutMs);
      const look = (): void => {
        const found = this.log.find((entry) => entry.event.type === type);
        if (!found) return;
        clearTimeout(timer);
        this.listeners.delete(look);
        resolve(found.event as Extract<LibraryEvent, { type: T }>);
      };
      this.listeners.add(look);
      look();
    });
  }
}

/** The channel hands its own environment on, so the display and the sound server are put there while it forks. */
async function openChannel(extension: string, { display, sound }: RecordingRequest): Promise<ProcessChannel> {
  const wanted = { DISPLAY: display, PULSE_SERVER: sound?.PULSE_SERVER };
  const before = Object.keys(wanted).map((name) => [name, process.env[name]] as const);
  setEnvironment(Object.entries(wanted));
  try {
    return await ProcessChannel.open({
      processPath: join(extension, 'dist/recorderProcess.cjs'),
      libraryPath: libraryPathIn(extension),
      log: consoleLog,
    });
  } finally {
    setEnvironment(before);
  }
}

function setEnvironment(variables: readonly (readonly [string, string | undefined])[]): void {
  for (const [name, value] of variables) {
    if (value === undefined) Reflect.deleteProperty(process.env, name);
    else process.env[name] = value;
  }
}

function configOf(
  { folder, sound }: RecordingRequest,
  displayId: string,
  { patterns, screenshots = false }: OurOptions,
): RecorderConfig {
  const grid = Array.from({ length: patterns ?? 0 }, (_, index) => {
    return { id: `pattern ${index + 1}`, type: 'testPattern', targetId: '1920x1080' } as const;
  });
  return {
    sessionId: 'bench',
    outputDirectory: folder,
    video: {
      ...{ enabled: true, fps: framesPerSecond, maxWidth: 1920, fragmentMs: 2000, quality: 0.6 },
      layout: patterns === undefined ? 'single' : 'grid',
      sources: patterns === undefined ? [{ id: 'screen', type: 'display', targetId: displayId }] : grid,
      ...{ excludedWindowIds: [], excludedApps: [], showCursor: true },
    },
    audio: {
      enabled: sound !== undefined,
      microphone: sound ? 'default' : null,
      systemAudio: sound !== undefined,
      ...{ balance: 0.5, segmentMs: 30_000, sampleRate: 48_000 },
    },
    screenshots: { enabled: screenshots, format: 'png', maxWidth: 1920 },
  };
}

async function ask<T extends z.ZodType>(channel: ProcessChannel, schema: T, call: LibraryCall): Promise<z.infer<T>> {
  return schema.parse(await channel.call(call, callTimeoutMs));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** What the recorder process complains of belongs beside the figures. */
const consoleLog: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: (message) => console.error(message),
  error: (message, cause) => console.error(message, cause ?? ''),
};
