/** The rows that a bench gives: one figure of ours, the peer's beside it where there is one, and whether a goal holds. Pure. */
import { summarize, type Summary } from './statistics.ts';

/** A row as it is written to the JSON file. */
export interface BenchRow {
  readonly what: string;
  readonly ours: number;
  readonly peer: number | null;
  readonly unit: string;
  /** ours / peer; null where there is no peer, or the peer's figure is 0. */
  readonly ratio: number | null;
  readonly goal: string | null;
  readonly holds: boolean | null;
}

export interface MeasuredRow {
  readonly row: BenchRow;
  /** How far the single measurements lay apart; for the table. */
  readonly note: string;
}

/** A goal holds for what was measured, before any rounding. */
export interface Goal {
  readonly words: string;
  readonly holds: (ours: number, ratio: number | null) => boolean;
}

export interface Measurements {
  readonly what: string;
  readonly unit: string;
  readonly ours: readonly number[];
  readonly peer?: readonly number[];
  readonly goal?: Goal;
}

export function atMost(limit: number, unit: string): Goal {
  return { words: `at most ${limit} ${unit}`, holds: (ours) => ours <= limit };
}

export function under(limit: number, unit: string): Goal {
  return { words: `under ${limit} ${unit}`, holds: (ours) => ours < limit };
}

export function atLeast(limit: number): Goal {
  return { words: `at least ${limit}`, holds: (ours) => ours >= limit };
}

/** A share of the peer's figure. Without a ratio it does not hold: nothing was shown. */
export function atMostOfPeer(share: number, peer: string): Goal {
  const words = share === 1 ? `no more than ${peer}` : `at most ${percent(share)} of ${peer}`;
  return { words, holds: (_, ratio) => ratio !== null && ratio <= share };
}

export function atMostTimesPeer(times: number, peer: string): Goal {
  return { words: `at most ${times} times ${peer}`, holds: (_, ratio) => ratio !== null && ratio <= times };
}

export function measuredRow({ what, unit, ours, peer, goal }: Measurements): MeasuredRow {
  const own = summarize(ours);
  const other = peer ? summarize(peer) : undefined;
  const ratio = other === undefined || other.median === 0 ? null : own.median / other.median;
  return {
    row: {
      what,
      ours: rounded(own.median),
      peer: other ? rounded(other.median) : null,
      unit,
      ratio: ratio === null ? null : rounded(ratio),
      goal: goal?.words ?? null,
      holds: goal ? goal.holds(own.median, ratio) : null,
    },
    note: [rangeOf('ours', own), other && rangeOf('peer', other)].filter(Boolean).join(', '),
  };
}

/** Four significant digits: more would pretend to be exact, and whole numbers stay whole. */
export function rounded(value: number): number {
  return Math.abs(value) >= 1000 ? Math.round(value) : Number(value.toPrecision(4));
}

/** For reading: three significant digits. */
export function brief(value: number): string {
  return String(Math.abs(value) >= 1000 ? Math.round(value) : Number(value.toPrecision(3)));
}

function rangeOf(name: string, { min, max, count }: Summary): string {
  return `${name} ${brief(min)}–${brief(max)} (${count})`;
}

function percent(share: number): string {
  return share === 0.5 ? 'half' : `${rounded(share * 100)} %`;
}
