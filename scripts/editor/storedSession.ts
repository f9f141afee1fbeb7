/** Reads a session from the disk by the documented layout and the shared schemas, and by none of the extension's own code. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type * as z from 'zod';
import { type ActivityEvent, sessionActivityChunkSchema } from '../../src/shared/model/activity.ts';
import { attachmentSchema } from '../../src/shared/model/attachment.ts';
import { sessionAudioChunkSchema, type SessionAudioSegment } from '../../src/shared/model/audio.ts';
import { sessionScreenshotChunkSchema, type SessionScreenshot } from '../../src/shared/model/screenshots.ts';
import { type SessionMetadata, sessionMetadataSchema } from '../../src/shared/model/sessionMetadata.ts';
import { type SessionVideo, sessionVideoSchema, type VideoTake } from '../../src/shared/model/video.ts';

/** A stored item and the file that holds its media. */
export type WithFile<T> = T & { readonly path: string };

export interface StoredSession {
  readonly metadata: SessionMetadata;
  readonly activity: readonly ActivityEvent[];
  readonly screenshots: readonly WithFile<SessionScreenshot>[];
  readonly audio: readonly WithFile<SessionAudioSegment>[];
  readonly takes: readonly WithFile<VideoTake>[];
  readonly video: SessionVideo | undefined;
}

/** All sessions of a storage folder, newest first; none when there is no folder yet. */
export async function listSessions(root: string): Promise<SessionMetadata[]> {
  const folder = join(root, 'sessions/metadata');
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.json'));
  const all = await Promise.all(names.map(async (name) => await parseFile(join(folder, name), sessionMetadataSchema)));
  return all.sort((a, b) => b.startTime.localeCompare(a.startTime));
}

export async function readSession(root: string, sessionId: string): Promise<StoredSession> {
  const place = async <T extends { attachmentId: string }>(item: T): Promise<WithFile<T>> => ({
    ...item,
    path: await attachmentPath(root, item.attachmentId),
  });
  const screenshots = await readChunks(root, 'screenshots', sessionId, sessionScreenshotChunkSchema);
  const audio = await readChunks(root, 'audio', sessionId, sessionAudioChunkSchema);
  const activity = await readChunks(root, 'activity', sessionId, sessionActivityChunkSchema);
  const video = await parseFile(join(root, 'videos', `${sessionId}.json`), sessionVideoSchema).catch(nothingIfAbsent);
  return {
    metadata: await parseFile(join(root, 'sessions/metadata', `${sessionId}.json`), sessionMetadataSchema),
    activity: activity.flatMap((chunk) => chunk.events),
    screenshots: await Promise.all(screenshots.flatMap((chunk) => chunk.screenshots).map(place)),
    audio: await Promise.all(audio.flatMap((chunk) => chunk.segments).map(place)),
    takes: await Promise.all((video?.takes ?? []).map(place)),
    video,
  };
}

async function attachmentPath(root: string, id: string): Promise<string> {
  const { storageKey } = await parseFile(join(root, 'attachments/metadata', `${id}.json`), attachmentSchema);
  return join(root, 'attachments/blobs', storageKey);
}

async function readChunks<S extends z.ZodType>(
  root: string,
  kind: string,
  id: string,
  schema: S,
): Promise<z.infer<S>[]> {
  const folder = join(root, kind, id);
  const names = (await readdir(folder).catch(() => [])).filter((name) => /^\d+\.json$/.test(name));
  const inOrder = names.sort((a, b) => Number.parseInt(a) - Number.parseInt(b));
  return await Promise.all(inOrder.map(async (name) => await parseFile(join(folder, name), schema)));
}

async function parseFile<S extends z.ZodType>(path: string, schema: S): Promise<z.infer<S>> {
  const parsed = schema.safeParse(JSON.parse(await readFile(path, 'utf8')));
  if (!parsed.success) throw new Error(`${path} is not as documented: ${parsed.error.message}`);
  return parsed.data;
}

function nothingIfAbsent(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
  throw error;
}
