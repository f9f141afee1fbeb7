/** Whether the player shows what was recorded: the picture on the page against the video's own frame of that moment. */
import { basename, extname } from 'node:path';
import { capture } from '../process.ts';
import type { Area, ReviewPanel } from './reviewPanel.ts';
import type { StoredSession } from './storedSession.ts';
import { waitFor } from './waitFor.ts';

export interface Likeness {
  /** Of the brightness of both pictures, place by place: 1 where they are the same, about 0 where they have nothing in common. */
  readonly correlation: number;
  /** How much the shown picture's brightness varies against the recorded one's: 0 is blank, 1 is as recorded. */
  readonly spread: number;
}

/** Both pictures are compared at this size: the editor's lines of code are still there, the codec's blocks are not. */
const grid = { width: 64, height: 40 };
/** The same picture scaled by the browser and by ffmpeg has 0.99. */
const leastCorrelation = 0.95;
/** The ranges of video and page brightness differ by 219 to 255. */
const spreads = { least: 0.7, most: 1.4 };

export function looksRecorded({ correlation, spread }: Likeness): boolean {
  return correlation >= leastCorrelation && spread >= spreads.least && spread <= spreads.most;
}

/** Takes a picture of the page, which must stand still, and compares; waits a moment for the page to draw what it was told. */
export async function lookAtPicture(panel: ReviewPanel, session: StoredSession, screenshot: string): Promise<Likeness> {
  let seen: Likeness = { correlation: 0, spread: 0 };
  const { currentMs, source, width, height } = await panel.playerState();
  const hash = basename(source, extname(source));
  const take = session.takes.find(({ path }) => basename(path, extname(path)) === hash);
  if (!take) throw new Error(`The player shows ${source}, which is no take of the session.`);
  const recorded = await recordedPicture(take.path, currentMs);
  const area = pictureArea(await panel.playerArea(), { width, height });
  const button = await panel.playButtonArea();
  await waitFor(
    'the player to show the recorded picture',
    async () => {
      await panel.screenshot(screenshot);
      seen = compare(await shownPicture(screenshot, area), recorded, button && cellsOf(button, area));
      return looksRecorded(seen);
    },
    { timeoutMs: 3000 },
  ).catch(() => undefined);
  return seen;
}

/** Where `object-fit: contain` puts a picture within its element. */
export function pictureArea(element: Area, picture: Pick<Area, 'width' | 'height'>): Area {
  const scale = Math.min(element.width / picture.width, element.height / picture.height);
  const width = picture.width * scale;
  const height = picture.height * scale;
  return { x: element.x + (element.width - width) / 2, y: element.y + (element.height - height) / 2, width, height };
}

/** Both are grey pictures of the grid's size; the cells of `masked` are left out. */
export function compare(shown: Uint8Array, recorded: Uint8Array, masked: ReadonlySet<number> = new Set()): Likeness {
  const unmasked = (_: number, cell: number): boolean => !masked.has(cell);
  const [a, b] = [[...shown].filter(unmasked), [...recorded].filter(unmasked)];
  const [meanA, meanB] = [mean(a), mean(b)];
  const [deviationA, deviationB] = [deviation(a, meanA), deviation(b, meanB)];
  // A blank picture is like no other one.
  if (deviationA === 0 || deviationB === 0) return { correlation: 0, spread: 0 };
  const together = mean(a.map((value, cell) => (value - meanA) * ((b[cell] ?? 0) - meanB)));
  return { correlation: together / (deviationA * deviationB), spread: deviationA / deviationB };
}

/** The cells of the grid over `picture` that `cover` touches. */
export function cellsOf(cover: Area, picture: Area): Set<number> {
  const column = (x: number): number => ((x - picture.x) / picture.width) * grid.width;
  const row = (y: number): number => ((y - picture.y) / picture.height) * grid.height;
  const cells = new Set<number>();
  for (let y = Math.floor(row(cover.y)); y < row(cover.y + cover.height); y++) {
    for (let x = Math.floor(column(cover.x)); x < column(cover.x + cover.width); x++) {
      if (x >= 0 && x < grid.width && y >= 0 && y < grid.height) cells.add(y * grid.width + x);
    }
  }
  return cells;
}

/** The frame that stands at a moment: the last one that begins by then, as a still screen is recorded with few frames. */
async function recordedPicture(path: string, atMs: number): Promise<Buffer> {
  const until = ((atMs + 1) / 1000).toFixed(3);
  const frames = await greyPictures(['-t', until, '-i', path, '-fps_mode', 'passthrough']);
  if (frames.length === 0) throw new Error(`${path} has no picture at ${atMs} ms.`);
  return frames.subarray(-grid.width * grid.height);
}

async function shownPicture(png: string, area: Area): Promise<Buffer> {
  const crop = [area.width, area.height, area.x, area.y].map(Math.round).join(':');
  return await greyPictures(['-f', 'png_pipe', '-i', png], `crop=${crop},`);
}

async function greyPictures(input: readonly string[], filter = ''): Promise<Buffer> {
  const scale = `${filter}scale=${grid.width}:${grid.height}:flags=area,format=gray`;
  return await capture('ffmpeg', ['-v', 'error', ...input, '-vf', scale, '-f', 'rawvideo', 'pipe:1']);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function deviation(values: readonly number[], around: number): number {
  return Math.sqrt(mean(values.map((value) => (value - around) ** 2)));
}
