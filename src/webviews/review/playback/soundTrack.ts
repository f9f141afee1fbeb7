/** Plays the sound segments in step with a media clock that is not its own: sample-exact among themselves, corrected when they drift. */
import { firstEndingAfter, soundWindowAt } from './soundWindow.ts';

/** Above this distance between sound and picture one hears it (the contract's figure). */
export const maxDriftMs = 40;

/** Segments whose recorded places are this close are joined without a seam: their places are rounded to milliseconds. */
const seamMs = 10;

/** How far ahead segments are handed to the output. */
const scheduleAheadMs = 20_000;

export interface SoundSegment {
  readonly url: string;
  readonly offsetMs: number;
  readonly durationMs: number;
  readonly isEmpty: boolean;
}

export interface DecodedSound {
  /** Seconds. */
  readonly duration: number;
}

export interface StartedSound {
  stop(): void;
}

/** What plays sound; `webAudioOutput.ts` is the real one. Times are seconds on the output's own clock. */
export interface SoundOutput<Sound extends DecodedSound = DecodedSound> {
  readonly currentTime: number;
  /** Seconds between handing a sample over and hearing it. */
  readonly latency: number;
  /** False while the browser does not let it run. */
  readonly running: boolean;
  resume(): Promise<void>;
  load(url: string, signal: AbortSignal): Promise<Sound>;
  start(sound: Sound, when: number, offset: number): StartedSound;
  /** 0 to 1. */
  setVolume(volume: number): void;
  /** Loudest sample of the last moments, 0 to 1, as it leaves the output. */
  peak(): number;
  close(): void;
}

interface Scheduled {
  readonly started: StartedSound;
  readonly endsAt: number;
}

interface Anchor {
  readonly mediaMs: number;
  readonly time: number;
}

export class SoundTrack<Sound extends DecodedSound = DecodedSound> {
  readonly #output: SoundOutput<Sound>;
  readonly #onProblem: (message: string) => void;
  #segments: readonly SoundSegment[] = [];
  readonly #held = new Map<number, Sound>();
  readonly #loading = new Map<number, AbortController>();
  /** What cannot be decoded is not asked for again. */
  readonly #skipped = new Set<number>();
  readonly #scheduled = new Map<number, Scheduled>();
  #anchor: Anchor | undefined;
  /** One late reading of a clock is no drift; two in a row are. */
  #driftedBefore = false;
  #lastHeardAt = -Infinity;
  #disposed = false;

  constructor(output: SoundOutput<Sound>, onProblem: (message: string) => void) {
    this.#output = output;
    this.#onProblem = onProblem;
  }

  get hasSound(): boolean {
    return this.#segments.length > 0;
  }

  get isBlocked(): boolean {
    return !this.#output.running;
  }

  /** Whether sound other than silence left the output within the last second. */
  get isHeard(): boolean {
    const now = this.#output.currentTime;
    if (this.#output.peak() > 0.0005) this.#lastHeardAt = now;
    return this.#anchor !== undefined && now - this.#lastHeardAt < 1;
  }

  get heldSegments(): number {
    return this.#held.size;
  }

  setSegments(segments: readonly SoundSegment[]): void {
    const same =
      segments.length === this.#segments.length &&
      segments.every((segment, index) => segment.url === this.#segments[index]?.url);
    if (same) return;
    this.stop();
    this.#forgetAll();
    this.#skipped.clear();
    this.#segments = segments;
    segments.forEach((segment, index) => segment.isEmpty && this.#skipped.add(index));
  }

  /** Fetches what will be heard from here on; called while paused, too, so that play is immediate. */
  prepare(mediaMs: number): void {
    if (this.#disposed) return;
    const window = soundWindowAt(
      this.#segments,
      mediaMs,
      new Set(this.#held.keys()),
      new Set(this.#loading.keys()),
      this.#skipped,
    );
    for (const index of window.drop) this.#forget(index);
    for (const index of window.load) void this.#load(index, mediaMs);
  }

  resume(): Promise<void> {
    return this.hasSound ? this.#output.resume() : Promise.resolve();
  }

  /** Call often while the media clock runs: starts, keeps and corrects the sound for `mediaMs`. */
  follow(mediaMs: number): void {
    if (!this.hasSound || !this.#output.running) return;
    this.prepare(mediaMs);
    const drifted = Math.abs(this.driftMs(mediaMs)) > maxDriftMs;
    if (this.#anchor && drifted && this.#driftedBefore) this.stop();
    this.#driftedBefore = drifted;
    this.#anchor ??= { mediaMs: mediaMs + this.#output.latency * 1000, time: this.#output.currentTime };
    this.#schedule(mediaMs, this.#anchor);
  }

  /** How far what is heard is ahead of the media clock; 0 while nothing plays. */
  driftMs(mediaMs: number): number {
    if (!this.#anchor) return 0;
    const { currentTime, latency } = this.#output;
    return this.#anchor.mediaMs + (currentTime - this.#anchor.time - latency) * 1000 - mediaMs;
  }

  /** On pause, on a seek, and while the picture waits for data. */
  stop(): void {
    for (const { started } of this.#scheduled.values()) started.stop();
    this.#scheduled.clear();
    this.#anchor = undefined;
    this.#driftedBefore = false;
  }

  setVolume(volume: number): void {
    this.#output.setVolume(volume);
  }

  dispose(): void {
    this.#disposed = true;
    this.stop();
    this.#forgetAll();
    this.#output.close();
  }

  #schedule(mediaMs: number, anchor: Anchor): void {
    const now = this.#output.currentTime;
    for (let index = firstEndingAfter(this.#segments, mediaMs); index < this.#segments.length; index++) {
      const segment = this.#segments[index];
      if (!segment || segment.offsetMs > mediaMs + scheduleAheadMs) return;
      const sound = this.#held.get(index);
      if (!sound || this.#scheduled.has(index)) continue;
      const nominal = anchor.time + (segment.offsetMs - anchor.mediaMs) / 1000;
      const before = this.#scheduled.get(index - 1)?.endsAt;
      const begin = before !== undefined && Math.abs(before - nominal) * 1000 < seamMs ? before : nominal;
      const skipped = Math.max(0, now - begin);
      const endsAt = begin + sound.duration;
      if (endsAt <= now) continue;
      this.#scheduled.set(index, { started: this.#output.start(sound, begin + skipped, skipped), endsAt });
    }
  }

  async #load(index: number, mediaMs: number): Promise<void> {
    const segment = this.#segments[index];
    if (!segment) return;
    const abort = new AbortController();
    this.#loading.set(index, abort);
    try {
      const sound = await this.#output.load(segment.url, abort.signal);
      if (!abort.signal.aborted) this.#held.set(index, sound);
    } catch (error) {
      if (abort.signal.aborted) return;
      this.#skipped.add(index);
      this.#onProblem(`Sound segment ${index + 1} cannot be played: ${String(error)}`);
    } finally {
      if (this.#loading.get(index) === abort) this.#loading.delete(index);
    }
    // The next ones of the window; a clock that runs has moved on and asks by itself.
    if (!this.#anchor) this.prepare(mediaMs);
  }

  #forget(index: number): void {
    this.#held.delete(index);
    this.#loading.get(index)?.abort();
    this.#loading.delete(index);
  }

  #forgetAll(): void {
    for (const index of [...this.#held.keys(), ...this.#loading.keys()]) this.#forget(index);
  }
}
