/** Judges a tour: what was recorded, measured by other programs than ours, and which promises did not hold. */
import { probeSound, probeVideo } from './media.ts';
import type { StoredSession } from './storedSession.ts';
import type { ReviewFindings } from './tour.ts';

export interface TourReport {
  readonly sessionId: string;
  readonly storageRoot: string;
  readonly video: { path: string; durationMs: number; frames: number; width: number; height: number };
  readonly audio: { path: string; durationMs: number; peak: number };
  readonly screenshots: number;
  readonly activityEvents: number;
  readonly review: { screenshot: string; playedMs: number; seekErrorMs: number; soundPlayed: boolean };
}

export interface Check {
  readonly what: string;
  readonly holds: boolean;
  readonly seen: string;
}

export interface Measured {
  readonly report: TourReport;
  /** Media time at which the last picture ends, and the last sound. */
  readonly videoEndMs: number;
  readonly soundEndMs: number;
}

/** The longest take and the loudest segment stand for the session: in a short one there is one of each. */
export async function measure(session: StoredSession, storageRoot: string, review: ReviewFindings): Promise<Measured> {
  const takes = await Promise.all(
    session.takes.map(async ({ path, offsetMs }) => ({ path, offsetMs, ...(await probeVideo(path)) })),
  );
  const sounds = await Promise.all(
    session.audio.map(async ({ path, offsetMs }) => ({ path, offsetMs, ...(await probeSound(path)) })),
  );
  const take = takes.toSorted((a, b) => b.durationMs - a.durationMs)[0];
  const sound = sounds.toSorted((a, b) => b.peak - a.peak)[0];
  if (!take) throw new Error('The session has no video.');
  if (!sound) throw new Error('The session has no sound.');
  const { durationMs, frames, width, height } = take;
  const report: TourReport = {
    sessionId: session.metadata.id,
    storageRoot,
    video: { path: take.path, durationMs, frames, width, height },
    audio: { path: sound.path, durationMs: sound.durationMs, peak: sound.peak },
    screenshots: session.screenshots.length,
    activityEvents: session.activity.length,
    review: {
      screenshot: review.screenshot,
      playedMs: review.playedMs,
      seekErrorMs: review.seekErrorMs,
      soundPlayed: review.soundPlayed,
    },
  };
  const endOf = (pieces: readonly { offsetMs: number; durationMs: number }[]): number =>
    Math.max(...pieces.map((piece) => piece.offsetMs + piece.durationMs));
  return { report, videoEndMs: endOf(takes), soundEndMs: endOf(sounds) };
}

export function checksOf(
  { report, videoEndMs, soundEndMs }: Measured,
  session: StoredSession,
  review: ReviewFindings,
  recordedSeconds: number,
): Check[] {
  const { video, audio } = report;
  const mediaMs = session.metadata.totalDuration ?? 0;
  const kinds = new Set(session.activity.map(({ kind }) => kind));
  const check = (what: string, holds: boolean, seen: unknown): Check => ({ what, holds, seen: String(seen) });
  return [
    check('the session is as long as it was recorded', mediaMs >= recordedSeconds * 1000 - 500, `${mediaMs} ms`),
    check('the video is as long as the session', Math.abs(videoEndMs - mediaMs) < 1500, `${videoEndMs} ms`),
    check('the video has pictures', video.frames >= recordedSeconds, `${video.frames} frames`),
    check('the sound is as long as the session', Math.abs(soundEndMs - mediaMs) < 1500, `${soundEndMs} ms`),
    check('the sound holds what was played', audio.peak > 0.05, `peak ${audio.peak}`),
    check('screenshots were taken', report.screenshots > 0, report.screenshots),
    ...(['fileFocused', 'edit', 'save', 'paused'] as const).map((kind) =>
      check(`the activity has ${kind} events`, kinds.has(kind), [...kinds].join(', ')),
    ),
    check('nothing was reported as a problem', !kinds.has('problem'), JSON.stringify(session.metadata.problems ?? [])),
    ...(['screenshot', 'edit', 'save', 'fileFocused', 'paused'] as const).map((kind) =>
      check(`the timeline shows ${kind} items`, review.kinds.includes(kind), review.kinds.join(', ')),
    ),
    check('the player shows a picture', review.contrast > 5, `contrast ${review.contrast.toFixed(1)}`),
    check('the review plays', review.playedMs >= 2500 && review.shownFrames > 0, `${review.playedMs} ms`),
    check('the review is silent before it plays', review.silentBefore, review.silentBefore),
    check('the review plays the sound', review.soundPlayed, review.soundPlayed),
    check('a click in the timeline seeks', review.seekErrorMs <= 100, `${review.seekErrorMs} ms off`),
    check('the link of an edit leads to its line', review.opensCode, review.opensCode),
    check('the clicked item is highlighted', review.highlighted, review.highlighted),
  ];
}
