/** Decodes a recorded video to small grey pictures with their times, to find out when something became visible. */
import * as z from 'zod';
import { capture } from '../../scripts/process.ts';

export interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Frame {
  /** From the start of the file. */
  readonly timeMs: number;
  readonly pixels: Buffer;
}

const columns = 96;
const rows = 54;

const framesSchema = z.object({ frames: z.array(z.object({ best_effort_timestamp_time: z.coerce.number() })) });

/** Every frame of the file in order, an area of it scaled down. */
export async function framesOf(path: string, { x, y, width, height }: Area): Promise<Frame[]> {
  const times = await capture('ffprobe', [
    ...[
      '-v',
      'error',
      '-select_streams',
      'v:0',
      '-of',
      'json',
      '-show_entries',
      'frame=best_effort_timestamp_time',
      path,
    ],
  ]);
  const { frames } = framesSchema.parse(JSON.parse(times.toString('utf8')));
  const filter = `crop=${width}:${height}:${x}:${y},scale=${columns}:${rows}:flags=area,format=gray`;
  const raw = await capture('ffmpeg', [
    ...['-v', 'error', '-i', path, '-fps_mode', 'passthrough', '-vf', filter, '-f', 'rawvideo', 'pipe:1'],
  ]);
  const size = columns * rows;
  if (raw.length !== frames.length * size) {
    throw new Error(`${path}: ${frames.length} frames have a time, ${raw.length / size} were decoded.`);
  }
  return frames.map((frame, index) => ({
    timeMs: frame.best_effort_timestamp_time * 1000,
    pixels: raw.subarray(index * size, (index + 1) * size),
  }));
}

/** Mean difference of two pictures' brightness, 0 to 255. */
export function differenceOf(a: Frame, b: Frame): number {
  let sum = 0;
  for (let at = 0; at < a.pixels.length; at++) sum += Math.abs((a.pixels[at] ?? 0) - (b.pixels[at] ?? 0));
  return sum / a.pixels.length;
}

/**
 * The first frame after which the area looks as it does at `settledMs` rather than as it did at `beforeMs`: more than
 * half of the whole change is there.
 */
export function firstChanged(frames: readonly Frame[], beforeMs: number, settledMs: number): Frame {
  const before = frames.filter(({ timeMs }) => timeMs <= beforeMs).at(-1);
  const settled = frames.filter(({ timeMs }) => timeMs <= settledMs).at(-1);
  if (!before || !settled) throw new Error(`No frames around ${beforeMs} to ${settledMs} ms.`);
  const change = differenceOf(before, settled);
  if (change < 3) throw new Error(`The area does not change between ${beforeMs} and ${settledMs} ms (by ${change}).`);
  const found = frames.find((frame) => frame.timeMs > before.timeMs && differenceOf(before, frame) > change / 2);
  return found ?? settled;
}
