/** Some workers that were to be added did not come; those that came are in the cluster. Each error tells of one. */
export class AddProcsError extends AggregateError {
  readonly code = 'ERR_OFFSITE_ADD_PROCS';
  /** Those that came. */
  readonly ids: readonly number[];

  constructor(errors: readonly unknown[], ids: readonly number[]) {
    const [first] = errors;
    const why = first instanceof Error ? first.message : String(first);
    const came = ids.length === 0 ? 'none came' : `those that came are ${ids.join(', ')}`;
    super(
      errors,
      `${errors.length} of ${errors.length + ids.length} workers could not be added (${came}): ${why}`,
    );
    this.name = 'AddProcsError';
    this.ids = ids;
  }
}

/** The longest time that Node's timers take. */
const FOREVER = 2 ** 31 - 1;

/** Workers that are being added: awaited, all their ids in order; iterated, each as it comes. */
export class AddedProcs implements PromiseLike<number[]>, AsyncIterable<number> {
  readonly #came: number[] = [];
  readonly #done: Promise<number[]>;
  /** Those who iterate and have seen all so far. */
  readonly #waiting = new Set<() => void>();
  #over = false;

  /** `add` adds them, and tells of each; it resolves to the failures. */
  constructor(add: (came: (id: number) => void) => Promise<readonly unknown[]>) {
    this.#done = add((id) => {
      this.#came.push(id);
      this.#wake();
    }).then((failures) => {
      const ids = [...this.#came].sort((a, b) => a - b);
      if (failures.length > 0) throw new AddProcsError(failures, ids);
      return ids;
    });
    const end = () => {
      this.#over = true;
      this.#wake();
    };
    // Who only iterates learns of it there.
    this.#done.then(end, end);
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  // biome-ignore lint/suspicious/noThenProperty: it stands for all of them
  then<A = number[], B = never>(
    fulfilled?: ((ids: number[]) => A | PromiseLike<A>) | null,
    rejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#done.then(fulfilled, rejected);
  }

  /** Each id as it comes; the failures are thrown at the end, together. */
  async *[Symbol.asyncIterator](): AsyncGenerator<number, void, undefined> {
    for (let given = 0; ; ) {
      while (given < this.#came.length) yield this.#came[given++]!;
      if (this.#over) break;
      // Whoever waits holds the program: workers may come that nobody here has started.
      const holder = setInterval(() => {}, FOREVER);
      await new Promise<void>((resolve) => {
        this.#waiting.add(resolve);
      });
      clearInterval(holder);
    }
    await this.#done;
  }
}
