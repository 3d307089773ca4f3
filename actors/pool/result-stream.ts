import type { Results } from './map-run.ts';

/** Results on their way from a map to who reads them, so many at most. */
export class ResultStream implements Results {
  readonly #ahead: number;
  readonly #ordered: boolean;
  readonly #onRead: () => void;
  /** Those that can be read. */
  #ready: unknown[] = [];
  #read = 0;
  /** Those that wait for one before them, by their index. */
  readonly #held = new Map<number, unknown>();
  #next = 0;
  /** Elements that were begun and not read yet. */
  #begun = 0;
  #finish: { readonly error?: unknown } | undefined;
  #wake: (() => void) | undefined;

  /** At most `ahead` elements are between their beginning and the reader; `onRead` is called when there is room again. */
  constructor(ahead: number, ordered: boolean, onRead: () => void) {
    this.#ahead = ahead;
    this.#ordered = ordered;
    this.#onRead = onRead;
  }

  room(): number {
    return Math.max(0, this.#ahead - this.#begun);
  }

  begin(count: number): void {
    this.#begun += count;
  }

  put(index: number, value: unknown): void {
    if (!this.#ordered) this.#ready.push(value);
    else {
      this.#held.set(index, value);
      while (this.#held.has(this.#next)) {
        this.#ready.push(this.#held.get(this.#next));
        this.#held.delete(this.#next++);
      }
    }
    if (this.#ready.length > 0) this.#wake?.();
  }

  /** No more will come. */
  end(): void {
    this.#finish ??= {};
    this.#wake?.();
  }

  /** The map has failed; what was ready before is read first. */
  fail(error: unknown): void {
    this.#finish ??= { error };
    this.#wake?.();
  }

  async *read(): AsyncGenerator<unknown, void, undefined> {
    for (;;) {
      while (this.#read < this.#ready.length) {
        const value = this.#ready[this.#read];
        this.#ready[this.#read++] = undefined;
        this.#begun--;
        // Half of what may be ahead, so that batches are not of one element each.
        if (this.room() === Math.ceil(this.#ahead / 2)) this.#onRead();
        yield value;
      }
      this.#ready = [];
      this.#read = 0;
      if (this.#finish) {
        if ('error' in this.#finish) throw this.#finish.error;
        return;
      }
      this.#onRead();
      if (this.#ready.length > 0 || this.#finish) continue;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
  }
}
