/** Where the elements of a map come from. It is asked for some, and says when more are there. */
export interface Elements {
  /** How many are to come, if that is known before they have. */
  readonly total: number | undefined;
  /** Whether there is nothing more to come. */
  readonly exhausted: boolean;
  /** Whether one is there now; if not, and it may come, that is told later. Throws what the iterable throws. */
  ready(): boolean;
  /** At most so many of those that are there; none if none is there yet. Throws what the iterable throws. */
  take(most: number): unknown[];
  /** Nobody takes any more. */
  close(): void;
}

/** The elements of an array, or of what is like one. */
class ArrayElements implements Elements {
  readonly total: number;
  readonly #array: readonly unknown[];
  #next = 0;

  constructor(array: readonly unknown[]) {
    this.#array = array;
    this.total = array.length;
  }

  get exhausted(): boolean {
    return this.#next >= this.total;
  }

  ready(): boolean {
    return !this.exhausted;
  }

  take(most: number): unknown[] {
    const end = Math.min(this.#next + most, this.total);
    const taken = this.#array.slice(this.#next, end);
    this.#next = end;
    return taken;
  }

  close(): void {
    this.#next = this.total;
  }
}

/** What an iterable says of how much it holds: Sets, Maps, and what is like an array. */
const sizeOf = (iterable: object): number | undefined => {
  const { size } = iterable as { size?: unknown };
  return typeof size === 'number' && size >= 0 ? size : undefined;
};

/** The elements of an iterable, which gives them as they are asked for. */
class IterableElements implements Elements {
  readonly total: number | undefined;
  readonly #iterator: Iterator<unknown>;
  /** Read to know whether there is one. */
  readonly #ahead: unknown[] = [];
  #ended = false;

  constructor(iterable: Iterable<unknown>) {
    this.total = sizeOf(iterable);
    this.#iterator = iterable[Symbol.iterator]();
  }

  get exhausted(): boolean {
    return this.#ended && this.#ahead.length === 0;
  }

  ready(): boolean {
    if (this.#ahead.length === 0) this.#ahead.push(...this.#read(1));
    return this.#ahead.length > 0;
  }

  take(most: number): unknown[] {
    const ahead = this.#ahead.splice(0, most);
    const read = this.#read(most - ahead.length);
    return ahead.length === 0 ? read : [...ahead, ...read];
  }

  close(): void {
    this.#ahead.length = 0;
    if (this.#ended) return;
    this.#ended = true;
    this.#iterator.return?.();
  }

  #read(most: number): unknown[] {
    const read: unknown[] = [];
    while (!this.#ended && read.length < most) {
      let next: IteratorResult<unknown>;
      try {
        next = this.#iterator.next();
      } catch (error) {
        // What has thrown is over, and is not asked to return.
        this.#ended = true;
        throw error;
      }
      if (next.done) this.#ended = true;
      else read.push(next.value);
    }
    return read;
  }
}

/** The elements of an async iterable: read ahead only as far as somebody has asked for. */
class AsyncElements implements Elements {
  readonly total = undefined;
  readonly #iterator: AsyncIterator<unknown>;
  readonly #onNews: () => void;
  readonly #there: unknown[] = [];
  #wanted = 0;
  #reading = false;
  #ended = false;
  #told = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(iterable: AsyncIterable<unknown>, onNews: () => void) {
    this.#iterator = iterable[Symbol.asyncIterator]();
    this.#onNews = onNews;
  }

  get exhausted(): boolean {
    return this.#ended && this.#there.length === 0 && !this.#failure;
  }

  ready(): boolean {
    if (this.#there.length === 0) this.#ask(1);
    return this.#there.length > 0;
  }

  take(most: number): unknown[] {
    this.#ask(most);
    const taken = this.#there.splice(0, most);
    // The next batch gathers while this one is on its way.
    this.#ask(most);
    return taken;
  }

  #ask(most: number): void {
    if (this.#failure) {
      const { error } = this.#failure;
      this.#failure = undefined;
      throw error;
    }
    this.#wanted = most;
    if (!this.#reading && !this.#ended) void this.#read();
  }

  close(): void {
    this.#failure = undefined;
    this.#there.length = 0;
    if (this.#ended) return;
    this.#ended = true;
    // It may be in the midst of its next element; what it does at its end is its own affair.
    void Promise.resolve(this.#iterator.return?.()).catch(() => {});
  }

  async #read(): Promise<void> {
    this.#reading = true;
    try {
      while (!this.#ended && this.#there.length < this.#wanted) {
        const next = await this.#iterator.next();
        if (this.#ended) break;
        if (next.done) this.#ended = true;
        else this.#there.push(next.value);
        this.#tell();
      }
    } catch (error) {
      if (!this.#ended) this.#failure = { error };
      this.#ended = true;
      this.#tell();
    }
    this.#reading = false;
  }

  /** Those that come in one turn are told of together: a batch of many is cheaper than many batches. */
  #tell(): void {
    if (this.#told) return;
    this.#told = true;
    setImmediate(() => {
      this.#told = false;
      this.#onNews();
    });
  }
}

/** The elements of what a user gave; `onNews` is called when some came later. Throws TypeError for what can't be iterated. */
export const elementsOf = (
  input: Iterable<unknown> | AsyncIterable<unknown>,
  onNews: () => void,
): Elements => {
  if (Array.isArray(input)) return new ArrayElements(input);
  if (typeof (input as Partial<AsyncIterable<unknown>> | null)?.[Symbol.asyncIterator] === 'function') {
    return new AsyncElements(input as AsyncIterable<unknown>, onNews);
  }
  if (typeof (input as Partial<Iterable<unknown>> | null)?.[Symbol.iterator] === 'function') {
    return new IterableElements(input as Iterable<unknown>);
  }
  throw new TypeError('The elements of a map are given by an iterable or an async iterable.');
};
