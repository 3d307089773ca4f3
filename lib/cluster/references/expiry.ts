interface Due {
  readonly at: number;
  readonly end: () => void;
}

/** Ends things after one and the same time, with one timer, which does not keep the program alive. */
export class Expiry {
  readonly #after: number;
  #queue: Due[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** `after` in milliseconds. */
  constructor(after: number) {
    this.#after = after;
  }

  /** How many there are. */
  get size(): number {
    return this.#queue.length;
  }

  add(end: () => void): void {
    this.#queue.push({ at: performance.now() + this.#after, end });
    this.#timer ??= this.#wait(this.#after);
  }

  /** Nothing is ended any more. */
  close(): void {
    clearTimeout(this.#timer);
    this.#queue = [];
  }

  #wait(time: number): NodeJS.Timeout {
    return setTimeout(() => this.#run(), time).unref();
  }

  #run(): void {
    const now = performance.now();
    let due = 0;
    // Timers of Node.js may be early by a part of a millisecond.
    while (due < this.#queue.length && this.#queue[due]!.at <= now + 1) due++;
    const over = this.#queue.splice(0, due);
    this.#timer = this.#queue.length > 0 ? this.#wait(Math.max(1, this.#queue[0]!.at - now)) : undefined;
    for (const { end } of over) end();
  }
}
