import type { Writable } from 'node:stream';

/** Writes lines to a stream at the speed of its reader, and notices when there is no reader any more. */
export class LineSink {
  readonly #stream: Writable;
  readonly #before: () => void;
  #broken = false;

  /**
   * `before` is called ahead of each write, to take a progress bar out of the way; `onBroken` once, when the
   * reader has gone away (as `head` does when it has enough) or writing failed.
   */
  constructor(stream: Writable, before: () => void, onBroken: (error: NodeJS.ErrnoException) => void) {
    this.#stream = stream;
    this.#before = before;
    stream.on('error', (error) => {
      if (this.#broken) return;
      this.#broken = true;
      onBroken(error);
    });
  }

  /** Writes lines, unless nobody reads. */
  write(lines: readonly string[]): void {
    if (this.#broken || lines.length === 0) return;
    this.#before();
    this.#stream.write(`${lines.join('\n')}\n`);
  }

  /** Resolves when the stream takes more. */
  async room(): Promise<void> {
    if (!this.#stream.writableNeedDrain || this.#broken) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        for (const event of ['drain', 'close', 'error']) this.#stream.off(event, done);
        resolve();
      };
      for (const event of ['drain', 'close', 'error']) this.#stream.on(event, done);
    });
  }
}
