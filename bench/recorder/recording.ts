/** What every recorder that is measured has in common: it begins on a display, and tells what it made when it is ended. */
import type { Resource } from '../../scripts/editor/resources.ts';

export interface RecordingRequest {
  readonly display: string;
  /** Where files go; empty before. */
  readonly folder: string;
  /** The environment that reaches a sound server; undefined records no sound. */
  readonly sound?: { readonly PULSE_SERVER: string } | undefined;
}

/** A recording whose first frame is there. */
export interface RunningRecording extends Resource {
  readonly pid: number;
  /** From starting the process to its first frame. */
  readonly firstFrameMs: number;
  /** Ends it in order; resolves when its files are finished. */
  end(): Promise<FinishedRecording>;
}

export interface FinishedRecording {
  /** Of all files that were made. */
  readonly bytes: number;
  /** From being told to end to having ended. */
  readonly endMs: number;
  /** Percent of the frames that should have been there. */
  readonly droppedPercent: number;
}

export type BeginRecording = (request: RecordingRequest) => Promise<RunningRecording>;

/** The same to both: pictures a second. */
export const framesPerSecond = 15;
