import type { Buffer } from 'node:buffer';

/** What did not fit into a ring yet, in order, with how many bytes that are. */
export class RingQueue {
  /** `undefined` stands for a message that lies beside the ring already and is only to be announced. */
  #records: (Buffer | undefined)[] = [];
  #sizes: number[] = [];
  /** Where the first is; taking it from the front of an array would move all others. */
  #first = 0;
  /** How many bytes wait. */
  bytes = 0;

  get empty(): boolean {
    return this.#first === this.#records.length;
  }

  /** The first record; only if it is not empty. */
  get first(): Buffer | undefined {
    return this.#records[this.#first];
  }

  /** How large the message of the first record is. */
  get firstSize(): number {
    return this.#sizes[this.#first] ?? 0;
  }

  /** Puts a record behind the others; `size` is that of the message, wherever it lies. */
  push(record: Buffer | undefined, size: number): void {
    this.#records.push(record);
    this.#sizes.push(size);
    this.bytes += size;
  }

  /** Takes the first one out. */
  shift(): void {
    this.bytes -= this.#sizes[this.#first]!;
    this.#records[this.#first] = undefined;
    this.#first++;
    if (this.empty) this.clear();
  }

  /** Forgets all. */
  clear(): void {
    this.#records = [];
    this.#sizes = [];
    this.#first = 0;
    this.bytes = 0;
  }
}
