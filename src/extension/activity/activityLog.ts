/**
 * The activity of one session: numbers events, puts them on the session's clock and writes them in batches.
 * Invariant: an event is in memory for at most a second before its write begins, and memory is bounded when the disk refuses.
 */
import { randomUUID } from 'node:crypto';
import type { ActivityEvent, ActivityEventBody } from '../../shared/model/activity.ts';
import type { SessionClock } from '../../shared/sessionClock.ts';
import type { Clock } from '../platform/clock.ts';
import { type Disposable, DisposableStore } from '../platform/disposable.ts';
import type { StartObserver } from './activityObserver.ts';

const batchMs = 1000;
/** About half an hour of typing without a single write that succeeds; the oldest go first. */
const maxPending = 20_000;

export interface ActivityLogOptions {
  readonly clock: Clock;
  readonly sessionClock: SessionClock;
  readonly observers: readonly StartObserver[];
  /** Tells `onWritten` of every part that reached the disk, also when it fails after it. */
  readonly append: (events: readonly ActivityEvent[], onWritten: (count: number) => void) => Promise<void>;
  /** Told once for each row of failing writes; the events are kept and tried again. */
  readonly onWriteFailed: (error: unknown) => void;
  /** Told of each event as it comes in. */
  readonly onRecorded?: (event: ActivityEvent) => void;
}

export class ActivityLog extends DisposableStore {
  readonly #options: ActivityLogOptions;
  #pending: ActivityEvent[] = [];
  #writing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isFailing = false;
  #recorded = 0;
  #dropped = 0;

  constructor(options: ActivityLogOptions) {
    super();
    this.#options = options;
    for (const start of options.observers) this.own(this.#observe(start));
    this.own({ dispose: () => clearTimeout(this.#timer) });
  }

  get recorded(): number {
    return this.#recorded;
  }
  get dropped(): number {
    return this.#dropped;
  }

  /** Records an event of the session itself, also during a pause. */
  record(body: ActivityEventBody, monotonicMs = this.#options.clock.monotonicMs()): void {
    const { clock, sessionClock } = this.#options;
    const agoMs = clock.monotonicMs() - monotonicMs;
    const event: ActivityEvent = {
      ...body,
      id: randomUUID(),
      sequenceNumber: this.#recorded++,
      timestamp: new Date(clock.now().getTime() - agoMs).toISOString(),
      offsetMs: sessionClock.offsetAt(monotonicMs),
    };
    this.#pending.push(event);
    this.#options.onRecorded?.(event);
    if (this.#pending.length > maxPending) {
      this.#pending.shift();
      this.#dropped++;
    }
    this.#timer ??= setTimeout(() => void this.flush(), batchMs);
  }

  /** Resolves when everything recorded so far was written, or the write failed (and was told of). */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#writing;
    this.#writing = this.#write().finally(() => (this.#writing = undefined));
    await this.#writing;
  }

  #observe(start: StartObserver): Disposable {
    return start((body, monotonicMs) => {
      // Paused is not recording, whatever the editor does.
      if (!this.#options.sessionClock.isPaused) this.record(body, monotonicMs);
    });
  }

  async #write(): Promise<void> {
    if (this.#pending.length === 0) return;
    const batch = this.#pending;
    this.#pending = [];
    let written = 0;
    try {
      await this.#options.append(batch, (count) => (written += count));
      this.#isFailing = false;
    } catch (error) {
      this.#pending = [...batch.slice(written), ...this.#pending];
      // The next event, or the session's end, tries again.
      if (!this.#isFailing) this.#options.onWriteFailed(error);
      this.#isFailing = true;
    }
  }
}
