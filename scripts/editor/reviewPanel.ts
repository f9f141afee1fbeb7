/** Drives the review panel inside its webview, and reads from it what a person would see and hear. */
import type { Frame, Locator } from 'playwright-core';
import * as z from 'zod';
import { waitFor } from './waitFor.ts';
import type { Workbench } from './workbench.ts';

/** On the page, in pixels. */
export interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export type TimelineKind = 'screenshot' | 'edit' | 'save' | 'fileFocused' | 'paused' | 'problem';

export interface TimelineRow {
  readonly kind: string;
  readonly offsetMs: number;
  readonly current: boolean;
}

const playerSchema = z.object({
  /** Media time of the take that is shown. */
  currentMs: z.number(),
  /** Address of the take. */
  source: z.string(),
  /** Of the video itself, in its own pixels; 0 until that is known. */
  width: z.number(),
  height: z.number(),
  paused: z.boolean(),
  seeking: z.boolean(),
  error: z.string().nullable(),
  shownFrames: z.number(),
});
export type PlayerState = z.infer<typeof playerSchema>;

const item = '[data-testid="timeline-item"]';

export class ReviewPanel {
  private constructor(
    private readonly workbench: Workbench,
    private readonly frame: Frame,
  ) {}

  /** Opens the newest session's review, as the command without an argument does; it must be the expected session. */
  static async open(workbench: Workbench, sessionId: string): Promise<ReviewPanel> {
    await workbench.run('Work Sessions: Review Session');
    return new ReviewPanel(workbench, await workbench.webview(`[data-session-id="${sessionId}"][data-ready="true"]`));
  }

  get player(): Locator {
    return this.frame.locator('[data-testid="player"]');
  }

  async playerState(): Promise<PlayerState> {
    // A text, because the scripts are compiled without the browser's types.
    const state: unknown = await this.frame.evaluate(`(() => {
      const video = document.querySelector('[data-testid="player"]');
      return {
        currentMs: video.currentTime * 1000, source: video.currentSrc, width: video.videoWidth,
        height: video.videoHeight, paused: video.paused, seeking: video.seeking,
        error: video.error && video.error.message, shownFrames: video.getVideoPlaybackQuality().totalVideoFrames,
      };
    })()`);
    return playerSchema.parse(state);
  }

  /** What the panel says of itself while it plays. */
  async playbackMs(): Promise<number | undefined> {
    const text = await this.frame.locator('[data-session-id]').getAttribute('data-playback-ms');
    return text === null ? undefined : Number(text);
  }

  async togglePlay(): Promise<void> {
    await this.frame.locator('[data-testid="play"]').click();
  }

  /** The rows that are on the page now; a long timeline has more than that. */
  async rows(): Promise<TimelineRow[]> {
    const rows: unknown = await this.frame.evaluate(`[...document.querySelectorAll('${item}')].map(
      ({ dataset, ariaCurrent }) => ({ ...dataset, current: ariaCurrent === 'true' }))`);
    return z.array(z.object({ kind: z.string(), offsetMs: z.coerce.number(), current: z.boolean() })).parse(rows);
  }

  async clickRow(row: TimelineRow): Promise<void> {
    await this.rowElement(row).click();
  }

  /** Follows a row's link into the code; answers the line that the link names, counted from 1. */
  async openCodeOf(row: TimelineRow): Promise<number> {
    const link = this.rowElement(row).locator('[data-testid="open-file"]');
    const line = Number(await link.innerText());
    await link.click();
    return line;
  }

  /** Waits until the player stands still near a moment; answers where it stands, in the take's own time. */
  async waitForSeek(expectedMs: number, toleranceMs: number): Promise<number> {
    return await waitFor(`the player to stand at ${expectedMs} ms`, async () => {
      const { currentMs, seeking } = await this.playerState();
      return !seeking && Math.abs(currentMs - expectedMs) <= toleranceMs ? currentMs : undefined;
    });
  }

  /** Waits until the panel has taken on a theme of the editor. */
  async waitForTheme(theme: 'dark' | 'light'): Promise<void> {
    await this.frame.locator(`body.vscode-${theme}`).waitFor();
  }

  async playerArea(): Promise<Area> {
    const area = await this.player.boundingBox();
    if (!area) throw new Error('The player is not on the page.');
    return area;
  }

  /** Where the button over the picture is; undefined while there is none. */
  async playButtonArea(): Promise<Area | undefined> {
    const button = this.frame.locator('.stage-play');
    return (await button.count()) > 0 ? ((await button.boundingBox()) ?? undefined) : undefined;
  }

  async screenshot(path: string): Promise<void> {
    await this.workbench.screenshot(path);
  }

  private rowElement({ kind, offsetMs }: TimelineRow): Locator {
    return this.frame.locator(`${item}[data-kind="${kind}"][data-offset-ms="${offsetMs}"]`).first();
  }
}
