/**
 * Performs what comes with numbers in the order of these. Calls arrive in order, but one that waits for an argument (a
 * large value, the result of another call) is overtaken by those behind it.
 */
export class InOrder {
  readonly #early = new Map<number, () => void>();
  #next = 0;

  /** Performs this now, or when all before it were performed; `perform` must not throw. */
  take<T>(number: number, perform: () => T): T | Promise<T> {
    if (number !== this.#next) {
      return new Promise((resolve) => this.#early.set(number, () => resolve(perform())));
    }
    this.#next++;
    const done = perform();
    for (let early = this.#early.get(this.#next); early; early = this.#early.get(this.#next)) {
      this.#early.delete(this.#next++);
      early();
    }
    return done;
  }
}
