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

  /**
   * Performs a call when what is `coming` is there, that of those before it was, and what else it waits for is; gives its
   * result. What else may take for ever, the result of another call for instance, so those behind it don't wait for that.
   */
  after(
    target: number,
    coming: Promise<unknown> | undefined,
    pending: Promise<unknown> | undefined,
    perform: () => unknown,
  ): Promise<unknown> {
    const before = this.#last.get(target);
    if (pending && !coming && !before) return pending.then(perform);
    const begun = Promise.all([before, coming]);
    // One that fails for want of its arguments does not hold up the next.
    const turn = begun.then(
      () => {},
      () => {},
    );
    this.#last.set(target, turn);
    void turn.then(() => {
      if (this.#last.get(target) === turn) this.#last.delete(target);
    });
    return (pending ? Promise.all([begun, pending]) : begun).then(perform);
  }
}
