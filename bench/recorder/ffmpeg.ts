/** Drives the peer: ffmpeg's x11grab, encoding with libx264 as its users do. */
import { once } from 'node:events';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { OwnedProcess } from '../../scripts/editor/resources.ts';
import { workScreenSize } from '../workload/workScreen.ts';
import { type FinishedRecording, framesPerSecond, type RecordingRequest, type RunningRecording } from './recording.ts';

/** The options of libx264 that are compared with. */
export const ultrafast = ['-preset', 'ultrafast', '-pix_fmt', 'yuv420p'] as const;
export const veryfast = ['-preset', 'veryfast', '-crf', '23', '-pix_fmt', 'yuv420p'] as const;

const firstFrameTimeoutMs = 15_000;

export async function beginFfmpeg(encoding: readonly string[], request: RecordingRequest): Promise<RunningRecording> {
  const { display, folder, sound } = request;
  const spawnedAtMs = performance.now();
  const ffmpeg = new OwnedProcess(
    'ffmpeg',
    [
      ...['-hide_banner', '-loglevel', 'error', '-nostats', '-progress', 'pipe:1', '-stats_period', '0.2', '-y'],
      ...grab(display),
      ...(sound ? soundInputs : []),
      ...['-c:v', 'libx264', ...encoding],
      ...(sound ? soundOutput : []),
      // QuickTime's file takes plain samples, as our WAV does.
      join(folder, sound ? 'peer.mov' : 'peer.mp4'),
    ],
    { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...sound, DISPLAY: display } },
  );
  try {
    await ffmpeg.line(/^frame=\s*[1-9]/, firstFrameTimeoutMs);
    return new FfmpegRecording(ffmpeg, folder, performance.now() - spawnedAtMs);
  } catch (error) {
    await ffmpeg.dispose();
    throw error;
  }
}

/** The arguments of a capture that keeps every pixel, with the wall clock as its time. Ended with an interrupt. */
export function losslessCapture(display: string, path: string): string[] {
  return [
    ...['-hide_banner', '-loglevel', 'error', '-nostats', '-progress', 'pipe:1', '-stats_period', '0.2', '-y'],
    ...grab(display),
    ...['-copyts', '-fps_mode', 'passthrough', '-c:v', 'libx264rgb', '-qp', '0', '-preset', 'ultrafast', path],
  ];
}

/** How long it takes from starting ffmpeg until it hands out its first encoded frame. */
export async function ffmpegFirstFrameMs(display: string): Promise<number> {
  const spawnedAtMs = performance.now();
  const ffmpeg = new OwnedProcess(
    'ffmpeg',
    [
      ...['-hide_banner', '-loglevel', 'error', ...grab(display)],
      ...['-c:v', 'libx264', ...ultrafast, '-f', 'h264', '-flush_packets', '1', 'pipe:1'],
    ],
    { env: { ...process.env, DISPLAY: display } },
  );
  try {
    const { stdout } = ffmpeg.child;
    if (!stdout) throw new Error('ffmpeg could not be started. Run scripts/setup.');
    await Promise.race([once(stdout, 'data'), failWhenItEnds(ffmpeg)]);
    return performance.now() - spawnedAtMs;
  } finally {
    await ffmpeg.dispose();
  }
}

class FfmpegRecording implements RunningRecording {
  readonly pid: number;

  constructor(
    private readonly ffmpeg: OwnedProcess,
    private readonly folder: string,
    readonly firstFrameMs: number,
  ) {
    if (ffmpeg.child.pid === undefined) throw new Error('ffmpeg could not be started. Run scripts/setup.');
    this.pid = ffmpeg.child.pid;
  }

  async end(): Promise<FinishedRecording> {
    const toldAtMs = performance.now();
    const { child } = this.ffmpeg;
    const gone = once(child, 'close');
    child.stdin?.write('q');
    await gone;
    const endMs = performance.now() - toldAtMs;
    if (child.exitCode !== 0) throw new Error(`ffmpeg ended with ${child.exitCode}:\n${this.ffmpeg.output}`);
    const { frames, dropped } = parseProgress(this.ffmpeg.output);
    const sizes = readdirSync(this.folder).map((name) => statSync(join(this.folder, name)).size);
    return {
      bytes: sizes.reduce((sum, size) => sum + size, 0),
      endMs,
      droppedPercent: (100 * dropped) / Math.max(1, frames + dropped),
    };
  }

  async dispose(): Promise<void> {
    await this.ffmpeg.dispose();
  }
}

/** The last report of `-progress`: each is a list of `key=value` lines. */
export function parseProgress(output: string): { readonly frames: number; readonly dropped: number } {
  const last = (key: string): number =>
    Number([...output.matchAll(new RegExp(`^${key}=\\s*(\\d+)`, 'gm'))].at(-1)?.[1]);
  const [frames, dropped] = [last('frame'), last('drop_frames')];
  if (Number.isNaN(frames) || Number.isNaN(dropped)) throw new Error(`ffmpeg did not report its progress:\n${output}`);
  return { frames, dropped };
}

function grab(display: string): string[] {
  const size = `${workScreenSize.width}x${workScreenSize.height}`;
  return ['-f', 'x11grab', '-framerate', String(framesPerSecond), '-video_size', size, '-i', display];
}

/** The speakers and the microphone, mixed into one track of plain samples: what ours records. */
const soundInputs = ['-f', 'pulse', '-i', 'speakers.monitor', '-f', 'pulse', '-i', 'microphone'];
const soundOutput = [
  ...['-filter_complex', '[1:a][2:a]amix=inputs=2[sound]', '-map', '0:v', '-map', '[sound]'],
  ...['-c:a', 'pcm_s16le', '-ar', '48000'],
];

async function failWhenItEnds(program: OwnedProcess): Promise<never> {
  await once(program.child, 'close');
  throw new Error(`ffmpeg ended before its first frame:\n${program.output}`);
}
