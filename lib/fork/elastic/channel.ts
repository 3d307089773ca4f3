import { ProtocolError } from '../../wire/errors.ts';
import type { ClosableSocket } from '../../wire/link/websocket.ts';
import { type WebSocketLike, WebSocketLink } from '../../wire/link/websocket-link.ts';
import { type FromJoiner, type FromProgram, LONGEST_MESSAGE, readMessage } from './messages.ts';

/**
 * Signs of life are sent by who joins, and missed by the manager's own watch; a program may stand still for as long as it
 * likes. So the link itself never asks for any: this is the longest time that Node's timers take.
 */
const NEVER = 2 ** 31 - 1;

type OnFrames = (data: Buffer | ArrayBuffer | Buffer[], isBinary: boolean) => void;

/** What the other end of a channel may say. */
type Said<From> = From extends 'joiner' ? FromJoiner : FromProgram;

/**
 * One WebSocket that carries a site's frames as binary messages, and what is said beside them as text. `From` is the
 * other end.
 */
export class Channel<From extends 'joiner' | 'program'> {
  /** Resolves when it is over, with what broke it. */
  readonly closed: Promise<Error | undefined>;
  /** When the other end was last heard, on the clock of `performance.now()`: a ping, a frame, or a word. */
  heardAt = performance.now();
  readonly #socket: ClosableSocket;
  #onSaid: ((message: Said<From>) => void) | undefined;
  #onFrames: OnFrames | undefined;
  /** What was said before anybody listened; who joins says little before it is asked. */
  readonly #early: Said<From>[] = [];
  #over: (cause: Error | undefined) => void = () => {};
  #cause: Error | undefined;

  /** `socket` is open, and the channel's from now on. */
  constructor(socket: ClosableSocket) {
    this.#socket = socket;
    this.closed = new Promise((resolve) => {
      this.#over = resolve;
    });
    const heard = () => {
      this.heardAt = performance.now();
    };
    socket.on('ping', heard);
    socket.on('message', (data, isBinary) => {
      heard();
      if (!isBinary) return this.#onText(data);
      if (this.#onFrames) this.#onFrames(data, true);
      else this.#refuse('frames before there was a site');
    });
    socket.on('error', (cause) => {
      this.#cause ??= cause;
    });
    socket.on('close', () => this.#over(this.#cause));
    socket.resume();
  }

  /** Calls `listener` for each message, those before this among them; there is one listener at a time. */
  listen(listener: (message: Said<From>) => void): void {
    this.#onSaid = listener;
    for (const message of this.#early.splice(0)) listener(message);
  }

  /** Says something to the other end; nothing happens if it has gone. */
  say(message: From extends 'joiner' ? FromProgram : FromJoiner): void {
    this.#socket.send(Buffer.from(JSON.stringify(message)), { binary: false }, () => {});
  }

  /** Says that this end is alive. */
  ping(): void {
    try {
      this.#socket.ping();
    } catch {
      // It is not open any more.
    }
  }

  /** The link for the frames; made once. */
  link(maxFrame?: number): WebSocketLink {
    const socket = this.#socket;
    const frames: WebSocketLike = {
      get readyState() {
        return socket.readyState;
      },
      get bufferedAmount() {
        return socket.bufferedAmount;
      },
      on: (event: string, listener: never) => {
        if (event === 'message') this.#onFrames = listener;
        else socket.on(event as 'close', listener);
      },
      send: (data, options, done) => socket.send(data, options, done),
      ping: () => {},
      pause: () => socket.pause(),
      resume: () => socket.resume(),
      terminate: () => socket.terminate(),
    };
    // What lets a process end; see WebSocketLink.
    Object.defineProperty(frames, '_socket', { get: () => (socket as { _socket?: unknown })._socket });
    return new WebSocketLink(frames, { pingEvery: NEVER, ...(maxFrame !== undefined && { maxFrame }) });
  }

  /** Ends it when what was said has left, after `within` ms at the latest. */
  async end(within: number): Promise<void> {
    const late = setTimeout(() => this.drop(), within);
    // What waits here unread would make the operating system drop what was said last.
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

  #refuse(what: string): void {
    this.drop(new ProtocolError(`The other end sent ${what}.`));
  }

  #onText(data: Buffer | ArrayBuffer | Buffer[]): void {
    const bytes = data as Buffer;
    if (bytes.length > LONGEST_MESSAGE) return this.#refuse('more at once than can be meant');
    const text = bytes.toString('utf8');
    const message = readMessage(text);
    if (!message) return this.#refuse('what this version does not know');
    if (this.#onSaid) this.#onSaid(message as Said<From>);
    else if (this.#early.push(message as Said<From>) > 100) this.#refuse('too much before it was asked');
  }
}
