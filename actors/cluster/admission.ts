/** Lets only so many of a kind start at once, the others in their order. */
export class Admission {
  readonly #inside = new Map<string, number>();
  readonly #waiting = new Map<string, (() => void)[]>();

  /** Waits for a place at `where`, of which there are `places`; what is returned leaves it, and must be called. */
  async enter(where: string, places: number): Promise<() => void> {
    const inside = this.#inside.get(where) ?? 0;
    // A place that is left goes to who waits longest without being free between.
    if (inside >= places) {
      await new Promise<void>((resolve) => {
        const queue = this.#waiting.get(where) ?? [];
        queue.push(resolve);
        this.#waiting.set(where, queue);
      });
    } else this.#inside.set(where, inside + 1);
    return () => this.#leave(where);
  }

  #leave(where: string): void {
    const next = this.#waiting.get(where)?.shift();
    if (next) return next();
    const inside = (this.#inside.get(where) ?? 1) - 1;
    if (inside > 0) this.#inside.set(where, inside);
    else this.#inside.delete(where);
    this.#waiting.delete(where);
  }
}
