/**
 * Decides when a screenshot is taken and keeps what was taken: at an interval and when asked, never twice within two
 * seconds, and nothing of a screen that did not change.
 */
import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import type { SessionScreenshot } from '../../shared/model/screenshots.ts';
import type { CapturedScreenshot } from '../../shared/recorder/library.ts';
import type { Clock } from '../platform/clock.ts';
import type { Disposable } from '../platform/disposable.ts';
import type { AttachmentStorage } from '../storage/attachmentStorage.ts';
import type { SessionStorage } from '../storage/sessionStorage.ts';

const leastGapMs = 2000;
/** What has just happened in the editor needs a moment to be drawn. */
const drawingMs = 700;

export interface ScreenshotTimerOptions {
  readonly sessionId: string;
  readonly intervalMs: number;
  readonly clock: Clock;
  readonly take: () => Promise<CapturedScreenshot>;
  readonly storage: SessionStorage;
  readonly attachments: AttachmentStorage;
  readonly onFailed: (error: unknown) => void;
}

export class ScreenshotTimer implements Disposable {
  readonly #options: ScreenshotTimerOptions;
  #timer: NodeJS.Timeout | undefined;
  #soon: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #lastTakenAtMs = -Infinity;
  #recorded = 0;
  /** Files whose pictures are stored: of a screen that did not change, the one before counts only when it is among them. */
  readonly #stored = new Set<string>();

  constructor(options: ScreenshotTimerOptions) {
    this.#options = options;
    this.resume();
  }

  get recorded(): number {
    return this.#recorded;
  }

  /** Takes one when what has just happened is drawn. */
  requestSoon(): void {
    clearTimeout(this.#soon);
    this.#soon = setTimeout(() => this.#request(), drawingMs);
  }

  #request(): void {
    if (!this.#timer || this.#running) return;
    if (this.#options.clock.monotonicMs() - this.#lastTakenAtMs < leastGapMs) return;
    this.#running = this.#take()
      .catch(this.#options.onFailed)
      .finally(() => (this.#running = undefined));
  }

  async pause(): Promise<void> {
    this.dispose();
    await this.settled();
  }

  /** Resolves when nothing is being taken any more. */
  async settled(): Promise<void> {
    await this.#running;
  }

  /** The first picture shows the screen as it is when recording begins, or goes on. */
  resume(): void {
    this.requestSoon();
    this.#timer ??= setInterval(() => this.#request(), this.#options.intervalMs);
  }

  dispose(): void {
    clearTimeout(this.#soon);
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #take(): Promise<void> {
    const { take, clock, storage } = this.#options;
    this.#lastTakenAtMs = clock.monotonicMs();
    const captured = await take();
    // The recorder compares: it has the pixels, and knows a caret that blinks from a word that was typed.
    if (captured.duplicateOf && this.#stored.has(captured.path)) return;
    await storage.appendScreenshot(this.#options.sessionId, await this.#adopt(captured));
    this.#recorded++;
    this.#stored.add(captured.path);
    await rm(captured.path, { force: true });
  }

  async #adopt(captured: CapturedScreenshot): Promise<SessionScreenshot> {
    const { attachments, sessionId, clock } = this.#options;
    const { width, height } = captured;
    const name = `screenshot-${this.#recorded + 1}.png`;
    const facts = { sessionId, type: 'image', name, mimeType: 'image/png', width, height } as const;
    const { id, size } = await attachments.adoptFile(captured.path, facts);
    return {
      id: randomUUID(),
      sessionId,
      timestamp: clock.now().toISOString(),
      offsetMs: captured.offsetMs,
      sequenceNumber: this.#recorded,
      attachmentId: id,
      width,
      height,
      size,
      perceptualHash: captured.perceptualHash,
    };
  }
}
