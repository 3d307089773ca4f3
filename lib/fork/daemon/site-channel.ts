import { Duplex } from 'node:stream';
import { LARGEST_MESSAGE } from '../../access/listener.ts';
import { ProtocolError } from '../../wire/errors.ts';
import { HIGH_WATER } from '../../wire/link/link.ts';
import { type ClosableSocket, connectionOf } from '../../wire/link/websocket.ts';
import { type FromClient, type FromDaemon, LONGEST_MESSAGE, readMessage } from './messages.ts';

/** What the other end of a channel may say. */
type Said<From> = From extends 'client' ? FromClient : FromDaemon;
/** What this end says. */
type Says<From> = From extends 'client' ? FromDaemon : FromClient;

/** The bytes of a site as one stream: a WebSocket's binary messages, held back as either side can't keep up. */
class SiteBytes extends Duplex {
  /** Whether the other end is held up, because what it sent has not been read. */
  holdsUp = false;
  readonly #socket: ClosableSocket;
  readonly #onFinal: () => void;

  constructor(socket: ClosableSocket, onFinal: () => void) {
    super({ allowHalfOpen: true, emitClose: true });
    this.#socket = socket;
    this.#onFinal = onFinal;
  }

  /** A message has arrived. */
  arrived(bytes: Buffer): void {
    if (this.push(bytes)) return;
    this.holdsUp = true;
    this.#socket.pause();
  }

  override _read(): void {
    this.holdsUp = false;
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (cause?: Error | null) => void): void {
    const full = this.#socket.bufferedAmount > HIGH_WATER;
    // Who writes is held up only when too much has gathered, so that messages follow each other without a pause.
    let from = 0;
    for (; from + LARGEST_MESSAGE < chunk.length; from += LARGEST_MESSAGE)
      this.#socket.send(chunk.subarray(from, from + LARGEST_MESSAGE), { binary: true }, () => {});
    const last = from === 0 ? chunk : chunk.subarray(from);
    this.#socket.send(last, { binary: true }, full ? (cause) => done(cause) : () => {});
    if (!full) done();
  }

  override _final(done: () => void): void {
    this.#onFinal();
    done();
  }

  override _destroy(_cause: Error | null, done: (cause?: Error | null) => void): void {
    done();
  }

  ref(): this {
    connectionOf(this.#socket)?.ref();
    return this;
  }

  unref(): this {
    connectionOf(this.#socket)?.unref();
    return this;
  }
}

/** One WebSocket that carries one site: its bytes, and what is said beside them. `From` is the other end. */
export class SiteChannel<From extends 'client' | 'daemon'> {
  /** Resolves when it is over, with what broke it. */
  readonly closed: Promise<Error | undefined>;
  /** What the other end writes for the site or the site for it; its end is the end of what is written. */
  readonly bytes: Duplex & { ref(): unknown; unref(): unknown };
  readonly #socket: ClosableSocket;
  readonly #bytes: SiteBytes;
  #onSaid: ((message: Said<From>) => void) | undefined;
  readonly #early: Said<From>[] = [];
  #cause: Error | undefined;
  #isOver = false;
  #heardAt = performance.now();

  /** `socket` is open, and the channel's from now on; `onFinal` is called when all was written to `bytes` that will be. */
  constructor(socket: ClosableSocket, onFinal: () => void = () => {}) {
    this.#socket = socket;
    this.#bytes = new SiteBytes(socket, onFinal);
    this.bytes = this.#bytes;
    // Who pipes it hears of its end; an error that nobody hears would end the process.
    this.#bytes.on('error', () => {});
    const heard = () => {
      this.#heardAt = performance.now();
    };
    socket.on('ping', heard);
    socket.on('pong', heard);
    socket.on('message', (data, isBinary) => {
      heard();
      if (isBinary) this.#bytes.arrived(data as Buffer);
      else this.#onText(data as Buffer);
    });
    socket.on('error', (cause) => {
      this.#cause ??= cause;
    });
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.#isOver = true;
        // What has arrived is still read.
        this.#bytes.push(null);
        resolve(this.#cause);
      });
    });
    socket.resume();
  }

  /**
   * When the other end was last heard, on the clock of `performance.now()`: bytes, a word, a ping or a pong. While it is
   * held up here nothing can be heard of it, which says nothing against it.
   */
  get heardAt(): number {
    return this.#bytes.holdsUp ? performance.now() : this.#heardAt;
  }

  /** Whether the connection has ended. */
  get over(): boolean {
    return this.#isOver;
  }

  /** Calls `listener` for each message, those before this among them; there is one listener at a time. */
  listen(listener: (message: Said<From>) => void): void {
    this.#onSaid = listener;
    for (const message of this.#early.splice(0)) listener(message);
  }

  /** Whether so much waits here to leave that nothing more should be said which can wait. */
  get full(): boolean {
    return this.#socket.bufferedAmount > HIGH_WATER;
  }

  /**
   * Says something to the other end, behind the bytes that were written; nothing happens if it has gone. `left` is called
   * when it has left this process, or never will.
   */
  say(message: Says<From>, left: () => void = () => {}): void {
    if (this.#isOver) left();
    else this.#socket.send(Buffer.from(JSON.stringify(message)), { binary: false }, left);
  }

  /** Asks the other end's program for a sign of life. */
  ping(): void {
    try {
      this.#socket.ping();
    } catch {
      // It is not open any more.
    }
  }

  /** Nothing more comes for the site to read. */
  endBytes(): void {
    this.#bytes.push(null);
  }

  /** Ends it when what was said has left, after `within` ms at the latest. */
  async end(within: number): Promise<void> {
    const late = setTimeout(() => this.drop(), within);
    this.#socket.resume();
    this.#socket.close();
    await this.closed;
    clearTimeout(late);
  }

  /** Ends it at once. */
  drop(cause?: Error): void {
    this.#cause ??= cause;
    this.#socket.terminate();
  }

  #onText(bytes: Buffer): void {
    const message = bytes.length > LONGEST_MESSAGE ? undefined : readMessage(bytes.toString('utf8'));
    if (!message) return this.drop(new ProtocolError('The other end sent what this version does not know.'));
    if (this.#onSaid) this.#onSaid(message as Said<From>);
    else if (this.#early.push(message as Said<From>) > 100)
      this.drop(new ProtocolError('The other end sent too much before it was asked.'));
  }
}
