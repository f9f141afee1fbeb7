/**
 * An append-only list of items, stored as numbered chunk files of bounded size.
 * Invariant: an append costs one small file, whatever the list's length; chunks before the last are never written again.
 */
import { createHash } from 'node:crypto';
import * as z from 'zod';
import { CodedError } from '../../shared/errors.ts';
import type { Files } from '../platform/files.ts';
import { checkStored, parseStoredJson } from './parseStored.ts';

/** How one kind of chunk holds its items. */
export interface ChunkFormat<Item> {
  readonly maxItems: number;
  readonly itemsKey: string;
  readonly item: z.ZodType<Item>;
  /** What the chunk says of its items beside their list. */
  readonly summarize: (items: readonly Item[]) => Readonly<Record<string, unknown>>;
}

export interface ChunkLogOptions<Item> {
  readonly files: Files;
  readonly sessionId: string;
  readonly folder: string;
  readonly pathOf: (chunkIndex: number) => string;
  readonly format: ChunkFormat<Item>;
  readonly now: () => Date;
}

export class ChunkLog<Item> {
  readonly #options: ChunkLogOptions<Item>;
  /** The chunk that is still growing; unknown until the first append looked at the folder. */
  #last: { index: number; items: readonly Item[] } | undefined;
  /** Appends are written one after another, in the order of the calls. */
  #tail: Promise<unknown> = Promise.resolve();

  constructor(options: ChunkLogOptions<Item>) {
    this.#options = options;
  }

  /**
   * Resolves when the items are on the disk. `onWritten` is told of every part that is, in order: after an error in
   * the middle, the caller repeats the call with what is left.
   */
  append(items: readonly Item[], onWritten?: (count: number) => void): Promise<void> {
    const written = this.#tail.then(() => this.#append(items, onWritten));
    this.#tail = written.catch(() => undefined);
    return written;
  }

  /** Every item that can be read, in order, and what was wrong with the chunks that could not. */
  async read(): Promise<{ items: Item[]; damaged: CodedError[] }> {
    const items: Item[] = [];
    const damaged: CodedError[] = [];
    for (const index of await this.#chunkIndexes()) {
      try {
        items.push(...(await this.#readChunk(index)));
      } catch (error) {
        if (!(error instanceof CodedError && error.code === 'damaged')) throw error;
        damaged.push(error);
      }
    }
    return { items, damaged };
  }

  async #append(items: readonly Item[], onWritten: ((count: number) => void) | undefined): Promise<void> {
    this.#last ??= await this.#findLast();
    let remaining = items;
    while (remaining.length > 0) {
      const { maxItems } = this.#options.format;
      const isFull = this.#last.items.length >= maxItems;
      const index: number = isFull ? this.#last.index + 1 : this.#last.index;
      const kept = isFull ? [] : this.#last.items;
      const taken = remaining.slice(0, maxItems - kept.length);
      await this.#writeChunk(index, [...kept, ...taken]);
      onWritten?.(taken.length);
      remaining = remaining.slice(taken.length);
    }
  }

  async #writeChunk(index: number, items: readonly Item[]): Promise<void> {
    const { files, format, pathOf, now, sessionId } = this.#options;
    const chunk = {
      sessionId,
      chunkIndex: index,
      [format.itemsKey]: items,
      ...format.summarize(items),
      checksum: checksumOf(items),
      createdAt: now().toISOString(),
    };
    await files.writeAtomic(pathOf(index), JSON.stringify(chunk));
    this.#last = { index, items };
  }

  /** A damaged last chunk is left as it is: writing goes on in a new one behind it. */
  async #findLast(): Promise<{ index: number; items: readonly Item[] }> {
    const index = (await this.#chunkIndexes()).at(-1);
    if (index === undefined) return { index: 0, items: [] };
    try {
      return { index, items: await this.#readChunk(index) };
    } catch (error) {
      if (error instanceof CodedError && error.code === 'damaged') return { index: index + 1, items: [] };
      throw error;
    }
  }

  async #readChunk(index: number): Promise<readonly Item[]> {
    const { files, pathOf, format } = this.#options;
    const path = pathOf(index);
    const json = parseStoredJson(await files.read(path), path);
    const { checksum, [format.itemsKey]: items } = checkStored(chunkSchema, json, path);
    // Before the schema, which may reorder or drop keys: the checksum is of what lies on disk.
    if (checksumOf(items) !== checksum) throw new CodedError('damaged', `${path} does not match its checksum.`);
    return checkStored(z.array(format.item), items, path);
  }

  async #chunkIndexes(): Promise<number[]> {
    const names = await this.#options.files.list(this.#options.folder);
    return names
      .flatMap((name) => /^(\d+)\.json$/.exec(name)?.[1] ?? [])
      .map(Number)
      .sort((a, b) => a - b);
  }
}

const chunkSchema = z.looseObject({ checksum: z.string() });

/** SHA-256 of the items' JSON, hex. */
function checksumOf(items: unknown): string {
  return createHash('sha256')
    .update(items === undefined ? '' : JSON.stringify(items))
    .digest('hex');
}
