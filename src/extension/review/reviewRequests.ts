/** Answers the review panel's questions from storage; one damaged or missing piece never takes the rest of the session with it. */
import { CodedError, toCodedError } from '../../shared/errors.ts';
import type { ActivityEvent } from '../../shared/model/activity.ts';
import type { SessionAudioSegment } from '../../shared/model/audio.ts';
import type { SessionMetadata } from '../../shared/model/sessionMetadata.ts';
import type { SessionVideo, VideoTake } from '../../shared/model/video.ts';
import type { ReviewAudio, ReviewSession, ReviewTake } from '../../shared/protocol/review.ts';
import { buildTimeline, type TimelineItem, type TimelineScreenshot } from '../../shared/timeline.ts';
import type { OnDamaged, ReviewLog, ReviewMedia, ReviewStore } from './reviewStore.ts';

/** Files are opened this many at a time, so that a long session does not use up the extension host's descriptors. */
const parallelFiles = 32;

export class ReviewRequests {
  constructor(
    private readonly sessionId: string,
    private readonly store: ReviewStore,
    private readonly media: ReviewMedia,
    private readonly log: ReviewLog,
  ) {}

  /** Rejects with `notFound` when there is no such session, and with storage's own error when its metadata cannot be read. */
  async getSession(): Promise<ReviewSession> {
    const metadata = await this.store.getMetadata(this.sessionId);
    if (!metadata) throw new CodedError('notFound', 'This session is no longer stored.');
    const missing: string[] = [];
    const [video, segments, events] = await Promise.all([
      this.#read('The video', () => this.store.getVideo(this.sessionId), undefined, missing),
      this.#read('The sound', (onDamaged) => this.store.getAudioSegments(this.sessionId, onDamaged), [], missing),
      this.#read('The editor activity', (onDamaged) => this.store.getActivity(this.sessionId, onDamaged), [], missing),
      // Read for its damage alone: the pictures themselves belong to the timeline.
      this.#read('The screenshots', (onDamaged) => this.store.getScreenshots(this.sessionId, onDamaged), [], missing),
    ]);
    const takes = await this.#present(video?.takes ?? [], placedTake);
    const audio = await this.#present(segments, placedSegment);
    pushCount(missing, takes.lost, 'part of the video', 'parts of the video');
    pushCount(missing, audio.lost, 'piece of sound', 'pieces of sound');
    return {
      metadata,
      durationMs: durationOf(metadata, video, segments, events),
      takes: takes.found.sort(byOffset),
      audio: audio.found.sort(byOffset),
      gaps: video?.gaps ?? [],
      missing,
    };
  }

  async getTimeline(): Promise<TimelineItem[]> {
    const [screenshots, events] = await Promise.all([
      this.#read('The screenshots', () => this.store.getScreenshots(this.sessionId), []),
      this.#read('The editor activity', () => this.store.getActivity(this.sessionId), []),
    ]);
    const distinct = screenshots.filter((screenshot) => screenshot.isDuplicate !== true);
    const pictures = await mapInParallel(distinct, async ({ id, offsetMs, width, height, attachmentId }) => {
      const url = await this.#urlOf(attachmentId);
      const picture: TimelineScreenshot = { kind: 'screenshot', id, offsetMs, width, height };
      return url === undefined ? picture : { ...picture, url };
    });
    return buildTimeline(pictures, events);
  }

  async #read<T>(
    what: string,
    read: (onDamaged: OnDamaged) => Promise<T>,
    fallback: T,
    missing?: string[],
  ): Promise<T> {
    const damaged: CodedError[] = [];
    try {
      const found = await read((error) => damaged.push(error));
      if (damaged.length > 0) missing?.push(`${what} of this session cannot be read in full: a file is damaged.`);
      return found;
    } catch (error) {
      this.log.warn(`Session ${this.sessionId}: ${what.toLowerCase()} cannot be read: ${describe(error)}`);
      missing?.push(`${what} of this session cannot be read.`);
      return fallback;
    }
  }

  async #present<Recorded extends { attachmentId: string }, Shown>(
    recorded: readonly Recorded[],
    show: (recorded: Recorded, url: string) => Shown,
  ): Promise<{ found: Shown[]; lost: number }> {
    const shown = await mapInParallel(recorded, async (item) => {
      const url = await this.#urlOf(item.attachmentId);
      return url === undefined ? undefined : show(item, url);
    });
    const found = shown.filter((item) => item !== undefined);
    return { found, lost: shown.length - found.length };
  }

  async #urlOf(attachmentId: string): Promise<string | undefined> {
    try {
      return await this.media.urlOf(attachmentId);
    } catch (error) {
      this.log.warn(`Session ${this.sessionId}: attachment ${attachmentId} cannot be shown: ${describe(error)}`);
      return undefined;
    }
  }
}

function placedTake({ offsetMs, durationMs, width, height }: VideoTake, url: string): ReviewTake {
  return { url, offsetMs, durationMs, width, height };
}

function placedSegment({ offsetMs, duration, isEmpty }: SessionAudioSegment, url: string): ReviewAudio {
  return { url, offsetMs, durationMs: duration * 1000, isEmpty: isEmpty ?? false };
}

/** A session that still runs, or whose end was never written, is as long as the last thing that was recorded. */
function durationOf(
  metadata: SessionMetadata,
  video: SessionVideo | undefined,
  segments: readonly SessionAudioSegment[],
  events: readonly ActivityEvent[],
): number {
  return Math.max(
    metadata.totalDuration ?? 0,
    video?.durationMs ?? 0,
    ...(video?.takes ?? []).map((take) => take.offsetMs + take.durationMs),
    segments.reduce((end, segment) => Math.max(end, segment.offsetMs + segment.duration * 1000), 0),
    events.reduce((end, event) => Math.max(end, event.offsetMs), 0),
  );
}

function pushCount(missing: string[], lost: number, one: string, many: string): void {
  if (lost > 0) missing.push(lost === 1 ? `1 ${one} is missing.` : `${lost} ${many} are missing.`);
}

function byOffset(a: { offsetMs: number }, b: { offsetMs: number }): number {
  return a.offsetMs - b.offsetMs;
}

function describe(error: unknown): string {
  const { code, message } = toCodedError(error);
  return `${code}: ${message}`;
}

async function mapInParallel<T, R>(items: readonly T[], map: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let start = 0; start < items.length; start += parallelFiles) {
    results.push(...(await Promise.all(items.slice(start, start + parallelFiles).map(map))));
  }
  return results;
}
