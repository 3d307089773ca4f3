/** Promises that all resolve when something has come about; a link has some for each thing that can be waited for. */
export class Waiters {
  #resolve: (() => void)[] = [];

  /** Resolves at the next `release`. */
  wait(): Promise<void> {
    return new Promise((resolve) => {
      this.#resolve.push(resolve);
    });
  }

  /** It has come about: resolves all. */
  release(): void {
    if (this.#resolve.length === 0) return;
    for (const resolve of this.#resolve.splice(0)) resolve();
  }
}
