/** A session on disk: metadata, chunks of screenshots, sound and activity, and its video's record. */
import type * as z from 'zod';
import { CodedError } from '../../shared/errors.ts';
import type { ActivityEvent } from '../../shared/model/activity.ts';
import type { SessionAudioSegment } from '../../shared/model/audio.ts';
import type { SessionScreenshot } from '../../shared/model/screenshots.ts';
import { type SessionMetadata, sessionMetadataSchema } from '../../shared/model/sessionMetadata.ts';
import { type SessionVideo, sessionVideoSchema } from '../../shared/model/video.ts';
import type { Files } from '../platform/files.ts';
import { activityFormat, audioFormat, screenshotFormat } from './chunkFormats.ts';
import { ChunkStore, type OnDamaged } from './chunkStore.ts';
import { parseStored } from './parseStored.ts';
import type { StoragePaths } from './storagePaths.ts';

/** Metadata is what lists are made of: it stays small, whatever was recorded. */
const maxMetadataBytes = 10 * 1024;

export interface SessionStorageOptions {
  readonly files: Files;
  readonly paths: StoragePaths;
  readonly now: () => Date;
  /** Told of every piece that could not be read; the rest is answered all the same. */
  readonly onDamaged: (error: CodedError) => void;
}

export class SessionStorage {
  readonly #options: SessionStorageOptions;
  readonly #screenshots: ChunkStore<SessionScreenshot>;
  readonly #audio: ChunkStore<SessionAudioSegment>;
  readonly #activity: ChunkStore<ActivityEvent>;

  constructor(options: SessionStorageOptions) {
    this.#options = options;
    this.#screenshots = new ChunkStore(options, 'screenshots', screenshotFormat);
    this.#audio = new ChunkStore(options, 'audio', audioFormat);
    this.#activity = new ChunkStore(options, 'activity', activityFormat);
  }

  /** Throws `notFound`, `damaged`, or `newerVersion`. */
  async getMetadata(sessionId: string): Promise<SessionMetadata> {
    const path = this.#options.paths.metadata(sessionId);
    return parseMetadata(await this.#options.files.read(path), path);
  }

  async saveMetadata(metadata: SessionMetadata): Promise<void> {
    const data = JSON.stringify(sessionMetadataSchema.parse(metadata));
    if (Buffer.byteLength(data) > maxMetadataBytes) {
      throw new CodedError(
        'ioError',
        `The metadata of "${metadata.name}" is over 10 KB: shorten its description or tags.`,
      );
    }
    await this.#options.files.writeAtomic(this.#options.paths.metadata(metadata.id), data);
  }

  appendScreenshot(sessionId: string, screenshot: SessionScreenshot): Promise<void> {
    return this.#screenshots.append(sessionId, [screenshot]);
  }
  appendAudioSegment(sessionId: string, segment: SessionAudioSegment): Promise<void> {
    return this.#audio.append(sessionId, [segment]);
  }
  /** `onWritten` is told of every part that reached the disk: see ChunkLog. */
  appendActivity(
    sessionId: string,
    events: readonly ActivityEvent[],
    onWritten?: (count: number) => void,
  ): Promise<void> {
    return this.#activity.append(sessionId, events, onWritten);
  }

  /** `onDamaged` is told of the chunks that could not be read; here and below. */
  getScreenshots(sessionId: string, onDamaged?: OnDamaged): Promise<SessionScreenshot[]> {
    return this.#screenshots.read(sessionId, onDamaged);
  }
  getAudioSegments(sessionId: string, onDamaged?: OnDamaged): Promise<SessionAudioSegment[]> {
    return this.#audio.read(sessionId, onDamaged);
  }
  getActivity(sessionId: string, onDamaged?: OnDamaged): Promise<ActivityEvent[]> {
    return this.#activity.read(sessionId, onDamaged);
  }

  async saveVideo(video: SessionVideo): Promise<void> {
    const { files, paths } = this.#options;
    await files.writeAtomic(paths.video(video.sessionId), JSON.stringify(sessionVideoSchema.parse(video)));
  }

  /** Nothing when the session has no video. */
  async getVideo(sessionId: string): Promise<SessionVideo | undefined> {
    const { files, paths } = this.#options;
    const path = paths.video(sessionId);
    return (await files.facts(path)) && parseStored(sessionVideoSchema, await files.read(path), path);
  }

  /** Forgets the writers' memory of an ended session. */
  release(sessionId: string): void {
    for (const store of [this.#screenshots, this.#audio, this.#activity]) store.release(sessionId);
  }
}

/** Throws `damaged`, or `newerVersion` for a file of a later release, which is never rewritten. */
export function parseMetadata(data: Buffer, path: string): z.infer<typeof sessionMetadataSchema> {
  const version = /"schemaVersion"\s*:\s*(\d+)/.exec(data.toString('utf8'))?.[1];
  if (Number(version) > 2) {
    throw new CodedError(
      'newerVersion',
      `${path} was written by a newer Work Sessions. Update the extension to open it.`,
    );
  }
  return parseStored(sessionMetadataSchema, data, path);
}
