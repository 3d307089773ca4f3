/**
 * Puts results back into the order of their inputs while holding a bounded number of them: who wants to start
 * on an input is admitted only while fewer than `size` inputs are between admission and output. One slow input
 * can so delay the others, but never make them pile up.
 */
export class ReorderWindow {
  readonly #size: number;
  readonly #held = new Map<number, string>();
  readonly #waiting: (() => void)[] = [];
  #next = 0;
  #open = 0;
  #closed = false;

  constructor(size: number) {
    this.#size = size;
  }

  /** How many results wait for one that comes before them. */
  get held(): number {
    return this.#held.size;
  }

  /** Resolves when there is room for one more input; at once after `close`. */
  async admit(): Promise<void> {
    while (this.#open >= this.#size && !this.#closed) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#open += 1;
  }

  /** Gives an admission back that was not used, because the inputs had come to their end. */
  leave(): void {
    this.#open -= 1;
    this.#waiting.shift()?.();
  }

  /** Takes the line of one input and returns the lines that may be written now, in order. */
  put(index: number, line: string): string[] {
    this.#held.set(index, line);
    const ready: string[] = [];
    for (let next = this.#held.get(this.#next); next !== undefined; next = this.#held.get(this.#next)) {
      this.#held.delete(this.#next);
      this.#next += 1;
      ready.push(next);
      this.leave();
    }
    return ready;
  }

  /** Lets everybody in who waits, because nothing will be written any more. */
  close(): void {
    this.#closed = true;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
