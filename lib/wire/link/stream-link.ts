import { Buffer } from 'node:buffer';
import { readSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { MAX_FRAME } from '../frame/frame.ts';
import { now } from './clock.ts';
import { FrameGatherer } from './frame-gatherer.ts';
import { HotLoop } from './hot-loop.ts';
import { HIGH_WATER, type Link, type LinkReceiver } from './link.ts';
import { Waiters } from './waiters.ts';

/** A pipe's or socket's handle can let the process end; other streams have no say in that. */
interface Handle {
  ref?(): void;
  unref?(): void;
}

/** What can be said of a stream link. */
export interface StreamLinkOptions {
  /** How many bytes a frame may have that the peer sends; the default is 1 GiB. */
  readonly maxFrame?: number;
}

/** How long a blocked reader sleeps between two looks at its descriptor, in milliseconds: Node's pipes don't block. */
const LOOK_EVERY = 0.5;
/** As much as a pipe holds. */
const CHUNK = 65_536;
const sleeper = new Int32Array(new SharedArrayBuffer(4));
const nothing = () => false;
const rest = () => {};

/** A link over a pair of byte streams: the stdin and stdout of a process, a socket, a pipe. */
export class StreamLink implements Link {
  readonly sharesMemory = false;
  readonly #input: Readable & Handle;
  readonly #output: Writable & Handle;
  readonly #descriptor: number | undefined;
  readonly #hot = new HotLoop(nothing, rest);
  readonly #frames: FrameGatherer;
  readonly #drained = new Waiters();
  readonly #flushed = new Waiters();
  /** The whole frames behind the one that is being handed over; whoever gets that may wait synchronously. */
  #later: { bytes: Buffer; start: number; end: number } | undefined;
  #receiver: LinkReceiver | undefined;
  #heard = now();
  #gone = false;

  /** `descriptor` is that of `input`; without it `receiveSync` can't be used. */
  constructor(
    input: Readable & Handle,
    output: Writable & Handle,
    descriptor?: number,
    { maxFrame = MAX_FRAME }: StreamLinkOptions = {},
  ) {
    this.#input = input;
    this.#output = output;
    this.#descriptor = descriptor;
    this.#frames = new FrameGatherer(maxFrame);
  }

  /** When the peer was last heard, on the clock of `performance.now()`. */
  get heardAt(): number {
    return performance.now() - (now() - this.#heard);
  }

  open(receiver: LinkReceiver): void {
    this.#receiver = receiver;
    const gone = () => this.#disconnect();
    const failed = (cause: Error) => this.#disconnect(cause);
    this.#input.on('data', this.#onData).on('end', gone).on('close', gone).on('error', failed);
    this.#output.on('close', gone).on('error', failed);
    // Streams that have closed before won't say so again.
    if (this.#input.destroyed || this.#output.destroyed) setImmediate(gone);
    // Whoever read the boot line from it has paused it.
    this.#input.resume();
  }

  send(bytes: Buffer): boolean {
    if (this.#gone) return false;
    this.#output.write(bytes, this.#onWritten);
    // The operating system has a copy of what a socket or pipe has written; another stream may hand on the memory itself.
    return !(this.#output instanceof Socket) || this.#output.writableLength > 0;
  }

  sendFrame(head: Buffer, body: Uint8Array, left: () => void): void {
    if (this.#gone) return;
    this.#output.cork();
    this.#output.write(head);
    this.#output.write(body, () => {
      left();
      this.#onWritten();
    });
    this.#output.uncork();
  }

  ref(): void {
    this.#input.ref?.();
  }

  unref(): void {
    this.#input.unref?.();
    this.#output.unref?.();
  }

  expect(): void {
    if (!this.#gone) this.#hot.touch();
  }

  get waiting(): number {
    return this.#output.writableLength;
  }

  get congested(): boolean {
    return !this.#gone && this.#output.writableLength > HIGH_WATER;
  }

  async drained(): Promise<void> {
    if (this.congested && !this.#output.destroyed) await this.#drained.wait();
  }

  async flushed(): Promise<void> {
    if (!this.#gone && !this.#output.destroyed && this.waiting > 0) await this.#flushed.wait();
  }

  pause(): void {
    this.#input.pause();
  }

  resume(): void {
    this.#input.resume();
  }

  receiveSync(timeout: number): void {
    const descriptor = this.#descriptor;
    if (descriptor === undefined) throw new TypeError('This link has no descriptor to wait for.');
    if (this.#deliverLater()) return;
    const end = now() + timeout;
    while (!this.#gone) {
      const chunk = this.#readNow(descriptor);
      if (chunk === 'end') return this.#disconnect();
      // Half a frame is nothing yet.
      if (chunk && this.#take(chunk)) return;
      if (now() >= end) return;
      if (!chunk) Atomics.wait(sleeper, 0, 0, LOOK_EVERY);
    }
  }

  /** What has arrived, past the stream, which holds nothing back while it flows. */
  #readNow(descriptor: number): Buffer | 'end' | undefined {
    try {
      const chunk = Buffer.allocUnsafeSlow(CHUNK);
      const size = readSync(descriptor, chunk);
      return size === 0 ? 'end' : chunk.subarray(0, size);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'EAGAIN') return undefined;
      this.#disconnect(cause as Error);
      return undefined;
    }
  }

  destroy(cause?: Error): void {
    this.#disconnect(cause);
    this.#input.destroy();
    this.#output.destroy();
  }

  #disconnect(cause?: Error): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#hot.stop();
    // The streams stay ours until they close: a late error without a listener would end the process.
    this.#input.off('data', this.#onData);
    this.#drained.release();
    this.#flushed.release();
    this.#receiver?.disconnected(cause);
  }

  /** One function for all writes: Node then calls it once for those that left together. */
  readonly #onWritten = (): void => {
    if (!this.congested) this.#drained.release();
    if (this.waiting === 0) this.#flushed.release();
  };

  readonly #onData = (chunk: Buffer): void => {
    this.#hot.arrived();
    this.#take(chunk);
  };

  /** Hands over the frames that are whole with this chunk; returns whether there were any. */
  #take(chunk: Buffer): boolean {
    this.#heard = now();
    const frames = this.#frames;
    try {
      const at = frames.gathers ? frames.fill(chunk) : 0;
      const whole = frames.take();
      const end = frames.gathers ? at : frames.scan(chunk, at);
      // All is in its place before anybody is called, who may wait synchronously and so come here again.
      if (end > at) this.#later = { bytes: chunk, start: at, end };
      if (whole) this.#receiver?.receive(whole, 0, whole.length);
      return this.#deliverLater() || whole !== undefined;
    } catch (cause) {
      this.destroy(cause as Error);
      return false;
    }
  }

  #deliverLater(): boolean {
    const later = this.#later;
    if (!later) return false;
    this.#later = undefined;
    if (!this.#gone) this.#receiver?.receive(later.bytes, later.start, later.end);
    return true;
  }
}
