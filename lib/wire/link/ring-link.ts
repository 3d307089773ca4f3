import type { Buffer } from 'node:buffer';
import type { MessagePort } from 'node:worker_threads';
import { ProtocolError } from '../errors.ts';
import { postBeside, receiveBeside } from './beside.ts';
import { now } from './clock.ts';
import { HotLoop } from './hot-loop.ts';
import { onLeaving } from './leaving.ts';
import { type Beside, HIGH_WATER, type Link, type LinkReceiver } from './link.ts';
import { LARGEST_RECORD, Ring } from './ring.ts';
import { RingQueue } from './ring-queue.ts';
import { Waiters } from './waiters.ts';

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

/**
 * A link between two threads of a process, through two rings in shared memory. A peer that writes nonsense there loses
 * the link with a ProtocolError.
 */
export class RingLink implements Link {
  readonly sharesMemory = true;
  readonly #input: Ring;
  readonly #output: Ring;
  readonly #port: MessagePort;
  readonly #hot: HotLoop;
  /** `Atomics.waitAsync` does not keep a process alive; this timer does. */
  readonly #holder = setInterval(() => {}, FOREVER).unref();
  readonly #queue = new RingQueue();
  readonly #drained = new Waiters();
  readonly #flushed = new Waiters();
  readonly #stay: () => void;
  #receiver: LinkReceiver | undefined;
  /** The queue will be looked at again without being asked. */
  #waitsForRoom = false;
  #portClosed = false;
  #gone = false;

  constructor({ input, output, port }: RingEnds) {
    this.#input = new Ring(input, () => this.#onReadable());
    this.#output = new Ring(output, undefined, () => this.#onWritable());
    this.#port = port;
    this.#hot = new HotLoop(
      () => this.#poll(),
      () => this.#park(),
    );
    this.#stay = onLeaving(() => this.#output.leave());
    // The port closes when the other thread ends, however it ends.
    port.once('close', () => this.#onPortClosed());
    port.unref();
  }

  open(receiver: LinkReceiver): void {
    this.#receiver = receiver;
    if (this.#portClosed) setImmediate(() => this.#onPortClosed());
    this.#hot.touch();
  }

  send(bytes: Buffer, beside?: Beside): boolean {
    if (this.#gone) return false;
    // Before its memory moves, which leaves it empty.
    const { length } = bytes;
    const posted = beside !== undefined || length > LARGEST_RECORD;
    // Posted now, though it may be announced later: what moves has then left its sender, as that was told.
    const moved = posted && postBeside(this.#port, bytes, beside);
    const record = posted ? undefined : bytes;
    if (this.#queue.empty && this.#write(record, length)) return moved;
    this.#queue.push(record, length);
    this.#waitForRoom();
    return moved || !posted;
  }

  ref(): void {
    if (!this.#gone) this.#holder.ref();
  }

  unref(): void {
    this.#holder.unref();
  }

  expect(): void {
    if (this.#gone) return;
    this.#hot.touch();
    if (this.#hot.turning) this.#input.readerAwake();
  }

  get waiting(): number {
    return this.#queue.bytes;
  }

  get congested(): boolean {
    return this.#queue.bytes > HIGH_WATER;
  }

  async drained(): Promise<void> {
    if (this.congested) await this.#drained.wait();
  }

  async flushed(): Promise<void> {
    if (!this.#queue.empty) await this.#flushed.wait();
  }

  receiveSync(timeout: number): void {
    const end = now() + timeout;
    while (!this.#gone) {
      // The other thread writes its frames and looks at ours whether this one turns its loop or not.
      this.#drain();
      if (this.#poll() || this.#gone) return;
      if (this.#input.leaving) return this.#disconnect();
      const left = end - now();
      if (left <= 0) return;
      this.#input.waitReadable(this.#queue.empty ? left : Math.min(LOOK_EVERY, left));
    }
  }

  destroy(cause?: Error): void {
    this.#disconnect(cause);
  }

  #disconnect(cause?: Error): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#hot.stop();
    this.#stay();
    clearInterval(this.#holder);
    this.#queue.clear();
    this.#input.close();
    this.#output.close();
    this.#port.close();
    this.#drained.release();
    this.#flushed.release();
    this.#receiver?.disconnected(cause);
  }

  /** The ends of threads come this way; what they wrote before is still there. */
  #onPortClosed(): void {
    this.#portClosed = true;
    if (!this.#receiver) return;
    this.#poll();
    this.#disconnect();
  }

  /** Whether a record is in the ring now, or never will be. */
  #write(record: Buffer | undefined, size: number): boolean {
    try {
      return this.#output.write(record, size);
    } catch (cause) {
      // Not in the midst of a `send`, whose caller does not expect to lose its link there.
      setImmediate(() => this.#disconnect(cause as Error));
      return true;
    }
  }

  #drain(): void {
    while (!this.#queue.empty && !this.#gone) {
      if (!this.#write(this.#queue.first, this.#queue.firstSize)) {
        this.#waitForRoom();
        break;
      }
      this.#queue.shift();
    }
    if (!this.congested) this.#drained.release();
    if (this.#queue.empty) this.#flushed.release();
  }

  #waitForRoom(): void {
    if (this.#waitsForRoom) return;
    this.#waitsForRoom = true;
    if (!this.#output.sleepWriter()) setImmediate(() => this.#onWritable());
  }

  #onWritable(): void {
    this.#waitsForRoom = false;
    this.#drain();
  }

  #poll(): boolean {
    if (this.#gone || !this.#receiver) return false;
    try {
      const came = this.#input.read(this.#onRecord, this.#onBeside);
      if (this.#input.ended) this.#disconnect();
      return came;
    } catch (cause) {
      this.#disconnect(cause as Error);
      return true;
    }
  }

  #park(): void {
    if (this.#gone) return;
    // Through a turn of the loop: a peer that never pauses must not keep this thread from its timers.
    if (!this.#input.sleepReader()) setImmediate(this.#lookAgain);
  }

  #onReadable(): void {
    // A loop that turns looks by itself.
    if (this.#gone || this.#hot.turning) return;
    if (this.#input.readable) this.#hot.arrived();
    this.#poll();
    if (!this.#hot.turning) this.#park();
  }

  readonly #lookAgain = (): void => this.#onReadable();

  readonly #onRecord = (bytes: Buffer, start: number, end: number): void => {
    // Whoever received the last record may have ended the link.
    if (!this.#gone) this.#receiver?.receive(bytes, start, end);
  };

  readonly #onBeside = (): void => {
    if (this.#gone) return;
    const message = receiveBeside(this.#port);
    if (message) this.#receiver?.receive(message.bytes, 0, message.bytes.length, message.values);
    // A port that has closed has let go of what lay there.
    else if (this.#portClosed) this.#disconnect();
    else this.#disconnect(new ProtocolError('The ring announced a message beside it, but there was none.'));
  };
}
