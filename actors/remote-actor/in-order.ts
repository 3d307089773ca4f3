/**
 * Performs what comes with numbers in the order of these. Calls arrive in order, but one that waits for an argument (a
 * large value, the result of another call) is overtaken by those behind it.
 */
export class InOrder {
  readonly #early = new Map<number, () => void>();
  #next = 0;

  /**
   * Performs this now, or when all before it were performed. A number that was performed already is one whose call failed
   * on the way, and which its sender has made again, with nothing in it, for the sake of those behind it.
   */
  take<T>(number: number, perform: () => T): T | Promise<T> {
    if (number < this.#next) return perform();
    if (number > this.#next) {
      return new Promise((resolve, reject) => {
        this.#early.set(number, () => {
          try {
            resolve(perform());
          } catch (cause) {
            reject(cause);
          }
        });
      });
    }
    this.#next++;
    try {
      return perform();
    } finally {
      this.#drain();
    }
  }

  #drain(): void {
    for (let early = this.#early.get(this.#next); early; early = this.#early.get(this.#next)) {
      this.#early.delete(this.#next++);
      early();
    }
  }
}
