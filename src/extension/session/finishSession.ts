/** The last step of every session, ended or interrupted: adopt the recording, write the metadata, and only then remove the recorder's folder. */
import { join } from 'node:path';
import type { SessionMetadata } from '../../shared/model/sessionMetadata.ts';
import { type RecordingManifest, manifestSchema } from '../../shared/recorder/library.ts';
import type { Files } from '../platform/files.ts';
import type { AttachmentStorage } from '../storage/attachmentStorage.ts';
import { parseStored } from '../storage/parseStored.ts';
import type { SessionStorage } from '../storage/sessionStorage.ts';
import type { StoragePaths } from '../storage/storagePaths.ts';
import { adoptRecording } from './adoptRecording.ts';

export interface SessionStore {
  readonly files: Files;
  readonly paths: StoragePaths;
  readonly storage: SessionStorage;
  readonly attachments: AttachmentStorage;
  readonly now: () => Date;
}

export interface Ending {
  readonly status: 'completed' | 'interrupted';
  readonly endTime: string;
  /** Media time; the recording's own length where nothing better is known. */
  readonly durationMs: number | undefined;
  /** What the recorder wrote; nothing for a session of activity alone. */
  readonly manifest: RecordingManifest | undefined;
}

export async function finishSession(
  metadata: SessionMetadata,
  ending: Ending,
  { files, paths, storage, attachments, now }: SessionStore,
): Promise<SessionMetadata> {
  const { id, startTime } = metadata;
  const { manifest, status, endTime } = ending;
  const folder = paths.recording(id);
  const target = { sessionId: id, startTime, folder, storage, attachments, now };
  const { problems, ...adopted } = manifest ? await adoptRecording(manifest, target) : nothingAdopted;
  const [screenshots, activity] = await Promise.all([storage.getScreenshots(id), storage.getActivity(id)]);
  const finished: SessionMetadata = {
    ...metadata,
    status,
    endTime,
    totalDuration: Math.round(Math.max(ending.durationMs ?? 0, manifest?.durationMs ?? 0)),
    ...(adopted.videoTakes > 0 ? { videoRef: `videos/${id}` } : {}),
    ...problemsField([...(metadata.problems ?? []), ...problems]),
    counts: { ...adopted, screenshots: screenshots.length, activityEvents: activity.length },
  };
  await storage.saveMetadata(finished);
  storage.release(id);
  // From here on the blobs hold everything, and the folder's names are second ones: but for what recovery set aside.
  const names = await files.list(folder);
  if (manifest && !names.some((name) => name.includes('.torn-'))) await files.removeTree(folder);
  return finished;
}

const nothingAdopted = { videoTakes: 0, audioSegments: 0, problems: [] };

/** As many problems, in as many words, as metadata may hold. */
export function problemsField(problems: readonly string[]): { problems?: string[] } {
  return problems.length === 0 ? {} : { problems: problems.slice(0, 10).map((problem) => problem.slice(0, 300)) };
}

/** What the recorder itself last wrote of its recording; nothing when it never got that far. */
export async function readManifest(folder: string, files: Files): Promise<RecordingManifest | undefined> {
  const path = join(folder, 'manifest.json');
  if (!(await files.facts(path))) return undefined;
  return parseStored(manifestSchema, await files.read(path), path);
}
