/** A clock that a test moves. */
import type { Clock } from '../../src/extension/platform/clock.ts';

export class ManualClock implements Clock {
  #monotonicMs = 1000;
  readonly #startMs = Date.parse('2026-11-22T09:00:00.000Z');

  monotonicMs(): number {
    return this.#monotonicMs;
  }
  now(): Date {
    return new Date(this.#startMs + this.#monotonicMs);
  }
  advance(ms: number): void {
    this.#monotonicMs += ms;
  }
}
