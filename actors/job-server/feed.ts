/** What comes one after the other until an end; each reader gets all of it from the beginning, as far as it is kept. */
export class Feed<T> implements AsyncIterable<T> {
  readonly #kept: T[] = [];
  /** How many were dropped in front of those that are kept. */
  #dropped = 0;
  #ended = false;
  #waiting: (() => void)[] = [];

  /** What is kept. */
  get kept(): readonly T[] {
    return this.#kept;
  }

  push(value: T): void {
    if (this.#ended) return;
    this.#kept.push(value);
    this.#wake();
  }

  /** Forgets the first one; readers that have not come to it pass over it. */
  drop(): T | undefined {
    this.#dropped++;
    return this.#kept.shift();
  }

  /** Nothing more will come. */
  end(): void {
    this.#ended = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, undefined> {
    for (let at = 0; ; ) {
      at = Math.max(at, this.#dropped);
      if (at - this.#dropped < this.#kept.length) yield this.#kept[at++ - this.#dropped]!;
      else if (this.#ended) return;
      else await new Promise<void>((resolve) => void this.#waiting.push(resolve));
    }
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
}
