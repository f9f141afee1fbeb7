/** Takes what the recorder left in its folder into the store. Can be repeated: what was adopted before is not adopted twice. */
import { randomUUID } from 'node:crypto';
import { basename, join } from 'node:path';
import { CodedError } from '../../shared/errors.ts';
import type { Attachment } from '../../shared/model/attachment.ts';
import type { VideoTake } from '../../shared/model/video.ts';
import type { RecordingManifest } from '../../shared/recorder/library.ts';
import type { AttachmentStorage, NewAttachment } from '../storage/attachmentStorage.ts';
import type { SessionStorage } from '../storage/sessionStorage.ts';

export interface AdoptionTarget {
  readonly sessionId: string;
  /** ISO 8601, of the session's start. */
  readonly startTime: string;
  /** The recorder's output directory. */
  readonly folder: string;
  readonly storage: SessionStorage;
  readonly attachments: AttachmentStorage;
  readonly now: () => Date;
}

export interface Adopted {
  readonly videoTakes: number;
  readonly audioSegments: number;
  /** Files that the manifest names and that are gone, as words for the user; everything else is adopted all the same. */
  readonly problems: readonly string[];
}

/** Order: bytes and blob, then chunk, then the video's record; the caller writes the metadata last. */
export async function adoptRecording(manifest: RecordingManifest, target: AdoptionTarget): Promise<Adopted> {
  const problems: string[] = [];
  const audioSegments = await adoptSegments(manifest, target, problems);
  const videoTakes = await adoptTakes(manifest, target, problems);
  return { audioSegments, videoTakes, problems };
}

async function adoptSegments(manifest: RecordingManifest, target: AdoptionTarget, problems: string[]): Promise<number> {
  const { sessionId, storage, startTime } = target;
  let adopted = 0;
  const known = new Set((await storage.getAudioSegments(sessionId)).map(({ offsetMs }) => offsetMs));
  const segments = manifest.segments.filter(({ durationMs }) => durationMs > 0);
  for (const segment of segments) {
    if (known.has(segment.offsetMs)) {
      adopted++;
      continue;
    }
    const duration = segment.durationMs / 1000;
    const name = basename(segment.path);
    const facts = { sessionId, type: 'audio', name, mimeType: 'audio/wav', duration } as const;
    const attachment = await adoptFile(name, facts, target, problems);
    if (!attachment) continue;
    await storage.appendAudioSegment(sessionId, {
      id: randomUUID(),
      sessionId,
      timestamp: wallClockAt(segment.offsetMs, startTime, manifest),
      offsetMs: segment.offsetMs,
      duration,
      transcription: '',
      attachmentId: attachment.id,
      isEmpty: segment.isEmpty,
      peak: segment.peak,
    });
    adopted++;
  }
  return adopted;
}

/** Media time leaves pauses out; the wall clock does not. */
function wallClockAt(offsetMs: number, startTime: string, { pauses }: RecordingManifest): string {
  const before = pauses.filter((pause) => pause.offsetMs <= offsetMs);
  const pausedMs = before.reduce((total, { durationMs }) => total + durationMs, 0);
  return new Date(Date.parse(startTime) + offsetMs + pausedMs).toISOString();
}

async function adoptTakes(manifest: RecordingManifest, target: AdoptionTarget, problems: string[]): Promise<number> {
  const { sessionId, storage, now } = target;
  const takes: VideoTake[] = [];
  const known = await knownTakes(target);
  const save = async (): Promise<void> => {
    const { gaps, durationMs } = manifest;
    const createdAt = now().toISOString();
    await storage.saveVideo({ sessionId, schemaVersion: 1, takes, gaps, durationMs, createdAt });
  };
  for (const take of manifest.takes.filter(({ frames }) => frames > 0)) {
    const before = known.find((other) => isSame(take, other));
    const adopted = before ?? (await adoptTake(take, target, problems));
    if (!adopted) continue;
    takes.push(adopted);
    // From now on a repetition knows it.
    if (!before) await save();
  }
  if (takes.length === 0 && manifest.gaps.length === 0) return 0;
  await save();
  return takes.length;
}

/** A record that cannot be read knows none: it is written anew. */
async function knownTakes({ sessionId, storage }: AdoptionTarget): Promise<readonly VideoTake[]> {
  try {
    return (await storage.getVideo(sessionId))?.takes ?? [];
  } catch (error) {
    if (error instanceof CodedError && error.code === 'damaged') return [];
    throw error;
  }
}

function isSame(take: RecordingManifest['takes'][number], known: VideoTake): boolean {
  return (
    take.index === known.index &&
    take.offsetMs === known.offsetMs &&
    take.durationMs === known.durationMs &&
    take.frames === known.frames
  );
}

async function adoptTake(
  take: RecordingManifest['takes'][number],
  target: AdoptionTarget,
  problems: string[],
): Promise<VideoTake | undefined> {
  const { index, offsetMs, durationMs, frames, width, height } = take;
  const name = basename(take.path);
  const size = width > 0 && height > 0 ? { width, height } : {};
  const facts = { type: 'video', name, mimeType: 'video/mp4', ...size, duration: durationMs / 1000 } as const;
  const attachment = await adoptFile(name, { ...facts, sessionId: target.sessionId }, target, problems);
  if (!attachment) return undefined;
  return { index, attachmentId: attachment.id, offsetMs, durationMs, frames, width, height, size: attachment.size };
}

/** A file that is gone costs itself alone; every other failure ends the adoption, which can be repeated. */
async function adoptFile(
  name: string,
  facts: NewAttachment,
  { attachments, folder }: AdoptionTarget,
  problems: string[],
): Promise<Attachment | undefined> {
  try {
    return await attachments.adoptFile(join(folder, name), facts);
  } catch (error) {
    if (!(error instanceof CodedError && error.code === 'notFound')) throw error;
    problems.push(`"${name}" is gone: it was deleted while the session was recorded.`);
    return undefined;
  }
}
