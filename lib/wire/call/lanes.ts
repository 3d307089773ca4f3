/** Keeps the order of calls on one target while the arguments of one of them are still coming. */
export class Lanes {
  readonly #last = new Map<number, Promise<unknown>>();

  /** How many targets have calls that wait. */
  get size(): number {
    return this.#last.size;
  }

  /** Whether a call on this target must wait although it is whole. */
  has(target: number): boolean {
    return this.#last.size > 0 && this.#last.has(target);
  }

  /** Performs a call when what it waits for is there and the calls before it have begun; gives its result. */
  after(target: number, pending: Promise<unknown> | undefined, perform: () => unknown): Promise<unknown> {
    const before = this.#last.get(target);
    const begun = Promise.all([before, pending]);
    // One that fails for want of its arguments does not hold up the next.
    const turn = begun.then(
      () => {},
      () => {},
    );
    this.#last.set(target, turn);
    void turn.then(() => {
      if (this.#last.get(target) === turn) this.#last.delete(target);
    });
    return begun.then(perform);
  }
}
