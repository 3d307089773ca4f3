/** Bytes of a block. */
const BLOCK = 1024 * 1024;
/** So many blocks are kept for the next snapshot: new memory costs three times what copying does. */
const KEEP = 64;
/** How long they are kept, in milliseconds. */
const KEEP_FOR = 2_000;

const free: Uint8Array[] = [];
let sweeping: NodeJS.Timeout | undefined;

const sweepSoon = (): void => {
  if (sweeping) return;
  // Memory that nobody needs must not keep the process from ending.
  sweeping = setTimeout(sweep, KEEP_FOR).unref();
};

const sweep = (): void => {
  sweeping = undefined;
  free.length = 0;
};

/** Bytes as they are now, in blocks of one MiB which are used again, whatever happens to the bytes later. */
export class Snapshot {
  readonly #blocks: Uint8Array[] = [];
  readonly size: number;

  constructor(bytes: Uint8Array) {
    this.size = bytes.byteLength;
    for (let at = 0; at < this.size; at += BLOCK) {
      const block = free.pop() ?? new Uint8Array(BLOCK);
      block.set(bytes.subarray(at, at + BLOCK));
      this.#blocks.push(block);
    }
  }

  /** What lies from `start` on, `most` bytes of it at most, and where a block ends fewer. */
  part(start: number, most: number): Uint8Array {
    const at = start % BLOCK;
    const end = Math.min(at + most, BLOCK, at + this.size - start);
    return this.#blocks[Math.floor(start / BLOCK)]!.subarray(at, end);
  }

  /** What lies before `end` has left: the block that ends there, if one does, is free. */
  left(end: number): void {
    if (end % BLOCK !== 0 && end !== this.size) return;
    const block = this.#blocks[Math.ceil(end / BLOCK) - 1]!;
    if (free.length < KEEP) free.push(block);
    sweepSoon();
  }
}
