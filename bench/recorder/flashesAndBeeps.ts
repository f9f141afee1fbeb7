/** Finds flashes in a recorded picture and beeps in recorded sound, and how far they lie apart. */
import { capture } from '../../scripts/process.ts';

const rate = 48_000;
/** A flash and its beep never lie this far apart; the next ones are a second away. */
const sameMs = 400;

/** Where the picture's upper left part turns from dark to bright: milliseconds of the file. */
export async function flashTimes(path: string): Promise<number[]> {
  const said = await capture('ffprobe', [
    ...['-v', 'error', '-f', 'lavfi', '-i', `movie=${path},crop=480:240:80:60,signalstats`, '-of', 'csv=p=0'],
    ...['-show_entries', 'frame=pts_time:frame_tags=lavfi.signalstats.YAVG'],
  ]);
  const frames = said
    .toString('utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(',').map(Number));
  return rises(frames.map(([seconds = NaN, brightness = NaN]) => ({ atMs: seconds * 1000, isOn: brightness > 128 })));
}

/** Where sound begins after at least 200 ms of quiet: milliseconds of the file. */
export async function beepTimes(path: string): Promise<number[]> {
  const raw = await capture('ffmpeg', [
    // A track that begins later than its file is filled up at the front.
    ...['-v', 'error', '-i', path, '-vn', '-af', 'aresample=async=1:first_pts=0'],
    ...['-f', 's16le', '-ac', '1', '-ar', String(rate), 'pipe:1'],
  ]);
  const samples = new Int16Array(raw.buffer, raw.byteOffset, Math.floor(raw.length / 2));
  return onsets(samples);
}

export function onsets(samples: Int16Array): number[] {
  const found: number[] = [];
  let lastLoud = -Infinity;
  samples.forEach((sample, at) => {
    if (Math.abs(sample) < 1600) return;
    if (at - lastLoud > rate / 5) found.push((at / rate) * 1000);
    lastLoud = at;
  });
  return found;
}

/** Where something begins that was seen to be off before. */
export function rises(states: readonly { readonly atMs: number; readonly isOn: boolean }[]): number[] {
  return states.filter(({ isOn }, at) => isOn && states[at - 1]?.isOn === false).map(({ atMs }) => atMs);
}

/** The moment next to another, if it can be the same event. */
export function nearest(times: readonly number[], toMs: number): number | undefined {
  const found = times.reduce<number | undefined>(
    (best, time) => (best === undefined || Math.abs(time - toMs) < Math.abs(best - toMs) ? time : best),
    undefined,
  );
  return found !== undefined && Math.abs(found - toMs) < sameMs ? found : undefined;
}
