/** What the overview strip draws, purely: edit density by file, marks, and the stretches where something is missing. */
import { assertNever } from '../../shared/assertNever.ts';
import type { RecordingGap } from '../../shared/model/video.ts';
import type { TimelineItem, TimelineScreenshot } from '../../shared/timeline.ts';
import { lastBegunAt } from './playback/mediaPlan.ts';

/** Files with a colour of their own, the ones most worked on; all others share a neutral one. */
export const colouredFiles = 4;

export interface OverviewBar {
  /** Place on the strip, counted from its start. */
  readonly bucket: number;
  /** 0 to 1 against the busiest bucket, on a scale that keeps small edits visible. */
  readonly height: number;
  /** Index into `files`, or -1 for all others. */
  readonly file: number;
}

export interface OverviewModel {
  readonly bars: readonly OverviewBar[];
  /** The most edited files, most edited first. */
  readonly files: readonly { readonly path: string; readonly uri: string }[];
  readonly hasOtherFiles: boolean;
  /** Offsets. */
  readonly saves: readonly number[];
  readonly screenshots: readonly number[];
  readonly pauses: readonly number[];
  readonly problems: readonly number[];
}

export function buildOverview(items: readonly TimelineItem[], durationMs: number, buckets: number): OverviewModel {
  const files = mostEditedFiles(items);
  const rank = new Map(files.slice(0, colouredFiles).map((file, index) => [file.uri, index]));
  const amounts = new Map<number, Map<number, number>>();
  const saves: number[] = [];
  const screenshots: number[] = [];
  const pauses: number[] = [];
  const problems: number[] = [];
  for (const item of items) {
    switch (item.kind) {
      case 'edit': {
        const file = rank.get(item.file.uri) ?? -1;
        const first = bucketOf(item.offsetMs, durationMs, buckets);
        const last = Math.max(first, bucketOf(item.endOffsetMs, durationMs, buckets));
        const share = (item.charactersAdded + item.charactersRemoved) / (last - first + 1);
        for (let bucket = first; bucket <= last; bucket++) {
          const inBucket = amounts.get(bucket) ?? new Map<number, number>();
          inBucket.set(file, (inBucket.get(file) ?? 0) + share);
          amounts.set(bucket, inBucket);
        }
        break;
      }
      case 'save':
        saves.push(item.offsetMs);
        break;
      case 'screenshot':
        screenshots.push(item.offsetMs);
        break;
      case 'paused':
        pauses.push(item.offsetMs);
        break;
      case 'problem':
        problems.push(item.offsetMs);
        break;
      case 'fileFocused':
        break;
      default:
        assertNever(item, 'timeline item');
    }
  }
  return {
    bars: barsOf(amounts),
    files: files.slice(0, colouredFiles),
    hasOtherFiles: files.length > colouredFiles,
    saves,
    screenshots,
    pauses,
    problems,
  };
}

/** The picture that shows best what was on the screen at `offsetMs`: the last one before it, or the first of all. */
export function screenshotAt(
  screenshots: readonly TimelineScreenshot[],
  offsetMs: number,
): TimelineScreenshot | undefined {
  return screenshots[Math.max(0, lastBegunAt(screenshots, offsetMs))];
}

/** Why there is no picture at this moment, where the recorder said so. */
export function gapAt(gaps: readonly RecordingGap[], offsetMs: number): RecordingGap | undefined {
  return gapsByMark(gaps).picture.find((gap) => gap.fromMs <= offsetMs && offsetMs < gap.toMs);
}

export interface MarkedGaps {
  /** Nothing can be shown there. */
  readonly picture: readonly RecordingGap[];
  /** The picture is there and its sound is not. */
  readonly sound: readonly RecordingGap[];
}

/** Screenshots or editor events that are absent leave no hole in the strip: the timeline's own row tells of them. */
export function gapsByMark(gaps: readonly RecordingGap[]): MarkedGaps {
  return {
    // Where one of several sources is missing, the others are shown.
    picture: gaps.filter(
      ({ service, sourceId }) => (service === 'video' && sourceId === undefined) || service === 'recorder',
    ),
    sound: gaps.filter(({ service }) => service === 'audio'),
  };
}

function mostEditedFiles(items: readonly TimelineItem[]): { path: string; uri: string }[] {
  const amounts = new Map<string, { path: string; uri: string; amount: number }>();
  for (const item of items) {
    if (item.kind !== 'edit') continue;
    const known = amounts.get(item.file.uri) ?? { path: item.file.path, uri: item.file.uri, amount: 0 };
    known.amount += item.charactersAdded + item.charactersRemoved;
    amounts.set(item.file.uri, known);
  }
  return [...amounts.values()].sort((a, b) => b.amount - a.amount).map(({ path, uri }) => ({ path, uri }));
}

/** One bar for each file of a bucket, stacked by whoever draws them; heights grow with the logarithm of what was typed. */
function barsOf(amounts: ReadonlyMap<number, ReadonlyMap<number, number>>): OverviewBar[] {
  const total = (inBucket: ReadonlyMap<number, number>): number => [...inBucket.values()].reduce((a, b) => a + b, 0);
  const busiest = Math.max(1, ...[...amounts.values()].map(total));
  const bars: OverviewBar[] = [];
  for (const [bucket, inBucket] of amounts) {
    const sum = total(inBucket);
    const height = sum > 0 ? 0.12 + 0.88 * (Math.log1p(sum) / Math.log1p(busiest)) : 0.12;
    for (const [file, amount] of [...inBucket].sort(([a], [b]) => ((a + 9) % 9) - ((b + 9) % 9))) {
      bars.push({ bucket, file, height: sum > 0 ? (height * amount) / sum : height });
    }
  }
  return bars;
}

function bucketOf(offsetMs: number, durationMs: number, buckets: number): number {
  if (durationMs <= 0) return 0;
  return Math.min(buckets - 1, Math.max(0, Math.floor((offsetMs / durationMs) * buckets)));
}
