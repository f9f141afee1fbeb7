/**
 * Attachments: binary content, stored once under its SHA-256, and the records that name it.
 * Invariant: a blob never changes, and a record is written only after its blob is on the disk.
 */
import { randomUUID } from 'node:crypto';
import { type Attachment, attachmentSchema } from '../../shared/model/attachment.ts';
import type { Files } from '../platform/files.ts';
import { parseStored } from './parseStored.ts';
import type { StoragePaths } from './storagePaths.ts';

export type NewAttachment = Pick<Attachment, 'type' | 'name' | 'mimeType'> &
  Partial<Pick<Attachment, 'width' | 'height' | 'duration'>> & { readonly sessionId: string };

export class AttachmentStorage {
  readonly #files: Files;
  readonly #paths: StoragePaths;
  readonly #now: () => Date;

  constructor(files: Files, paths: StoragePaths, now: () => Date) {
    this.#files = files;
    this.#paths = paths;
    this.#now = now;
  }

  /** Takes in a finished file; the original stays where it is. Equal content is stored once. */
  async adoptFile(path: string, facts: NewAttachment): Promise<Attachment> {
    const { sessionId, ...described } = facts;
    const { sha256, size } = await this.#files.hash(path);
    await this.#files.linkInto(path, this.#paths.blob(sha256));
    const now = this.#now().toISOString();
    const attachment: Attachment = {
      ...described,
      id: randomUUID(),
      contentHash: sha256,
      storageKey: `${sha256}.dat`,
      refCount: 1,
      referencedBy: [sessionId],
      size,
      createdAt: now,
      lastAccessedAt: now,
    };
    await this.#files.writeAtomic(this.#paths.attachment(attachment.id), JSON.stringify(attachment));
    return attachment;
  }

  /** Throws `notFound` or `damaged`. */
  async get(attachmentId: string): Promise<Attachment> {
    const path = this.#paths.attachment(attachmentId);
    return parseStored(attachmentSchema, await this.#files.read(path), path);
  }

  /** Where the bytes lie. */
  pathOf(attachment: Attachment): string {
    return this.#paths.blob(attachment.contentHash);
  }
}
