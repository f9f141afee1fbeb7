/**
 * The one small interface through which everything durable is written.
 * Invariant: a name is visible only when the bytes behind it are on the disk.
 */
import { createHash, randomUUID } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { type FileHandle, copyFile, link, mkdir, open, readFile, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { toCodedError } from '../../shared/errors.ts';

export interface FileFacts {
  readonly size: number;
  readonly mtimeMs: number;
}

export interface Files {
  /** Throws `notFound` when there is no such file. */
  read(path: string): Promise<Buffer>;
  facts(path: string): Promise<FileFacts | undefined>;
  /** Names in a folder, unsorted; none when the folder is missing. */
  list(folder: string): Promise<string[]>;
  /** Temporary name, fsync, rename, fsync of the folder: after this the file is the new one, before it the old one, never half of either. */
  writeAtomic(path: string, data: string | Uint8Array): Promise<void>;
  /** SHA-256 and size in bytes, streamed. */
  hash(path: string): Promise<{ sha256: string; size: number }>;
  /** Gives an existing, finished file a second name, synced; copies where the file system has no hard links. Nothing happens when `target` exists. */
  linkInto(source: string, target: string): Promise<void>;
  removeTree(path: string): Promise<void>;
}

export const diskFiles: Files = {
  read: (path) => coded(() => readFile(path)),

  facts: (path) =>
    coded(async () => {
      try {
        const { size, mtimeMs } = await stat(path);
        return { size, mtimeMs };
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    }),

  list: (folder) =>
    coded(async () => {
      try {
        return await readdir(folder);
      } catch (error) {
        if (isMissing(error)) return [];
        throw error;
      }
    }),

  writeAtomic: (path, data) =>
    coded(async () => {
      await mkdir(dirname(path), { recursive: true });
      const temporary = temporaryNameFor(path);
      try {
        await withFile(temporary, 'wx', async (file) => {
          await file.writeFile(data);
          await file.sync();
        });
        await rename(temporary, path);
      } catch (error) {
        await rm(temporary, { force: true });
        throw error;
      }
      await syncFolder(dirname(path));
    }),

  hash: (path) =>
    coded(async () => {
      const hash = createHash('sha256');
      let size = 0;
      await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), async (chunks: AsyncIterable<Buffer>) => {
        for await (const chunk of chunks) {
          hash.update(chunk);
          size += chunk.length;
        }
      });
      return { sha256: hash.digest('hex'), size };
    }),

  linkInto: (source, target) =>
    coded(async () => {
      await mkdir(dirname(target), { recursive: true });
      await withFile(source, 'r+', (file) => file.sync());
      try {
        await link(source, target);
      } catch (error) {
        if (errnoOf(error) === 'EEXIST') return;
        if (!['EPERM', 'ENOTSUP', 'EXDEV', 'EMLINK', 'ENOSYS'].includes(errnoOf(error) ?? '')) throw error;
        await copyDurably(source, target);
      }
      await syncFolder(dirname(target));
    }),

  removeTree: (path) => coded(() => rm(path, { recursive: true, force: true })),
};

async function copyDurably(source: string, target: string): Promise<void> {
  const temporary = temporaryNameFor(target);
  try {
    await copyFile(source, temporary, constants.COPYFILE_EXCL);
    await withFile(temporary, 'r+', (file) => file.sync());
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** A name in the same folder, so that the rename stays within one file system; the dot keeps it out of listings. */
function temporaryNameFor(path: string): string {
  return join(dirname(path), `.${randomUUID()}.tmp`);
}

async function withFile<T>(path: string, flags: string, use: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await open(path, flags);
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

/** Makes a rename or a new name durable. Windows has no way to sync a folder and refuses to open one. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  await withFile(folder, 'r', (file) => file.sync());
}

async function coded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toCodedError(error, 'ioError');
  }
}

function isMissing(error: unknown): boolean {
  return errnoOf(error) === 'ENOENT';
}

function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
