import { Buffer } from 'node:buffer';
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { ProtocolError } from '../errors.ts';
import { HotLoop } from './hot-loop.ts';
import type { Beside, Link, LinkReceiver } from './link.ts';
import { LARGEST_RECORD, Ring } from './ring.ts';

/** What two threads share, as one of them sees it. */
export interface RingEnds {
  input: SharedArrayBuffer;
  output: SharedArrayBuffer;
  /** Carries what is too large for the ring; the ring says when to look there, which keeps the order. */
  port: MessagePort;
}

/** How long a blocked reader waits that has something to send and no room for it, in milliseconds. */
const LOOK_EVERY = 1;
/** The longest time that Node's timers take; it holds the process while somebody waits. */
const FOREVER = 2 ** 31 - 1;

/** A link between two threads of a process, through two rings in shared memory. */
export class RingLink implements Link {
  readonly #input: Ring;
  readonly #output: Ring;
  readonly #port: MessagePort;
  readonly #hot: HotLoop;
  /** `Atomics.waitAsync` does not keep a process alive; this timer does. */
  readonly #holder = setInterval(() => {}, FOREVER).unref();
  #receiver: LinkReceiver | undefined;
  /** What did not fit yet, in order. */
  #queue: Buffer[] = [];
  #waitsForRoom = false;
  #gone = false;

  constructor({ input, output, port }: RingEnds) {
    this.#input = new Ring(input);
    this.#output = new Ring(output);
    this.#port = port;
    this.#hot = new HotLoop(this.#poll, this.#park);
    port.unref();
  }

  readonly sharesMemory = true;
  get congested(): boolean {
    return this.waiting > 262144;
  }
  drained(): Promise<void> {
    return this.flushed();
  }

  open(receiver: LinkReceiver): void {
    this.#receiver = receiver;
    // The port closes when the other thread ends, however it ends.
    this.#port.once('close', () => this.#disconnect()).unref();
    this.#hot.touch();
  }

  send(bytes: Buffer, beside?: Beside): boolean {
    if (this.#gone) return false;
    void beside;
    if (this.#queue.length === 0 && this.#put(bytes)) return false;
    this.#queue.push(bytes);
    this.#waitForRoom();
    return true;
  }

  ref(): void {
    this.#holder.ref();
  }

  unref(): void {
    this.#holder.unref();
  }

  expect(): void {
    this.#hot.touch();
  }

  get waiting(): number {
    return this.#queue.reduce((sum, bytes) => sum + bytes.length, 0);
  }

  async flushed(): Promise<void> {
    while (this.#queue.length > 0 && !this.#gone) await this.#output.writable();
  }

  receiveSync(timeout: number): void {
    if (this.#gone) return;
    // The other thread writes its frames and looks at ours whether this one turns its loop or not.
    this.#drain();
    this.#input.waitReadable(this.#queue.length > 0 ? LOOK_EVERY : timeout);
    this.#poll();
  }

  destroy(cause?: Error): void {
    this.#disconnect(cause);
  }

  #disconnect(cause?: Error): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#hot.stop();
    clearInterval(this.#holder);
    this.#port.close();
    this.#input.wakeAll();
    this.#output.wakeAll();
    this.#receiver?.disconnected(cause);
  }

  /** Puts bytes into the ring, or beside it; false if even the word that they lie beside does not fit now. */
  #put(bytes: Buffer): boolean {
    if (bytes.length <= LARGEST_RECORD) return this.#output.write(bytes);
    if (!this.#output.hasRoomToAnnounce()) return false;
    const copy = new Uint8Array(bytes.length);
    copy.set(bytes);
    // Posted before it is announced, so that the reader finds it.
    this.#port.postMessage(copy, [copy.buffer]);
    return this.#output.write(undefined);
  }

  #waitForRoom(): void {
    if (this.#waitsForRoom) return;
    this.#waitsForRoom = true;
    const room = this.#output.writable();
    const go = () => {
      this.#waitsForRoom = false;
      this.#drain();
    };
    if (room) void room.then(go);
    else setImmediate(go);
  }

  #drain(): void {
    while (this.#queue.length > 0 && !this.#gone) {
      if (!this.#put(this.#queue[0]!)) return this.#waitForRoom();
      this.#queue.shift();
    }
  }

  readonly #poll = (): boolean => !this.#gone && this.#input.read(this.#onRecord, this.#onBeside);

  readonly #park = (): void => {
    if (this.#gone) return;
    const readable = this.#input.readable();
    if (readable) void readable.then(() => this.#awake());
    else this.#awake();
  };

  #awake(): void {
    if (this.#gone || this.#hot.turning) return;
    this.#poll();
    this.#hot.touch();
  }

  readonly #onRecord = (bytes: Buffer, start: number, end: number): void => {
    // Whoever received the last record may have ended the link.
    if (!this.#gone) this.#receiver?.receive(bytes, start, end);
  };

  readonly #onBeside = (): void => {
    if (this.#gone) return;
    const message = receiveMessageOnPort(this.#port) as { message: Uint8Array } | undefined;
    if (!message) {
      this.#disconnect(new ProtocolError('The ring announced a message beside it, but there was none.'));
      return;
    }
    const bytes = Buffer.from(message.message.buffer);
    this.#receiver?.receive(bytes, 0, bytes.length);
  };
}
