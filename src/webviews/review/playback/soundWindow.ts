/** Which sound segments are held in memory around the playhead, and which are fetched next, purely. */
import type { Placed } from './mediaPlan.ts';

/** A 30 s segment is about 12 MB once decoded: one behind the playhead and these many from it on bound the memory. */
const segmentsBehind = 1;
const segmentsAhead = 5;

/** At first as many as playback needs to run on, later fewer, so that the picture gets its share of the connection. */
const firstLoads = 3;
const laterLoads = 2;

export interface SoundWindow {
  /** Segments to fetch now, nearest first. */
  readonly load: readonly number[];
  /** Segments to forget, and loads to give up. */
  readonly drop: readonly number[];
}

/** `held` are decoded, `loading` are on their way; both count against the window, silent and failed ones are `skipped`. */
export function soundWindowAt(
  segments: readonly Placed[],
  mediaMs: number,
  held: ReadonlySet<number>,
  loading: ReadonlySet<number>,
  skipped: ReadonlySet<number>,
): SoundWindow {
  const current = firstEndingAfter(segments, mediaMs);
  const from = Math.max(0, current - segmentsBehind);
  const to = Math.min(segments.length, current + segmentsAhead);
  const wanted: number[] = [];
  for (let index = current; index < to; index++) {
    if (!held.has(index) && !loading.has(index) && !skipped.has(index)) wanted.push(index);
  }
  const outside = (index: number): boolean => index < from || index >= to;
  const stillLoading = [...loading].filter((index) => !outside(index));
  const parallel = held.size === 0 ? firstLoads : laterLoads;
  return {
    load: wanted.slice(0, Math.max(0, parallel - stillLoading.length)),
    drop: [...held, ...loading].filter(outside),
  };
}

/** Index of the first segment that is not over at `mediaMs`; `segments.length` when all are. */
export function firstEndingAfter(segments: readonly Placed[], mediaMs: number): number {
  let low = 0;
  let high = segments.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const segment = segments[middle];
    if (segment && segment.offsetMs + segment.durationMs <= mediaMs) low = middle + 1;
    else high = middle;
  }
  return low;
}
