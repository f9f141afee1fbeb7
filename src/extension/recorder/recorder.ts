/** The recorder's port: all that the rest of the extension knows of the native library. The process behind it, or a fake, implements it. */
import type { CodedError } from '../../shared/errors.ts';
import type {
  CapturedScreenshot,
  ConcatenateAudioRequest,
  LibraryEvent,
  MediaResult,
  MediaService,
  MergeMediaRequest,
  PermissionName,
  RecorderConfig,
  RecorderLayout,
  RecorderPermissions,
  RecorderSource,
  RecorderSources,
  RecorderStatus,
  RecordingManifest,
  ServiceStatus,
} from '../../shared/recorder/library.ts';
import type { Disposable } from '../platform/disposable.ts';

export interface Recorder {
  /** Starts the recorder process; throws `libraryMissing`, `libraryVersion`, `recorderDied` or `timeout`. */
  connect(): Promise<RecorderConnection>;
}

/** A living recorder process. Every call may throw a library code, `timeout`, or `recorderDied`. */
export interface RecorderConnection extends Disposable {
  sources(): Promise<RecorderSources>;
  permissions(names: readonly PermissionName[]): Promise<RecorderPermissions>;
  /** Creates and starts a recording; within 5 seconds. */
  record(config: RecorderConfig): Promise<Recording>;
  /** Makes a crashed recording's folder valid again and answers what is in it. */
  recover(directory: string): Promise<RecordingManifest>;
  /** Segments to one MP3 file. An aborted job rejects with the signal's reason and leaves nothing behind. */
  concatenateAudio(request: ConcatenateAudioRequest, options?: MediaJobOptions): Promise<MediaResult>;
  /** Takes and sound to one MP4 file; otherwise as `concatenateAudio`. */
  mergeMedia(request: MergeMediaRequest, options?: MediaJobOptions): Promise<MediaResult>;
  /** Called once when the process ends without having been disposed. */
  onDied(listener: (error: CodedError) => void): Disposable;
}

export interface MediaJobOptions {
  readonly signal?: AbortSignal;
  /** 0 to 1, at most ten times a second. */
  readonly onProgress?: (fraction: number) => void;
}

export interface Recording {
  /** In the extension's own monotonic clock. */
  readonly startedAtMonotonicMs: number;
  /** How each service came up. */
  readonly services: Partial<Record<MediaService, ServiceStatus>>;
  /** Answers the moment of the pause in the extension's monotonic clock. */
  pause(): Promise<number>;
  resume(): Promise<number>;
  /** While recording or paused. A source that cannot be opened throws its own code, and nothing has changed. */
  addSource(source: RecorderSource): Promise<void>;
  /** Throws `sourceNotFound`, or `invalidState` for the only one. */
  removeSource(id: string): Promise<void>;
  setLayout(layout: RecorderLayout): Promise<void>;
  /** 0 is the microphone alone, 1 system sound alone. */
  updateAudioMix(balance: number): Promise<void>;
  takeScreenshot(): Promise<CapturedScreenshot>;
  status(): Promise<RecorderStatus>;
  /** Finishes and syncs every file; within 10 seconds. */
  stop(): Promise<RecordingManifest>;
  onEvent(listener: (event: LibraryEvent) => void): Disposable;
}
