/** Ownership made visible: what a class makes it registers here, and it is disposed in reverse order. */

export interface Disposable {
  dispose(): void;
}

export abstract class DisposableStore implements Disposable {
  readonly #owned: Disposable[] = [];
  #disposed = false;

  get isDisposed(): boolean {
    return this.#disposed;
  }

  /** Takes ownership; what comes after `dispose` is disposed at once, so that nothing leaks from a late callback. */
  protected own<T extends Disposable>(disposable: T): T {
    if (this.#disposed) disposable.dispose();
    else this.#owned.push(disposable);
    return disposable;
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const disposable of this.#owned.splice(0).reverse()) disposable.dispose();
  }
}
