/** Media time: milliseconds since the session's start with pauses left out. Pure; every time it is given is monotonic. */

export class SessionClock {
  #pausedMs = 0;
  #pausedAtMs: number | undefined;

  constructor(readonly startedAtMs: number) {}

  get isPaused(): boolean {
    return this.#pausedAtMs !== undefined;
  }

  /** Media time at a monotonic moment; stands still during a pause and is never negative. */
  offsetAt(monotonicMs: number): number {
    const moment = this.#pausedAtMs === undefined ? monotonicMs : Math.min(monotonicMs, this.#pausedAtMs);
    return Math.max(0, moment - this.startedAtMs - this.#pausedMs);
  }

  pause(atMonotonicMs: number): void {
    this.#pausedAtMs ??= atMonotonicMs;
  }

  /** Ends the pause and answers its length in milliseconds; 0 when there was none. */
  resume(atMonotonicMs: number): number {
    if (this.#pausedAtMs === undefined) return 0;
    const durationMs = Math.max(0, atMonotonicMs - this.#pausedAtMs);
    this.#pausedMs += durationMs;
    this.#pausedAtMs = undefined;
    return durationMs;
  }
}
