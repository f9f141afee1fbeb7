/** The list of sessions as this window shows it: opens the index when it is first needed and says when it changed. */
import type { SessionMetadata } from '../../shared/model/sessionMetadata.ts';
import { DisposableStore } from '../platform/disposable.ts';
import { Emitter } from '../platform/emitter.ts';
import { type SessionFilter, SessionIndex, type SessionIndexOptions } from './sessionIndex.ts';

export class SessionCatalog extends DisposableStore {
  readonly #options: SessionIndexOptions;
  readonly #changed = this.own(new Emitter<void>());
  #index: SessionIndex | undefined;
  /** Looks at the disk one after another. */
  #tail: Promise<unknown> = Promise.resolve();

  constructor(options: SessionIndexOptions) {
    super();
    this.#options = options;
    this.own({ dispose: () => this.#index?.close() });
  }

  readonly onDidChange = this.#changed.event;

  /** Newest first; empty until the first `refresh`. */
  list(filter?: SessionFilter): SessionMetadata[] {
    return this.isDisposed ? [] : (this.#index?.list(filter) ?? []);
  }

  /** Brings the list up to date with the files, which other windows write too. */
  refresh(): Promise<void> {
    const refreshed = this.#tail.then(() => this.#refresh());
    this.#tail = refreshed.catch(() => undefined);
    return refreshed;
  }

  async #refresh(): Promise<void> {
    if (this.isDisposed) return;
    if (this.#index) {
      if (!(await this.#index.refresh())) return;
    } else {
      this.#index = await SessionIndex.open(this.#options);
    }
    this.#changed.fire();
  }
}
