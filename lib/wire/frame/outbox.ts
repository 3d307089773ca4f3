import { Buffer } from 'node:buffer';
import { detach } from '../codec/transfer.ts';
import type { Beside } from '../link/link.ts';
import { HEADER } from './frame.ts';

/** Most frames are far smaller; what is larger grows it for that turn. */
const INITIAL = 64 * 1024;
/** A buffer that one large message has grown past this is not kept for the next turn. */
const KEEP = 1024 * 1024;

/** Text up to this many characters is written without a call into Node.js. */
const SHORT = 24;

const viewOf = (bytes: Buffer): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/**
 * Where the frames of one turn are written, so that they leave in one write. The session owns it and hands its
 * bytes to the link; every offset is from the beginning of the buffer.
 */
export class Outbox {
  bytes: Buffer = Buffer.allocUnsafeSlow(INITIAL);
  length = 0;
  /** The same memory, for numbers: a third of what the Buffer's methods take. */
  #view = viewOf(this.bytes);
  #frame = 0;
  /** What goes with the frames of this turn without being bytes. */
  #beside: Beside | undefined;
  /** How much of it there was when the frame was begun. */
  #besideBefore = 0;

  /** Makes room for `size` more bytes, keeping what is written. */
  reserve(size: number): void {
    const needed = this.length + size;
    if (needed <= this.bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.bytes.length * 2));
    this.bytes.copy(grown, 0, 0, this.length);
    this.#use(grown);
  }

  /** Begins a frame and returns its offset; `id` is written behind the header. */
  begin(kind: number, flags: number, segments: number, id: number): number {
    this.reserve(HEADER + 16);
    const at = this.length;
    const { bytes } = this;
    this.#frame = at;
    this.#besideBefore = this.#beside?.values.length ?? 0;
    bytes[at + 4] = kind;
    bytes[at + 5] = flags;
    bytes[at + 6] = segments & 0xff;
    bytes[at + 7] = segments >> 8;
    this.#view.setFloat64(at + HEADER, id, true);
    this.length = at + HEADER + 8;
    return at;
  }

  /** The head of a frame whose body lies elsewhere, with nothing in between. */
  head(kind: number, id: number, size: number): Buffer {
    const head = Buffer.alloc(HEADER + 8);
    head.writeUInt32LE(HEADER + 4 + size, 0);
    head[4] = kind;
    head.writeDoubleLE(id, HEADER);
    return head;
  }

  /** Ends the frame that was begun last. */
  end(): void {
    this.#view.setUint32(this.#frame, this.length - this.#frame - 4, true);
  }

  /** Takes back the frame that was begun last, because its body could not be encoded. */
  abandon(): void {
    this.length = this.#frame;
    if (!this.#beside) return;
    const taken = new Set(this.#beside.values.splice(this.#besideBefore));
    const stay = this.#beside.transfer.filter((memory) => !taken.has(memory));
    this.#beside = { values: this.#beside.values, transfer: stay };
  }

  /** How many bytes the frame that was begun last has by now. */
  get frameSize(): number {
    return this.length - this.#frame;
  }

  /** Shares memory with the peer; returns its number in this turn. */
  share(memory: SharedArrayBuffer): number {
    this.#beside ??= { values: [], transfer: [] };
    const known = this.#beside.values.indexOf(memory);
    return known >= 0 ? known : this.#beside.values.push(memory) - 1;
  }

  /** Gives memory away to the peer; returns its number in this turn. */
  move(memory: ArrayBuffer): number {
    this.#beside ??= { values: [], transfer: [] };
    this.#beside.transfer.push(memory);
    return this.#beside.values.push(memory) - 1;
  }

  /** Takes memory that was given away from its owner; throws what `structuredClone` throws if it can't move. */
  take(number: number): void {
    const { values, transfer } = this.#beside!;
    const memory = values[number] as ArrayBuffer;
    const moved = detach(memory);
    values[number] = moved;
    transfer[transfer.indexOf(memory)] = moved;
  }

  /** Takes what goes with the frames of this turn, if there is any. */
  takeBeside(): Beside | undefined {
    const beside = this.#beside;
    this.#beside = undefined;
    return beside && beside.values.length > 0 ? beside : undefined;
  }

  /** Appends a double. */
  double(value: number): void {
    this.reserve(8);
    this.#view.setFloat64(this.length, value, true);
    this.length += 8;
  }

  /** Appends one byte. */
  byte(value: number): void {
    this.reserve(1);
    this.bytes[this.length++] = value;
  }

  /** Appends text as UTF-8 and returns how many bytes it took. */
  text(text: string): number {
    this.reserve(text.length * 3);
    const written = this.#ascii(text, this.length) ? text.length : this.bytes.write(text, this.length);
    this.length += written;
    return written;
  }

  /** Writes short text of nothing but ASCII, faster than a call into Node.js; false if it is not that. */
  #ascii(text: string, at: number): boolean {
    const { length } = text;
    if (length > SHORT) return false;
    const { bytes } = this;
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code > 127) return false;
      bytes[at + i] = code;
    }
    return true;
  }

  #use(bytes: Buffer): void {
    this.bytes = bytes;
    this.#view = viewOf(bytes);
  }

  /** Appends a short text with its size before it, as the parts of a path are. */
  segment(text: string): void {
    this.reserve(2 + text.length * 3);
    const at = this.length + 2;
    const written = this.#ascii(text, at) ? text.length : this.bytes.write(text, at);
    if (written > 0xffff)
      throw new RangeError(`A property's name may have 65,535 bytes at most, not ${written}.`);
    this.#view.setUint16(this.length, written, true);
    this.length += 2 + written;
  }

  /** Appends raw bytes. */
  raw(source: Uint8Array): void {
    this.reserve(source.byteLength);
    this.bytes.set(source, this.length);
    this.length += source.byteLength;
  }

  /** Begins anew; `kept` says that the link still reads from the old memory. */
  reset(kept: boolean): void {
    if (kept || this.bytes.length > KEEP) this.#use(Buffer.allocUnsafeSlow(INITIAL));
    this.length = 0;
  }
}
