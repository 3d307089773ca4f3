/** Something that several workers need; it ends with the last of those that hold it. */
export class Shared {
  readonly #holders = new Set<object>();
  readonly #end: () => Promise<void>;

  constructor(end: () => Promise<void>) {
    this.#end = end;
  }

  hold(holder: object): void {
    this.#holders.add(holder);
  }

  /** Whether anybody holds it. */
  get held(): boolean {
    return this.#holders.size > 0;
  }

  /** Resolves when it has ended, if this was the last that held it. */
  async release(holder: object): Promise<void> {
    if (this.#holders.delete(holder) && this.#holders.size === 0) await this.#end();
  }
}
