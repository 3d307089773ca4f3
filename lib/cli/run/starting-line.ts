/** Tells how many workers have come, on one line of a terminal, which it takes away again; elsewhere nothing. */
export class StartingLine {
  readonly #stream: NodeJS.WriteStream;
  #came = 0;
  #shown = false;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  /** So many more have come; `of` how many there will be is not always known. */
  show(more: number, of: number | undefined): void {
    this.#came += more;
    if (!this.#stream.isTTY) return;
    const all = of === undefined ? '' : ` of ${of}`;
    this.#stream.write(`\r\u001b[Koffsite: ${this.#came}${all} workers`);
    this.#shown = true;
  }

  /** Takes the line away. */
  clear(): void {
    if (this.#shown) this.#stream.write('\r\u001b[K');
    this.#shown = false;
  }
}
