import { Buffer } from 'node:buffer';
import { ProtocolError } from '../errors.ts';
import { Sleeper } from './sleeper.ts';

/** Words of a ring's head, each on a cache line of its own, because one side writes it while the other reads. */
const WRITTEN = 0;
const READ = 16;
const READER_SLEEPS = 32;
const WRITER_SLEEPS = 48;
const HEAD_WORDS = 64;
const HEAD_BYTES = HEAD_WORDS * 4;

/**
 * Positions are multiples of four, so their two lowest bits are free for what else a side has to say. It lies in the
 * very word that the other side sleeps at, so that the word is never mistaken for unchanged and no news is slept through.
 */
const CLOSED = 1;
/** The thread of that side is about to end: whoever blocks need not wait for more. */
const LEAVING = 2;
const POSITION = ~3;

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
const nothing = () => {};

/**
 * A single-producer, single-consumer ring of records in shared memory. Positions count bytes modulo 2^32; each side
 * writes its own and keeps it to itself as well, because the other could scribble over it. What the other side wrote is
 * checked before it is used, and each word of it is read once.
 */
export class Ring {
  readonly #head: Int32Array;
  readonly #data: Buffer;
  readonly #reader: Sleeper;
  readonly #writer: Sleeper;
  /** The reader's own: where the next record begins; ahead of READ while one is being handled. */
  #position: number;
  /** The reader's own: the bits that came with the position it has seen last. */
  #marks = 0;
  /** The writer's own. */
  #written: number;
  /** What READ was when the writer last looked. */
  #read = 0;
  /** The writer's own: where its words that a message lies beside end, and how large those messages are. */
  readonly #besideEnds: number[] = [];
  readonly #besideSizes: number[] = [];
  #besideBytes = 0;
  /** The writer's own: the bits that go with its position. */
  #said = 0;

  /** `onReadable` and `onWritable` are called when a sleep that `sleepReader` or `sleepWriter` began is over. */
  constructor(memory: SharedArrayBuffer, onReadable: () => void = nothing, onWritable: () => void = nothing) {
    this.#head = new Int32Array(memory, 0, HEAD_WORDS);
    this.#data = Buffer.from(memory, HEAD_BYTES, RING_BYTES);
    this.#reader = new Sleeper(this.#head, READER_SLEEPS, WRITTEN, onReadable);
    this.#writer = new Sleeper(this.#head, WRITER_SLEEPS, READ, onWritable);
    this.#position = (this.#head[READ]! & POSITION) >>> 0;
    this.#written = (this.#head[WRITTEN]! & POSITION) >>> 0;
  }

  /**
   * Writes a record if there is room for it; `undefined` instead of bytes says that it lies beside, and `besideSize` how
   * large it is there: of that too no more may be unread than the ring holds, unless it is one message. Throws
   * ProtocolError if the reader claims to have read what was never written.
   */
  write(bytes: Buffer | undefined, besideSize = 0): boolean {
    this.#read = Atomics.load(this.#head, READ);
    const free = RING_BYTES - ((this.#written - (this.#read & POSITION)) >>> 0);
    if (free < 0) throw new ProtocolError('The peer claims to have read what was never written to the ring.');
    if (!bytes && this.#unreadBeside() > 0 && this.#besideBytes + besideSize > RING_BYTES) return false;
    const size = 4 + align(bytes?.length ?? 0);
    let at = this.#written % RING_BYTES;
    const toEnd = RING_BYTES - at;
    const skip = toEnd < size ? toEnd : 0;
    if (free < skip + size) return false;
    if (skip > 0) {
      this.#data.writeUInt32LE(WRAP, at);
      at = 0;
    }
    this.#data.writeUInt32LE(bytes ? bytes.length : BESIDE, at);
    if (bytes) this.#data.set(bytes, at + 4);
    // Last of all: a writer that dies before this has written nothing.
    this.#written = (this.#written + skip + size) >>> 0;
    if (!bytes && besideSize > 0) {
      this.#besideEnds.push(this.#written);
      this.#besideSizes.push(besideSize);
      this.#besideBytes += besideSize;
    }
    Atomics.store(this.#head, WRITTEN, this.#written | this.#said);
    Sleeper.wake(this.#head, READER_SLEEPS, WRITTEN);
    return true;
  }

  /**
   * Reads all records that are there: `record` gets each one's place in the ring's memory, valid until it returns or
   * reads on, and `beside` is called where a message lies beside. Returns whether there was anything. Throws
   * ProtocolError at what no writer writes; nothing of that is handed over.
   */
  read(record: (bytes: Buffer, start: number, end: number) => void, beside: () => void): boolean {
    const start = this.#position;
    const written = this.#look();
    // A record's handler may itself read on, even past what was written when this began.
    for (let left = this.#left(written); left > 0; left = this.#left(written)) {
      const at = this.#position % RING_BYTES;
      const toEnd = RING_BYTES - at;
      const size = this.#data.readUInt32LE(at);
      if (size === WRAP) {
        if (toEnd > left) throw new ProtocolError('A ring wraps around before what was written begins.');
        this.#position = (this.#position + toEnd) >>> 0;
        continue;
      }
      const bytes = size === BESIDE ? 0 : size;
      if (bytes > LARGEST_RECORD || 4 + align(bytes) > Math.min(left, toEnd)) {
        throw new ProtocolError(`A record of ${size} bytes lies in a ring where ${left} bytes were written.`);
      }
      this.#position = (this.#position + 4 + align(bytes)) >>> 0;
      if (size === BESIDE) {
        // Given back first: who handles it may block for an answer, for which there is no room before that.
        Atomics.store(this.#head, READ, this.#position | 0);
        Sleeper.wake(this.#head, WRITER_SLEEPS, READ);
        beside();
      } else record(this.#data, at + 4, at + 4 + size);
      // Given back record by record, so that the writer goes on while the rest is handled.
      Atomics.store(this.#head, READ, this.#position | 0);
    }
    if (this.#position === start) return false;
    Sleeper.wake(this.#head, WRITER_SLEEPS, READ);
    return true;
  }

  /** Whether there is something to read. */
  get readable(): boolean {
    return (Atomics.load(this.#head, WRITTEN) & POSITION) >>> 0 !== this.#position;
  }

  /** Whether the writer has closed the ring, and all that it wrote before was read. */
  get ended(): boolean {
    return (this.#marks & CLOSED) !== 0;
  }

  /** The same of a writer whose thread is about to end. */
  get leaving(): boolean {
    return (this.#marks & LEAVING) !== 0;
  }

  /** Lets the reader sleep until something was written; false if it is there already. */
  sleepReader(): boolean {
    return this.#reader.sleep(this.#position | this.#marks);
  }

  /** The reader looks by itself now, so nobody needs to wake it. */
  readerAwake(): void {
    this.#reader.awake();
  }

  /** Blocks this thread until something was written, `timeout` milliseconds at most. */
  waitReadable(timeout: number): void {
    this.#reader.sleepSync(this.#position | this.#marks, timeout);
  }

  /** Lets the writer sleep until something was read; false if that has happened since it found no room. */
  sleepWriter(): boolean {
    return this.#writer.sleep(this.#read);
  }

  /** Says to both sides that nobody uses the ring any more; what was written can still be read. */
  close(): void {
    // In both sides' words: the other thread may have ended without a chance to say anything.
    for (const word of [WRITTEN, READ]) {
      Atomics.or(this.#head, word, CLOSED);
      Atomics.notify(this.#head, word);
    }
  }

  /** Says to a blocked reader that the writer's thread is about to end; it may still write until then. */
  leave(): void {
    this.#said = LEAVING;
    Atomics.or(this.#head, WRITTEN, LEAVING);
    Atomics.notify(this.#head, WRITTEN);
  }

  /** How many bytes lie beside the ring that the reader has not come to yet, as far as the writer has seen. */
  #unreadBeside(): number {
    while (this.#besideEnds.length > 0 && ((this.#read & POSITION) - this.#besideEnds[0]!) >> 0 >= 0) {
      this.#besideEnds.shift();
      this.#besideBytes -= this.#besideSizes.shift()!;
    }
    return this.#besideBytes;
  }

  /** How far it was written, checked. */
  #look(): number {
    const word = Atomics.load(this.#head, WRITTEN);
    const written = (word & POSITION) >>> 0;
    if ((written - this.#position) >>> 0 > RING_BYTES) {
      throw new ProtocolError('The peer claims to have written more than the ring holds.');
    }
    this.#marks = word & ~POSITION;
    return written;
  }

  #left(written: number): number {
    return (written - this.#position) | 0;
  }
}
