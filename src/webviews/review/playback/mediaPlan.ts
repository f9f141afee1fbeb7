/** Which piece of media belongs to a moment: media time to takes and gaps, purely. */

/** Something with a place in media time. */
export interface Placed {
  readonly offsetMs: number;
  readonly durationMs: number;
}

export type Place =
  /** Inside take `index`, `atMs` after its start; it covers media time until `untilMs`. */
  | { readonly kind: 'take'; readonly index: number; readonly atMs: number; readonly untilMs: number }
  /** No take covers it; take `next`, or the session's end, comes at `untilMs`. */
  | { readonly kind: 'gap'; readonly fromMs: number; readonly untilMs: number; readonly next: number | undefined };

/** Takes are in time order. A take owns its start and not its end; where takes overlap, the later one is shown. */
export function placeAt(takes: readonly Placed[], mediaMs: number, durationMs: number): Place {
  let untilMs = Math.max(durationMs, mediaMs);
  let next: number | undefined;
  let fromMs = 0;
  for (let index = takes.length - 1; index >= 0; index--) {
    const take = takes[index];
    if (!take) continue;
    if (take.offsetMs > mediaMs) {
      untilMs = take.offsetMs;
      next = index;
    } else {
      const end = take.offsetMs + take.durationMs;
      if (mediaMs < end) return { kind: 'take', index, atMs: mediaMs - take.offsetMs, untilMs: Math.min(end, untilMs) };
      fromMs = Math.max(fromMs, end);
    }
  }
  return { kind: 'gap', fromMs, untilMs, next };
}

export function clamp(value: number, min: number, max: number): number {
  return Math.min(Math.max(value, min), max);
}

/** Index of the last item that has begun at `offsetMs`, or -1; items are in time order. */
export function lastBegunAt(items: readonly { readonly offsetMs: number }[], offsetMs: number): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((items[middle]?.offsetMs ?? Infinity) <= offsetMs) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
