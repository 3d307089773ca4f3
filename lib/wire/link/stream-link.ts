import { Buffer } from 'node:buffer';
import { readSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { ProtocolError } from '../errors.ts';
import { MAX_FRAME } from '../frame/frame.ts';
import { HotLoop } from './hot-loop.ts';
import type { Link, LinkReceiver } from './link.ts';

/** A pipe's or socket's handle can let the process end; other streams have no say in that. */
interface Handle {
  ref?(): void;
  unref?(): void;
}

const EMPTY = Buffer.alloc(0);
/** How long a blocked reader sleeps between two looks at its descriptor, in milliseconds: Node's pipes don't block. */
const LOOK_EVERY = 0.5;
/** As much as a pipe holds. */
const CHUNK = 65_536;
const sleeper = new Int32Array(new SharedArrayBuffer(4));
const nothing = () => false;
const rest = () => {};

/** A link over a pair of byte streams: the stdin and stdout of a process, a socket, a pipe. */
export class StreamLink implements Link {
  readonly #input: Readable & Handle;
  readonly #output: Writable & Handle;
  readonly #hot = new HotLoop(nothing, rest);
  #receiver: LinkReceiver | undefined;
  /** The beginning of a frame whose end has not come yet. */
  #parts: Buffer[] = [];
  #have = 0;
  /** How many bytes the first frame in `#parts` needs, 0 while that is unknown. */
  #need = 0;
  #gone = false;

  /** When the peer was last heard, on the clock of `performance.now()`. */
  heardAt = performance.now();

  readonly #descriptor: number | undefined;

  /** `descriptor` is that of `input`; without it `receiveSync` can't be used. */
  constructor(input: Readable & Handle, output: Writable & Handle, descriptor?: number) {
    this.#input = input;
    this.#output = output;
    this.#descriptor = descriptor;
  }

  readonly sharesMemory = false;
  get congested(): boolean {
    return this.waiting > 262144;
  }
  drained(): Promise<void> {
    return this.flushed();
  }

  open(receiver: LinkReceiver): void {
    this.#receiver = receiver;
    const gone = () => this.#disconnect();
    const failed = (cause: Error) => this.#disconnect(cause);
    this.#input.on('data', this.#onData).on('end', gone).on('close', gone).on('error', failed);
    this.#output.on('close', gone).on('error', failed);
    // Whoever read the boot line from it has paused it.
    this.#input.resume();
  }

  send(bytes: Buffer): boolean {
    if (this.#gone) return false;
    this.#output.write(bytes);
    return true;
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

  flushed(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#gone || this.#output.destroyed || this.#output.writableLength === 0) return resolve();
      // An empty write is done when all before it is; it also ends, with an error, when the stream does.
      this.#output.write(EMPTY, () => resolve());
    });
  }

  receiveSync(timeout: number): void {
    const descriptor = this.#descriptor;
    if (descriptor === undefined) throw new TypeError('This link has no descriptor to wait for.');
    const end = performance.now() + timeout;
    while (!this.#gone) {
      const chunk = this.#readNow(descriptor);
      if (chunk === 'end') return this.#disconnect();
      if (chunk) return this.#onData(chunk);
      if (performance.now() >= end) return;
      Atomics.wait(sleeper, 0, 0, LOOK_EVERY);
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
    this.#receiver?.disconnected(cause);
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#hot.touch();
    if (this.#have === 0) {
      this.#deliver(chunk);
      return;
    }
    this.#parts.push(chunk);
    this.#have += chunk.length;
    if (this.#need === 0 && this.#have >= 4) this.#join();
    if (this.#gone || this.#have < this.#need || this.#need === 0) return;
    this.#deliver(this.#join());
  };

  /** All that has gathered, as one buffer; sets what its first frame needs. */
  #join(): Buffer {
    const whole = this.#parts.length === 1 ? this.#parts[0]! : Buffer.concat(this.#parts, this.#have);
    this.#parts = [whole];
    this.#need = 4 + whole.readUInt32LE(0);
    if (this.#need > MAX_FRAME) this.#refuse(this.#need);
    return whole;
  }

  #refuse(size: number): void {
    this.destroy(
      new ProtocolError(`The peer announced a message of ${size} bytes; ${MAX_FRAME} is the most.`),
    );
  }

  /** Hands over the whole frames of a buffer and keeps the rest. */
  #deliver(bytes: Buffer): void {
    let end = 0;
    let need = 0;
    while (bytes.length - end >= 4) {
      need = 4 + bytes.readUInt32LE(end);
      if (need > MAX_FRAME) {
        this.#refuse(need);
        return;
      }
      if (bytes.length - end < need) break;
      end += need;
      need = 0;
    }
    this.#parts = end < bytes.length ? [bytes.subarray(end)] : [];
    this.#have = bytes.length - end;
    this.#need = need;
    if (end > 0) this.#receiver?.receive(bytes, 0, end);
  }
}
