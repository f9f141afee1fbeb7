/** The chunk logs of one kind, a log for each session; writers are kept while their session records. */
import type { CodedError } from '../../shared/errors.ts';
import type { Files } from '../platform/files.ts';
import { type ChunkFormat, ChunkLog } from './chunkLog.ts';
import type { ChunkKind, StoragePaths } from './storagePaths.ts';

export type OnDamaged = (error: CodedError) => void;

export interface ChunkStoreOptions {
  readonly files: Files;
  readonly paths: StoragePaths;
  readonly now: () => Date;
  readonly onDamaged: OnDamaged;
}

export class ChunkStore<Item> {
  readonly #options: ChunkStoreOptions;
  readonly #kind: ChunkKind;
  readonly #format: ChunkFormat<Item>;
  readonly #writers = new Map<string, ChunkLog<Item>>();

  constructor(options: ChunkStoreOptions, kind: ChunkKind, format: ChunkFormat<Item>) {
    this.#options = options;
    this.#kind = kind;
    this.#format = format;
  }

  append(sessionId: string, items: readonly Item[], onWritten?: (count: number) => void): Promise<void> {
    const writer = this.#writers.get(sessionId) ?? this.#open(sessionId);
    this.#writers.set(sessionId, writer);
    return writer.append(items, onWritten);
  }

  /** Every item that can be read; the chunks that cannot are reported, to the caller too, and left as they are. */
  async read(sessionId: string, onDamaged?: OnDamaged): Promise<Item[]> {
    const { items, damaged } = await this.#open(sessionId).read();
    for (const error of damaged) {
      this.#options.onDamaged(error);
      onDamaged?.(error);
    }
    return items;
  }

  release(sessionId: string): void {
    this.#writers.delete(sessionId);
  }

  #open(sessionId: string): ChunkLog<Item> {
    const { files, paths, now } = this.#options;
    return new ChunkLog({
      files,
      sessionId,
      folder: paths.chunkFolder(this.#kind, sessionId),
      pathOf: (index) => paths.chunk(this.#kind, sessionId, index),
      format: this.#format,
      now,
    });
  }
}
