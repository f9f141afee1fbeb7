/** The folder from which one panel may load: it holds hard links to the media of the session shown, and nothing else. */
import { randomBytes } from 'node:crypto';
import { link, mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CodedError, toCodedError } from '../../shared/errors.ts';
import { idSchema } from '../../shared/model/identifiers.ts';
import type { Disposable } from '../platform/disposable.ts';
import type { ReviewAttachments } from './reviewStore.ts';

/**
 * VS Code lets a webview load from folders, never from single files: it compares a resource with each root plus a
 * separator. The blobs of all sessions lie in one folder, so that folder as a root would open every session to every
 * panel. A hard link costs no space and also carries a proper extension, from which VS Code derives the media type.
 */
export class SessionMediaFolder implements Disposable {
  /** The one folder that the panel may load media from. */
  readonly root: string;
  readonly #linkFolder: string;
  readonly #linksWork: boolean;
  readonly #attachments: ReviewAttachments;
  readonly #placed = new Map<string, Promise<string>>();

  private constructor(linkFolder: string, linksWork: boolean, blobFolder: string, attachments: ReviewAttachments) {
    this.root = linksWork ? linkFolder : blobFolder;
    this.#linkFolder = linkFolder;
    this.#linksWork = linksWork;
    this.#attachments = attachments;
  }

  /** Where the file system has no hard links (FAT, some network drives) the root is the folder of all blobs. */
  static async create(
    windowFolder: string,
    sessionId: string,
    blobFolder: string,
    attachments: ReviewAttachments,
  ): Promise<SessionMediaFolder> {
    // A panel that is closed and opened again must not meet the removal of its own links.
    const linkFolder = join(windowFolder, `${idSchema.parse(sessionId)}-${randomBytes(4).toString('hex')}`);
    await mkdir(linkFolder, { recursive: true });
    return new SessionMediaFolder(linkFolder, await hardLinksWork(linkFolder), blobFolder, attachments);
  }

  /** The path of an attachment inside `root`; rejects with `notFound` when its bytes are gone. */
  place(attachmentId: string): Promise<string> {
    const known = this.#placed.get(attachmentId);
    if (known) return known;
    const placing = this.#place(attachmentId);
    this.#placed.set(attachmentId, placing);
    // What failed is tried again when the panel asks again.
    placing.catch(() => this.#placed.delete(attachmentId));
    return placing;
  }

  /** The links go with the panel, so that deleting a session frees its bytes even while other panels are open. */
  dispose(): void {
    void this.remove();
  }

  /** `dispose`, for whoever wants to wait for it. */
  async remove(): Promise<void> {
    this.#placed.clear();
    await rm(this.#linkFolder, { recursive: true, force: true }).catch(() => undefined);
  }

  async #place(attachmentId: string): Promise<string> {
    const attachment = await this.#attachments.get(attachmentId);
    if (!attachment) throw new CodedError('notFound', `There is no attachment ${attachmentId}`);
    const blob = this.#attachments.pathOf(attachment);
    try {
      if (!this.#linksWork) {
        await stat(blob);
        return blob;
      }
      const path = join(this.#linkFolder, `${attachment.contentHash}${extensionOf(attachment.mimeType)}`);
      // Two attachments may share one blob, and so one link.
      await link(blob, path).catch((error: unknown) => {
        if (!hasCode(error, 'EEXIST')) throw error;
      });
      return path;
    } catch (error) {
      throw toCodedError(error);
    }
  }
}

/** Removes what windows that are gone left behind: a window's folder is named by its process. */
export async function sweepWindowFolders(reviewFolder: string, isAlive: (pid: number) => boolean): Promise<void> {
  const names = await readdir(reviewFolder).catch(() => []);
  for (const name of names) {
    const pid = /^(\d+)-/.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) {
      await rm(join(reviewFolder, name), { recursive: true, force: true }).catch(() => undefined);
    }
  }
}

async function hardLinksWork(folder: string): Promise<boolean> {
  const [file, second] = [join(folder, 'probe'), join(folder, 'probe-link')];
  try {
    await writeFile(file, '');
    await link(file, second);
    return true;
  } catch {
    return false;
  } finally {
    await Promise.all([file, second].map((path) => rm(path, { force: true }).catch(() => undefined)));
  }
}

function extensionOf(mimeType: string): string {
  switch (mimeType) {
    case 'image/png':
      return '.png';
    case 'image/jpeg':
      return '.jpg';
    case 'image/webp':
      return '.webp';
    case 'audio/wav':
    case 'audio/x-wav':
    case 'audio/wave':
      return '.wav';
    case 'audio/mpeg':
      return '.mp3';
    case 'video/mp4':
      return '.mp4';
    default:
      return '.dat';
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
