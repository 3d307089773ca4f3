/** Those who want to know when a peer is gone. */
export class EndWatchers {
  readonly #watchers = new Set<(cause: unknown) => void>();
  #cause: (() => unknown) | undefined;

  /** `watcher` is to be told, soon if the peer is gone already; the returned function takes that back. */
  add(watcher: (cause: unknown) => void): () => void {
    // A set holds each function once, and one function may be given twice.
    const own = (cause: unknown) => watcher(cause);
    this.#watchers.add(own);
    if (this.#cause) this.tell(this.#cause);
    return () => this.#watchers.delete(own);
  }

  /** The peer is gone; each is told by itself, because it may throw. */
  tell(cause: () => unknown): void {
    this.#cause = cause;
    for (const watcher of this.#watchers) {
      queueMicrotask(() => {
        // Unless it was taken back meanwhile.
        if (this.#watchers.delete(watcher)) watcher(cause());
      });
    }
  }
}
