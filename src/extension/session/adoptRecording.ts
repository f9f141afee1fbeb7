/** Takes what the recorder left in its folder into the store. Can be repeated: what was adopted before is not adopted twice. */
import { randomUUID } from 'node:crypto';
import { basename, join } from 'node:path';
import type { SessionVideo, VideoTake } from '../../shared/model/video.ts';
import type { RecordingManifest } from '../../shared/recorder/library.ts';
import type { AttachmentStorage } from '../storage/attachmentStorage.ts';
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
}

/** Order: bytes and blob, then chunk, then the video's record; the caller writes the metadata last. */
export async function adoptRecording(manifest: RecordingManifest, target: AdoptionTarget): Promise<Adopted> {
  const audioSegments = await adoptSegments(manifest, target);
  const videoTakes = await adoptTakes(manifest, target);
  return { audioSegments, videoTakes };
}

async function adoptSegments(manifest: RecordingManifest, target: AdoptionTarget): Promise<number> {
  const { sessionId, storage, attachments, startTime, folder } = target;
  const known = new Set((await storage.getAudioSegments(sessionId)).map(({ offsetMs }) => offsetMs));
  const segments = manifest.segments.filter(({ durationMs }) => durationMs > 0);
  for (const segment of segments.filter(({ offsetMs }) => !known.has(offsetMs))) {
    const duration = segment.durationMs / 1000;
    const name = basename(segment.path);
    const facts = { sessionId, type: 'audio', name, mimeType: 'audio/wav', duration } as const;
    const { id } = await attachments.adoptFile(join(folder, name), facts);
    await storage.appendAudioSegment(sessionId, {
      id: randomUUID(),
      sessionId,
      timestamp: wallClockAt(segment.offsetMs, startTime, manifest),
      offsetMs: segment.offsetMs,
      duration,
      transcription: '',
      attachmentId: id,
      isEmpty: segment.isEmpty,
      peak: segment.peak,
    });
  }
  return segments.length;
}

/** Media time leaves pauses out; the wall clock does not. */
function wallClockAt(offsetMs: number, startTime: string, { pauses }: RecordingManifest): string {
  const before = pauses.filter((pause) => pause.offsetMs <= offsetMs);
  const pausedMs = before.reduce((total, { durationMs }) => total + durationMs, 0);
  return new Date(Date.parse(startTime) + offsetMs + pausedMs).toISOString();
}

async function adoptTakes(manifest: RecordingManifest, target: AdoptionTarget): Promise<number> {
  const { sessionId, storage, now } = target;
  const takes: VideoTake[] = [];
  for (const take of manifest.takes.filter(({ frames }) => frames > 0)) takes.push(await adoptTake(take, target));
  if (takes.length === 0 && manifest.gaps.length === 0) return 0;
  const video: SessionVideo = {
    sessionId,
    schemaVersion: 1,
    takes,
    gaps: manifest.gaps,
    durationMs: manifest.durationMs,
    createdAt: now().toISOString(),
  };
  await storage.saveVideo(video);
  return takes.length;
}

async function adoptTake(take: RecordingManifest['takes'][number], target: AdoptionTarget): Promise<VideoTake> {
  const { index, offsetMs, durationMs, frames, width, height } = take;
  const name = basename(take.path);
  const facts = { type: 'video', name, mimeType: 'video/mp4', width, height, duration: durationMs / 1000 } as const;
  const { id, size } = await target.attachments.adoptFile(join(target.folder, name), {
    ...facts,
    sessionId: target.sessionId,
  });
  return { index, attachmentId: id, offsetMs, durationMs, frames, width, height, size };
}
