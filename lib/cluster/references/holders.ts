/**
 * Which processes hold a reference, as its owner knows. A handle that is on its way is a loan, which counts as a holder
 * until who got it has told, or its time is over.
 */
export class Holders {
  readonly #ids = new Set<number>();
  readonly #loans = new Set<string>();
  /** Claims that were quicker than the word of their loans: their ways are not the same. */
  readonly #early = new Set<string>();

  get ids(): ReadonlySet<number> {
    return this.#ids;
  }

  /** How many handles are on their way. */
  get loans(): number {
    return this.#loans.size;
  }

  get empty(): boolean {
    return this.#ids.size === 0 && this.#loans.size === 0;
  }

  add(id: number): void {
    this.#ids.add(id);
  }

  /** Whether it was one. */
  delete(id: number): boolean {
    return this.#ids.delete(id);
  }

  lend(token: string): void {
    if (!this.#early.delete(token)) this.#loans.add(token);
  }

  claim(token: string, by: number): void {
    this.#ids.add(by);
    if (!this.#loans.delete(token)) this.#early.add(token);
  }

  /** The time of a token is over, whatever it stood for. */
  expire(token: string): void {
    this.#loans.delete(token);
    this.#early.delete(token);
  }
}
