import type { Buffer } from 'node:buffer';
import { refusal } from '../codec/refuse.ts';
import { textOf } from '../codec/remote-error.ts';
import { UndecodableError } from '../errors.ts';
import { CUT, FLAGS_AT, HEADER } from '../frame/frame.ts';
import { doubleAt } from '../frame/numbers.ts';
import type { Sender } from '../frame/sender.ts';
import type { Limits } from '../limits.ts';
import { Incoming } from './incoming.ts';
import { Outgoing, SNAPSHOT } from './outgoing.ts';

/** From here on bytes go beside the ring, where they are moved and not copied again. */
const BESIDE_FROM = 64 * 1024;
/** From here on they go in parts over links that carry nothing but bytes. */
const PARTS_FROM = 256 * 1024;

/**
 * Carries what of a message does not lie in its frame: beside it, where both ends have one memory, or in parts behind
 * it. Numbers of parts are below zero, and places in the list of what lies beside are not.
 */
export class Carrier {
  readonly #sender: Sender;
  /** Whether the link carries what is not bytes. */
  readonly #sharesMemory: boolean;
  readonly #outgoing: Outgoing;
  readonly #incoming: Incoming;
  /** What lies beside the frames that are being read. */
  beside: readonly unknown[] | undefined;
  #bytes = 0;
  /** Parts of the message that is being written, in case it is never sent. */
  #begun: number[] = [];
  /** Numbers of memory that moves when it is certain that the message is sent. */
  #moving: number[] = [];
  /** Numbers of what of the message that was read last comes in parts. */
  #parts: number[] = [];

  constructor(sender: Sender, limits: Limits, sharesMemory: boolean) {
    this.#sender = sender;
    this.#sharesMemory = sharesMemory;
    this.#outgoing = new Outgoing(sender);
    this.#incoming = new Incoming(() => limits.messageSize);
  }

  /** Bytes outside of the frame of the message that was written or read last. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether parts of the message that was read last are still to come. */
  get incomplete(): boolean {
    return this.#parts.some((id) => this.#incoming.awaits(id));
  }

  /** A message begins to be written. */
  write(): void {
    this.#bytes = 0;
    if (this.#begun.length > 0) this.#begun = [];
    if (this.#moving.length > 0) this.#moving = [];
  }

  /**
   * It will be sent: what it gives away moves now and not when the turn ends, because it may be sent again until then.
   * Throws UnserializableError for memory that can't move.
   */
  commit(): void {
    for (const number of this.#moving) {
      try {
        if (number < 0) this.#outgoing.take(number);
        else this.#sender.outbox.take(number);
      } catch (cause) {
        throw refusal(
          `memory that can't move (${textOf(cause)})`,
          'transfer()',
          'send it without transfer()',
        );
      }
    }
  }

  /** It will not be sent. */
  withdraw(): void {
    for (const id of this.#begun) this.#outgoing.cut(id);
  }

  /** Takes bytes that may go outside of the frame; see EncodeContext. */
  carry(bytes: Uint8Array, moves: boolean): number | undefined {
    const size = bytes.byteLength;
    const whole = moves && size === bytes.buffer.byteLength;
    if (this.#sharesMemory && (whole || (size >= BESIDE_FROM && size <= SNAPSHOT))) {
      this.#bytes += size;
      const number = this.#sender.outbox.move((whole ? bytes : bytes.slice()).buffer as ArrayBuffer);
      if (whole) this.#moving.push(number);
      return number;
    }
    if (size < PARTS_FROM) return undefined;
    this.#bytes += size;
    const id = this.#outgoing.send(bytes, !moves && size <= SNAPSHOT);
    this.#begun.push(id);
    if (whole) this.#moving.push(id);
    return id;
  }

  /** Shares memory with the peer; see EncodeContext. */
  share(memory: SharedArrayBuffer): number | undefined {
    return this.#sharesMemory ? this.#sender.outbox.share(memory) : undefined;
  }

  /** Sends all that waits at once, because this thread will do nothing else until it is answered. */
  sendAll(): void {
    this.#outgoing.sendAll();
  }

  /** A message begins to be read. */
  read(): void {
    this.#bytes = 0;
    if (this.#parts.length > 0) this.#parts = [];
  }

  /** The memory under a number, and when it is whole if it is not yet; throws RangeError, LimitError, ProtocolError. */
  carried(number: number, size: number): { memory: ArrayBuffer; whole?: Promise<void> } {
    this.#bytes += size;
    if (number < 0) {
      this.#parts.push(number);
      return this.#incoming.expect(number, size);
    }
    const memory = this.beside?.[number];
    if (!(memory instanceof ArrayBuffer) || memory.byteLength !== size) {
      throw new RangeError(`There is no memory of ${size} bytes under ${number} beside the message.`);
    }
    return { memory };
  }

  /** The memory that the peer shares under a number; throws RangeError. */
  shared(number: number): SharedArrayBuffer {
    const memory = this.beside?.[number];
    if (!(memory instanceof SharedArrayBuffer))
      throw new RangeError(`No memory is shared under ${number} beside the message.`);
    return memory;
  }

  /** A frame with a part has come, which lies in `bytes` from `at` to `end`; throws ProtocolError. */
  onPart(bytes: Buffer, at: number, end: number): void {
    const id = doubleAt(bytes, at + HEADER, end);
    if (bytes[at + FLAGS_AT]! & CUT) this.#incoming.onCut(id);
    else this.#incoming.onPart(id, bytes, at + HEADER + 8, end);
  }

  /** The link is gone. */
  end(): void {
    this.#outgoing.end();
    this.#incoming.end(new UndecodableError('The link ended before all parts of a message had come.'));
  }
}
