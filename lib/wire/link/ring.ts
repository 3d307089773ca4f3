import { Buffer } from 'node:buffer';

/** Words of a ring's head, each on a cache line of its own, because one side writes it while the other reads. */
const WRITTEN = 0;
const READ = 16;
const READER_SLEEPS = 32;
const WRITER_SLEEPS = 48;
const HEAD_WORDS = 64;
const HEAD_BYTES = HEAD_WORDS * 4;

/** A record's size that says: go on at the ring's beginning. */
const WRAP = 0xffffffff;
/** A record's size that says: the message lies beside the ring. */
const BESIDE = 0xfffffffe;

/** Bytes that one direction of a virtual site's link holds. */
export const RING_BYTES = 1 << 20;
/** What is larger goes beside the ring, so that it never waits for much of it to be read. */
export const LARGEST_RECORD = RING_BYTES / 4;

/** Memory for one direction. */
export const ringMemory = (): SharedArrayBuffer => new SharedArrayBuffer(HEAD_BYTES + RING_BYTES);

const align = (size: number): number => (size + 3) & ~3;

/**
 * A single-producer, single-consumer ring of records in shared memory. Positions count bytes modulo 2^32 and are
 * only ever written by their own side. A reader that sleeps says so in the head; a writer wakes only a sleeper.
 */
export class Ring {
  readonly #head: Int32Array;
  readonly #data: Buffer;
  /** Where the next record to be read begins; ahead of READ while one is being handled. */
  #position: number;

  constructor(memory: SharedArrayBuffer) {
    this.#head = new Int32Array(memory, 0, HEAD_WORDS);
    this.#data = Buffer.from(memory, HEAD_BYTES, RING_BYTES);
    this.#position = this.#head[READ]! >>> 0;
  }

  /** Writes a record if there is room for it; `undefined` instead of bytes says that it lies beside. */
  write(bytes: Buffer | undefined): boolean {
    const written = this.#head[WRITTEN]! >>> 0;
    const free = RING_BYTES - ((written - (Atomics.load(this.#head, READ) >>> 0)) >>> 0);
    const size = 4 + align(bytes?.length ?? 0);
    let at = written % RING_BYTES;
    const toEnd = RING_BYTES - at;
    const skip = toEnd < size ? toEnd : 0;
    if (free < skip + size) return false;
    if (skip > 0) {
      this.#data.writeUInt32LE(WRAP, at);
      at = 0;
    }
    this.#data.writeUInt32LE(bytes ? bytes.length : BESIDE, at);
    if (bytes) this.#data.set(bytes, at + 4);
    Atomics.store(this.#head, WRITTEN, (written + skip + size) | 0);
    this.#wake(READER_SLEEPS, WRITTEN);
    return true;
  }

  /** Whether a word that a message lies beside fits now; only the writer takes room, so it stays true. */
  hasRoomToAnnounce(): boolean {
    const used = ((this.#head[WRITTEN]! >>> 0) - (Atomics.load(this.#head, READ) >>> 0)) >>> 0;
    // The word is as large as the smallest rest before the ring's end, so it never needs to wrap.
    return RING_BYTES - used >= 4;
  }

  /**
   * Reads all records that are there: `record` gets each one's place in the ring's memory, valid until it returns or
   * reads on,
   * and `beside` is called where a message lies beside. Returns whether there was anything.
   */
  read(record: (bytes: Buffer, start: number, end: number) => void, beside: () => void): boolean {
    const start = this.#position;
    const written = Atomics.load(this.#head, WRITTEN) >>> 0;
    // A record's handler may itself read on, even past what was written when this began.
    while (((written - this.#position) | 0) > 0) {
      const at = this.#position % RING_BYTES;
      const size = this.#data.readUInt32LE(at);
      if (size === WRAP) {
        this.#position = (this.#position + RING_BYTES - at) >>> 0;
        continue;
      }
      const bytes = size === BESIDE ? 0 : size;
      this.#position = (this.#position + 4 + align(bytes)) >>> 0;
      if (size === BESIDE) beside();
      else record(this.#data, at + 4, at + 4 + size);
      // Given back record by record, so that the writer goes on while the rest is handled.
      Atomics.store(this.#head, READ, this.#position | 0);
    }
    if (this.#position === start) return false;
    this.#wake(WRITER_SLEEPS, READ);
    return true;
  }

  /** Resolves when something was written; at once if it is there already, `undefined` then. */
  readable(): Promise<unknown> | undefined {
    return this.#sleep(READER_SLEEPS, WRITTEN, this.#head[READ]!);
  }

  /** Blocks this thread until something was written, `timeout` milliseconds at most. */
  waitReadable(timeout: number): void {
    // Never taken back here: whoever writes does so, and another wait of this thread may hang on it.
    Atomics.store(this.#head, READER_SLEEPS, 1);
    Atomics.wait(this.#head, WRITTEN, this.#position | 0, timeout);
  }

  /** Resolves when something was read since the writer found the ring full. */
  writable(): Promise<unknown> | undefined {
    return this.#sleep(WRITER_SLEEPS, READ, Atomics.load(this.#head, READ));
  }

  /** Wakes both sides, so that nobody waits for a ring that is no longer used. */
  wakeAll(): void {
    Atomics.notify(this.#head, WRITTEN);
    Atomics.notify(this.#head, READ);
  }

  #sleep(flag: number, word: number, seen: number): Promise<unknown> | undefined {
    Atomics.store(this.#head, flag, 1);
    // Compares the word after the flag is set, and the other side looks at the flag after it wrote the word: one
    // of the two sees the other, so no wake-up is lost.
    const waiting = Atomics.waitAsync(this.#head, word, seen);
    if (waiting.async) return waiting.value;
    Atomics.store(this.#head, flag, 0);
    return undefined;
  }

  #wake(flag: number, word: number): void {
    if (Atomics.load(this.#head, flag) === 0) return;
    Atomics.store(this.#head, flag, 0);
    Atomics.notify(this.#head, word);
  }
}
