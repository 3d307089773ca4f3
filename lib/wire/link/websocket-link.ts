import { Buffer } from 'node:buffer';
import { ProtocolError, TimeoutError } from '../errors.ts';
import { HEADER, MAX_FRAME } from '../frame/frame.ts';
import { now } from './clock.ts';
import { checkSize } from './frame-gatherer.ts';
import { HotLoop } from './hot-loop.ts';
import { HIGH_WATER, type Link, type LinkReceiver } from './link.ts';
import { Waiters } from './waiters.ts';

/** What a WebSocketLink needs of a WebSocket of the package `ws`, of either side. */
export interface WebSocketLike {
  readonly readyState: number;
  readonly bufferedAmount: number;
  on(event: 'message', listener: (data: Buffer | ArrayBuffer | Buffer[], isBinary: boolean) => void): unknown;
  on(event: 'ping' | 'pong' | 'close', listener: () => void): unknown;
  on(event: 'error', listener: (cause: Error) => void): unknown;
  send(data: Uint8Array, options: { binary: boolean }, done: (cause?: Error | null) => void): void;
  ping(): void;
  pause(): void;
  resume(): void;
  terminate(): void;
}

/** The socket under one, which `ws` does not publish: only it can let a process end, and tell of half a message. */
interface Underlying {
  readonly bytesRead: number;
  ref(): void;
  unref(): void;
}

/** What can be said of a WebSocket link. */
export interface WebSocketLinkOptions {
  /** How many bytes a frame may have that the peer sends; the default is 1 GiB. */
  readonly maxFrame?: number;
  /** How often the peer is asked for a sign of life, in milliseconds; the default is 10 s. Three without any end it. */
  readonly pingEvery?: number;
}

/** The state of a WebSocket that can be used. */
const OPEN = 1;
const PING_EVERY = 10_000;
/** So many pings without a sign of life end a link. */
const PATIENCE = 3;
/** Frames that leave together are one message up to this many bytes, so that the peer hears of something in between. */
const LARGEST_BATCH = 1 << 20;
/**
 * How many bytes a message or frame may have over a WebSocket if the text of one may have `frameSize`: what is small leaves
 * together with other frames, and parts of large bytes have a size of their own.
 */
export const roomFor = (frameSize: number): number => Math.max(frameSize, LARGEST_BATCH) + HEADER + 8;
const BINARY = { binary: true };
const nothing = () => false;
const rest = () => {};

/** A link over a WebSocket, each message of which is binary and holds whole frames. */
export class WebSocketLink implements Link {
  readonly sharesMemory = false;
  readonly #socket: WebSocketLike;
  readonly #maxFrame: number;
  readonly #hot = new HotLoop(nothing, rest);
  readonly #drained = new Waiters();
  readonly #flushed = new Waiters();
  readonly #pings: NodeJS.Timeout;
  readonly #pingEvery: number;
  /** What came before the link was opened; a socket that is paused may still be in the midst of a chunk. */
  #early: [data: Buffer | ArrayBuffer | Buffer[], isBinary: boolean][] = [];
  #receiver: LinkReceiver | undefined;
  /** How many pings have gone since the peer was heard. */
  #silence = 0;
  #bytesRead = 0;
  #heard = now();
  #begun = false;
  #gone = false;
  #cause: Error | undefined;

  /** `socket` is open, and from now on nobody else's. */
  constructor(
    socket: WebSocketLike,
    { maxFrame = MAX_FRAME, pingEvery = PING_EVERY }: WebSocketLinkOptions = {},
  ) {
    this.#socket = socket;
    this.#maxFrame = maxFrame;
    this.#pingEvery = pingEvery;
    const heard = () => this.#hear();
    socket.on('error', (cause) => this.#disconnect(cause));
    socket.on('close', () => this.#disconnect());
    socket.on('message', (data, isBinary) => this.#onMessage(data, isBinary));
    socket.on('ping', heard);
    socket.on('pong', heard);
    socket.pause();
    // Whether the process may end is the socket's to say.
    this.#pings = setInterval(() => this.#ping(), pingEvery).unref();
  }

  /** When the peer was last heard, on the clock of `performance.now()`. */
  get heardAt(): number {
    return performance.now() - (now() - this.#heard);
  }

  open(receiver: LinkReceiver): void {
    this.#receiver = receiver;
    setImmediate(() => this.#begin());
  }

  /** What came before this and has to be told now: at most one end, and behind all that was received. */
  #begin(): void {
    this.#begun = true;
    for (const [data, isBinary] of this.#early.splice(0)) this.#onMessage(data, isBinary);
    if (this.#gone) {
      this.#tell();
    } else if (this.#socket.readyState === OPEN) {
      this.#socket.resume();
    } else this.#disconnect();
  }

  send(bytes: Buffer): boolean {
    if (this.#gone) return false;
    if (bytes.length <= LARGEST_BATCH) {
      this.#socket.send(bytes, BINARY, this.#onSent);
      return true;
    }
    for (let at = 0; at < bytes.length && !this.#gone; ) {
      let end = at + 4 + bytes.readUInt32LE(at);
      while (end < bytes.length) {
        const next = end + 4 + bytes.readUInt32LE(end);
        if (next - at > LARGEST_BATCH) break;
        end = next;
      }
      this.#socket.send(bytes.subarray(at, end), BINARY, this.#onSent);
      at = end;
    }
    return true;
  }

  ref(): void {
    this.#underlying?.ref();
  }

  unref(): void {
    this.#underlying?.unref();
  }

  expect(): void {
    if (!this.#gone) this.#hot.touch();
  }

  get waiting(): number {
    return this.#gone ? 0 : this.#socket.bufferedAmount;
  }

  get congested(): boolean {
    return this.waiting > HIGH_WATER;
  }

  async drained(): Promise<void> {
    if (this.congested) await this.#drained.wait();
  }

  async flushed(): Promise<void> {
    if (this.waiting > 0) await this.#flushed.wait();
  }

  pause(): void {
    if (!this.#gone) this.#socket.pause();
  }

  resume(): void {
    if (!this.#gone) this.#socket.resume();
  }

  receiveSync(): void {
    throw new TypeError('A WebSocket can not be waited for synchronously.');
  }

  destroy(cause?: Error): void {
    this.#disconnect(cause);
  }

  get #underlying(): Underlying | undefined {
    return (this.#socket as { _socket?: Underlying | null })._socket ?? undefined;
  }

  #disconnect(cause?: Error): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#cause = cause;
    this.#hot.stop();
    clearInterval(this.#pings);
    this.#socket.terminate();
    this.#drained.release();
    this.#flushed.release();
    if (this.#begun) this.#tell();
  }

  #tell(): void {
    const receiver = this.#receiver;
    this.#receiver = undefined;
    receiver?.disconnected(this.#cause);
  }

  #hear(): void {
    this.#silence = 0;
    this.#heard = now();
  }

  #ping(): void {
    const bytesRead = this.#underlying?.bytesRead ?? 0;
    // A large message may take longer than three pings, and is a sign of life all the while.
    if (bytesRead !== this.#bytesRead) this.#hear();
    this.#bytesRead = bytesRead;
    // Pauses are ours: an end that has not been opened does not listen.
    if (!this.#begun) return;
    if (this.#silence === PATIENCE) {
      const waited = PATIENCE * this.#pingEvery;
      const message = `Nothing was heard of the peer for ${waited} ms, not even an answer to ${PATIENCE} pings.`;
      this.#disconnect(new TimeoutError(`${message} The connection was given up.`, waited));
      return;
    }
    this.#silence++;
    if (this.#socket.readyState === OPEN) this.#socket.ping();
  }

  readonly #onSent = (): void => {
    if (!this.congested) this.#drained.release();
    if (this.waiting === 0) this.#flushed.release();
  };

  #onMessage(data: Buffer | ArrayBuffer | Buffer[], isBinary: boolean): void {
    if (this.#gone) return;
    if (!this.#begun) {
      this.#early.push([data, isBinary]);
      return;
    }
    this.#hot.arrived();
    this.#hear();
    try {
      if (!isBinary) throw new ProtocolError('A text message arrived over the WebSocket; frames are binary.');
      const bytes = bytesOf(data);
      this.#check(bytes);
      this.#receiver?.receive(bytes, 0, bytes.length);
    } catch (cause) {
      this.#disconnect(cause as Error);
    }
  }

  /** Throws ProtocolError unless a message holds whole frames. */
  #check(bytes: Buffer): void {
    let at = 0;
    while (bytes.length - at >= 4) {
      const size = 4 + bytes.readUInt32LE(at);
      checkSize(size, this.#maxFrame);
      at += size;
    }
    if (at !== bytes.length) {
      throw new ProtocolError(`A WebSocket message of ${bytes.length} bytes ends in the midst of a frame.`);
    }
  }
}

/** The bytes of a message, in whichever of its forms `ws` was told to give them. */
const bytesOf = (data: Buffer | ArrayBuffer | Buffer[]): Buffer => {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
};
