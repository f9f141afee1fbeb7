/** Judges a tour: what was recorded, measured by other programs than ours, and which promises did not hold. */
import { join } from 'node:path';
import { joinSounds, probeSound, probeVideo } from './media.ts';
import { type Likeness, looksRecorded } from './shownPicture.ts';
import type { StoredSession, WithFile } from './storedSession.ts';
import type { SessionAudioSegment } from '../../src/shared/model/audio.ts';
import type { ReviewFindings } from './tour.ts';

export interface TourReport {
  readonly sessionId: string;
  readonly storageRoot: string;
  readonly video: { path: string; durationMs: number; frames: number; width: number; height: number };
  readonly audio: { path: string; durationMs: number; peak: number };
  readonly screenshots: number;
  readonly activityEvents: number;
  readonly review: {
    screenshot: string;
    playedMs: number;
    seekErrorMs: number;
    soundPlayed: boolean;
    /** How much the player's picture is like the recorded one, in each theme. */
    picture: Likeness;
    lightPicture: Likeness;
  };
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

/** The longest take stands for the session's video; of several segments of sound, one file is made in `out`. */
export async function measure(
  session: StoredSession,
  storageRoot: string,
  review: ReviewFindings,
  out: string,
): Promise<Measured> {
  const takes = await Promise.all(
    session.takes.map(async ({ path, offsetMs }) => ({ path, offsetMs, ...(await probeVideo(path)) })),
  );
  const take = takes.toSorted((a, b) => b.durationMs - a.durationMs)[0];
  if (!take) throw new Error('The session has no video.');
  const sound = await wholeSound(session.audio, join(out, 'sound.wav'));
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
      picture: review.picture,
      lightPicture: review.lightPicture,
    },
  };
  const videoEndMs = Math.max(...takes.map(({ offsetMs, durationMs }) => offsetMs + durationMs));
  return { report, videoEndMs, soundEndMs: sound.endMs };
}

/** The file that holds all of the sound, in time order: the only segment itself, or all of them joined at `path`. */
async function wholeSound(
  segments: readonly WithFile<SessionAudioSegment>[],
  path: string,
): Promise<TourReport['audio'] & { readonly endMs: number }> {
  const inOrder = segments.toSorted((a, b) => a.offsetMs - b.offsetMs);
  const last = inOrder.at(-1);
  if (!last) throw new Error('The session has no sound.');
  if (inOrder.length > 1) await joinSounds(inOrder, path);
  const whole = inOrder.length > 1 ? path : last.path;
  const { durationMs, peak } = await probeSound(whole);
  const lastMs = inOrder.length > 1 ? (await probeSound(last.path)).durationMs : durationMs;
  return { path: whole, durationMs, peak, endMs: last.offsetMs + lastMs };
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
    ...[review.picture, review.lightPicture].map((picture, index) =>
      check(
        `the player shows the recorded picture in the ${index === 0 ? 'dark' : 'light'} theme`,
        looksRecorded(picture),
        `correlation ${picture.correlation.toFixed(3)}, spread ${picture.spread.toFixed(2)}`,
      ),
    ),
    check('the review plays', review.playedMs >= 2500 && review.shownFrames > 0, `${review.playedMs} ms`),
    check('the review is silent before it plays', review.silentBefore, review.silentBefore),
    check('the review plays the sound', review.soundPlayed, review.soundPlayed),
    check('a click in the timeline seeks', review.seekErrorMs <= 100, `${review.seekErrorMs} ms off`),
    check('the link of an edit leads to its line', review.opensCode, review.opensCode),
    check('the clicked item is highlighted', review.highlighted, review.highlighted),
  ];
}
