/** Where everything lies under the extension's storage folder. Ids are validated before they meet a path. */
import { join } from 'node:path';
import { CodedError } from '../../shared/errors.ts';
import { idSchema, sha256Schema } from '../../shared/model/identifiers.ts';

export type ChunkKind = 'screenshots' | 'audio' | 'activity';

export class StoragePaths {
  constructor(readonly root: string) {}

  get metadataFolder(): string {
    return join(this.root, 'sessions', 'metadata');
  }
  metadata(sessionId: string): string {
    return join(this.metadataFolder, `${checkedId(sessionId)}.json`);
  }
  chunkFolder(kind: ChunkKind, sessionId: string): string {
    return join(this.root, kind, checkedId(sessionId));
  }
  chunk(kind: ChunkKind, sessionId: string, index: number): string {
    return join(this.chunkFolder(kind, sessionId), `${index}.json`);
  }
  video(sessionId: string): string {
    return join(this.root, 'videos', `${checkedId(sessionId)}.json`);
  }
  get blobFolder(): string {
    return join(this.root, 'attachments', 'blobs');
  }
  blob(sha256: string): string {
    if (!sha256Schema.safeParse(sha256).success) throw new CodedError('damaged', `Not a SHA-256: ${sha256}`);
    return join(this.blobFolder, `${sha256}.dat`);
  }
  attachment(attachmentId: string): string {
    return join(this.root, 'attachments', 'metadata', `${checkedId(attachmentId)}.json`);
  }
  /** What the recorder is writing now; adopted into attachments when the session ends. */
  recording(sessionId: string): string {
    return join(this.root, 'recordings', checkedId(sessionId));
  }
  get index(): string {
    return join(this.root, 'index', 'sessions.sqlite');
  }
  get recordingLease(): string {
    return join(this.root, 'recording.lease');
  }
  get indexLease(): string {
    return join(this.root, 'index', 'sessions.lease');
  }
}

function checkedId(id: string): string {
  if (!idSchema.safeParse(id).success) throw new CodedError('damaged', `Not an id of ours: ${JSON.stringify(id)}`);
  return id;
}
