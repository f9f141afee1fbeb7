/** The two clocks: monotonic milliseconds for media time, and the wall clock for time stamps. Given as a parameter, so tests own time. */

export interface Clock {
  /** Milliseconds of CLOCK_MONOTONIC (or the system's equal), with fractions; the zero is the system's own. */
  monotonicMs(): number;
  now(): Date;
}

export const systemClock: Clock = {
  monotonicMs: () => Number(process.hrtime.bigint()) / 1e6,
  now: () => new Date(),
};
