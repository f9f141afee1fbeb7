/** The recorder behind its port: a process for each session, its clock measured against ours, its answers validated. */
import * as z from 'zod';
import { CodedError } from '../../shared/errors.ts';
import {
  type CapturedScreenshot,
  type ConcatenateAudioRequest,
  type LibraryEvent,
  type MediaResult,
  type MergeMediaRequest,
  type PermissionName,
  type RecorderConfig,
  type RecorderLayout,
  type RecorderPermissions,
  type RecorderSource,
  type RecorderSources,
  type RecorderStatus,
  type RecordingManifest,
  capturedScreenshotSchema,
  changedSchema,
  createdSchema,
  libraryEventSchema,
  manifestSchema,
  pausedSchema,
  permissionsSchema,
  resumedSchema,
  sourcesSchema,
  startedSchema,
  statusSchema,
} from '../../shared/recorder/library.ts';
import type { Clock } from '../platform/clock.ts';
import type { Disposable } from '../platform/disposable.ts';
import type { LibraryCall } from './ipc.ts';
import { runMediaJob } from './mediaJob.ts';
import { ProcessChannel, type ProcessChannelOptions } from './processChannel.ts';
import type { MediaJobOptions, Recorder, RecorderConnection, Recording } from './recorder.ts';

const startTimeoutMs = 5000;
const stopTimeoutMs = 10_000;
const callTimeoutMs = 5000;
/** The library gives up a screenshot after 12 seconds, and what it wrote by then has to be heard of. */
const screenshotTimeoutMs = 13_000;
/** Asked once a second: a recorder that hangs is to be seen within 5 seconds. */
const statusTimeoutMs = 3000;
/** Reading back a crashed recording walks its files. */
const recoverTimeoutMs = 300_000;
const clockSamples = 7;

export interface ProcessRecorderOptions extends ProcessChannelOptions {
  readonly clock: Clock;
}

export class ProcessRecorder implements Recorder {
  readonly #options: ProcessRecorderOptions;

  constructor(options: ProcessRecorderOptions) {
    this.#options = options;
  }

  async connect(): Promise<RecorderConnection> {
    return new Connection(await ProcessChannel.open(this.#options), this.#options.clock);
  }
}

class Connection implements RecorderConnection {
  readonly #channel: ProcessChannel;
  readonly #clock: Clock;

  constructor(channel: ProcessChannel, clock: Clock) {
    this.#channel = channel;
    this.#clock = clock;
  }

  sources(): Promise<RecorderSources> {
    return ask(this.#channel, sourcesSchema, { name: 'sources' }, callTimeoutMs);
  }

  permissions(names: readonly PermissionName[]): Promise<RecorderPermissions> {
    return ask(this.#channel, permissionsSchema, { name: 'permissions', request: { request: names } }, callTimeoutMs);
  }

  async record(config: RecorderConfig): Promise<Recording> {
    const offsetMs = await this.#measureClockOffset();
    const deadline = this.#clock.monotonicMs() + startTimeoutMs;
    const left = () => Math.max(1, deadline - this.#clock.monotonicMs());
    const { handle } = await ask(this.#channel, createdSchema, { name: 'create', config }, left());
    const started = await change(this.#channel, startedSchema, { name: 'start', handle }, left());
    return new ProcessRecording(this.#channel, handle, started, offsetMs);
  }

  concatenateAudio(request: ConcatenateAudioRequest, options?: MediaJobOptions): Promise<MediaResult> {
    return runMediaJob(this.#channel, { name: 'concatenateAudio', request }, options);
  }

  mergeMedia(request: MergeMediaRequest, options?: MediaJobOptions): Promise<MediaResult> {
    return runMediaJob(this.#channel, { name: 'mergeMedia', request }, options);
  }

  recover(directory: string): Promise<RecordingManifest> {
    return ask(this.#channel, manifestSchema, { name: 'recover', request: { directory } }, recoverTimeoutMs);
  }

  onDied(listener: (error: CodedError) => void): Disposable {
    // What was ended by its owner did not die; a job that waits on the channel has to hear of it all the same.
    return this.#channel.onDied((error) => {
      if (!this.#channel.isDisposed) listener(error);
    });
  }

  dispose(): void {
    this.#channel.dispose();
  }

  /** What must be added to the process's monotonic clock to get ours: the sample with the shortest round trip, halved. */
  async #measureClockOffset(): Promise<number> {
    let best = { roundTripMs: Infinity, offsetMs: 0 };
    for (let sample = 0; sample < clockSamples; sample++) {
      const sentAtMs = this.#clock.monotonicMs();
      const { monotonicMs } = await ask(this.#channel, clockAnswerSchema, { name: 'clock' }, callTimeoutMs);
      const roundTripMs = this.#clock.monotonicMs() - sentAtMs;
      if (roundTripMs < best.roundTripMs) best = { roundTripMs, offsetMs: sentAtMs + roundTripMs / 2 - monotonicMs };
    }
    return best.offsetMs;
  }
}

const clockAnswerSchema = z.object({ monotonicMs: z.number() });

class ProcessRecording implements Recording {
  readonly startedAtMonotonicMs: number;
  readonly services: Recording['services'];
  readonly #channel: ProcessChannel;
  readonly #handle: number;
  readonly #clockOffsetMs: number;

  constructor(channel: ProcessChannel, handle: number, started: z.infer<typeof startedSchema>, clockOffsetMs: number) {
    this.#channel = channel;
    this.#handle = handle;
    this.#clockOffsetMs = clockOffsetMs;
    this.startedAtMonotonicMs = started.startedAtMonotonicMs + clockOffsetMs;
    this.services = started.services;
  }

  async pause(): Promise<number> {
    const paused = await change(this.#channel, pausedSchema, { name: 'pause', handle: this.#handle }, callTimeoutMs);
    return paused.pausedAtMonotonicMs + this.#clockOffsetMs;
  }

  async resume(): Promise<number> {
    const resumed = await change(this.#channel, resumedSchema, { name: 'resume', handle: this.#handle }, callTimeoutMs);
    return resumed.resumedAtMonotonicMs + this.#clockOffsetMs;
  }

  async addSource(source: RecorderSource): Promise<void> {
    await this.#ask({ name: 'addSource', handle: this.#handle, request: source });
  }

  async removeSource(id: string): Promise<void> {
    await this.#ask({ name: 'removeSource', handle: this.#handle, request: { id } });
  }

  async setLayout(layout: RecorderLayout): Promise<void> {
    await this.#ask({ name: 'setLayout', handle: this.#handle, request: layout });
  }

  async updateAudioMix(balance: number): Promise<void> {
    await this.#ask({ name: 'updateAudioMix', handle: this.#handle, balance });
  }

  takeScreenshot(): Promise<CapturedScreenshot> {
    const call = { name: 'takeScreenshot', handle: this.#handle, request: {} } as const;
    return ask(this.#channel, capturedScreenshotSchema, call, screenshotTimeoutMs);
  }

  status(): Promise<RecorderStatus> {
    return ask(this.#channel, statusSchema, { name: 'status', handle: this.#handle }, statusTimeoutMs);
  }

  stop(): Promise<RecordingManifest> {
    return change(this.#channel, manifestSchema, { name: 'stop', handle: this.#handle }, stopTimeoutMs);
  }

  async #ask(call: LibraryCall): Promise<void> {
    await ask(this.#channel, changedSchema, call, callTimeoutMs);
  }

  onEvent(listener: (event: LibraryEvent) => void): Disposable {
    return this.#channel.onEvent((handle, json) => {
      const event = libraryEventSchema.safeParse(json);
      // A newer library may tell more than this version knows.
      if (handle === this.#handle && event.success) listener(event.data);
    });
  }
}

async function ask<T extends z.ZodType>(
  channel: ProcessChannel,
  schema: T,
  call: LibraryCall,
  timeoutMs: number,
): Promise<z.infer<T>> {
  const parsed = schema.safeParse(await channel.call(call, timeoutMs));
  if (parsed.success) return parsed.data;
  throw new CodedError('internal', `The recorder's answer to "${call.name}" was not understood.`, {
    cause: parsed.error,
  });
}

/**
 * A call that changes whether something is recorded. When its answer is late nobody knows whether it will still be
 * carried out, and a recorder that records during a pause would be worse than none: it is ended, and its files are kept.
 */
async function change<T extends z.ZodType>(
  channel: ProcessChannel,
  schema: T,
  call: LibraryCall,
  timeoutMs: number,
): Promise<z.infer<T>> {
  try {
    return await ask(channel, schema, call, timeoutMs);
  } catch (error) {
    if (error instanceof CodedError && error.code === 'timeout') {
      channel.kill(`The recorder did not answer "${call.name}" and was ended.`);
    }
    throw error;
  }
}
