import {
  OptionError,
  ProtocolError,
  SiteClosedError,
  SiteCrashedError,
  TimeoutError,
} from '../wire/errors.ts';
import { MAX_FRAME, PROTOCOL } from '../wire/frame/frame.ts';
import type { Limits } from '../wire/limits.ts';
import { type OpenOptions, openWebSocket } from '../wire/link/websocket.ts';
import { roomFor, type WebSocketLike, WebSocketLink } from '../wire/link/websocket-link.ts';
import { byReference } from '../wire/reference/reference.ts';
import { Session } from '../wire/session.ts';
import type { Remote } from './remote.ts';

/** How long the other end may take to say who it is, in milliseconds. */
const GREET_WITHIN = 10_000;

/** What each end of a connection may say of itself. */
export interface PeerOptions {
  /** What the other end may call. @default nothing */
  main?: object;
  /** The other end's name in errors. @default its URL, or 'the peer' */
  name?: string;
  /** What a call, a value or a stream may take of this process. @default see Limits */
  limits?: Partial<Limits>;
}

/** What a peer says first. */
interface Greeting {
  readonly protocol: number;
}

/**
 * The program at the other end of a WebSocket; its main object is called as a linked module is. There is no
 * authentication here: whoever can connect can call.
 */
export class Peer<M extends object = object> implements AsyncDisposable {
  /** Its main object, usable at once. */
  readonly main: Remote<M>;
  /** As it is called in errors. */
  readonly name: string;
  /** Resolves when the other end has said who it is; rejects with why it never will. */
  readonly ready: Promise<void>;
  /** Resolves when the connection is over, with what broke it, or with nothing if it was closed. */
  readonly closed: Promise<Error | undefined>;
  readonly #session: Session;
  readonly #link: WebSocketLink;
  #closing = false;

  constructor(socket: WebSocketLike, { main, name = 'the peer', limits }: PeerOptions = {}) {
    this.name = name;
    let greeted!: () => void;
    let failed!: (cause: Error) => void;
    this.ready = new Promise((resolve, reject) => {
      greeted = resolve;
      failed = reject;
    });
    this.ready.catch(() => {});
    let over!: (cause: Error | undefined) => void;
    this.closed = new Promise((resolve) => {
      over = resolve;
    });
    this.#link = new WebSocketLink(socket, { maxFrame: roomFor(limits?.frameSize ?? MAX_FRAME) });
    this.#session = new Session(
      name,
      main && byReference(main),
      {
        hello: (greeting) => {
          if ((greeting as Greeting | undefined)?.protocol === PROTOCOL) greeted();
          else this.#link.destroy(new ProtocolError(`${name} does not speak protocol ${PROTOCOL}.`));
        },
        close: () => void this.close(),
        disconnected: (cause) => {
          const gone = this.#failure(cause);
          this.#session.end(gone);
          failed(gone(false));
          over(this.#closing ? undefined : (cause ?? gone(false)));
        },
      },
      { limits },
    );
    this.main = this.#session.main as Remote<M>;
    const greeting: Greeting = { protocol: PROTOCOL };
    this.#session.greet(greeting);
    this.#session.attach(this.#link);
  }

  /** How many calls wait for the other end's answer. */
  get inFlight(): number {
    return this.#session.inFlight;
  }

  /** Ends the connection; calls that wait reject. Can be called again; never rejects. */
  async close(): Promise<void> {
    if (!this.#closing) {
      this.#closing = true;
      this.#session.sendClose();
      this.#session.end(this.#failure(undefined));
      await this.#link.flushed();
      this.#link.destroy();
    }
    await this.closed;
  }

  /** Ends the connection at once, because of `cause`. */
  drop(cause: Error): void {
    this.#link.destroy(cause);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #failure(cause: Error | undefined): (mayHaveRun: boolean) => Error {
    const { name } = this;
    if (this.#closing) {
      return (mayHaveRun) => {
        const what = mayHaveRun
          ? 'before it answered; the call may have run'
          : 'and can not be called any more';
        return new SiteClosedError(`The connection to ${name} was closed ${what}.`, mayHaveRun);
      };
    }
    return (mayHaveRun) => {
      const why = cause ? `: ${cause.message}` : '';
      const what = mayHaveRun ? 'the call may have run' : 'the call was not sent';
      return new SiteCrashedError(
        `The connection to ${name} was lost${why}; ${what}. Connect again to go on.`,
        { exitCode: null, signal: null, stderr: [] },
        mayHaveRun,
        cause && { cause },
      );
    };
  }
}

/**
 * Takes an open socket of the package `ws` that a server has accepted, as one end of a session. Whether it fails is told
 * by `ready` and `closed`, and by the calls that wait.
 */
export const accept = <M extends object = object>(
  socket: WebSocketLike,
  options: PeerOptions = {},
): Peer<M> => new Peer<M>(socket, options);

/**
 * Connects to a program that has `accept`ed, at a `ws:` or `wss:` URL. Rejects with what the network says, TimeoutError,
 * ProtocolError, or the signal's reason.
 */
export const connect = async <M extends object = object>(
  url: string | URL,
  { main, name = String(url), limits, timeout = GREET_WITHIN, ...open }: PeerOptions & OpenOptions = {},
): Promise<Peer<M>> => {
  if (!/^wss?:/.test(String(url))) throw new OptionError('url', `${url} is no ws: or wss: URL.`);
  const start = performance.now();
  const maxPayload = roomFor(limits?.frameSize ?? MAX_FRAME);
  const socket = await openWebSocket(url, { maxPayload, timeout, ...open });
  const peer = new Peer<M>(socket, { main, name, limits });
  const left = Math.max(1, timeout - (performance.now() - start));
  const timer = setTimeout(() => {
    peer.drop(new TimeoutError(`${name} did not say within ${timeout} ms that it speaks offsite.`, timeout));
  }, left);
  const abort = () => peer.drop(open.signal!.reason as Error);
  open.signal?.addEventListener('abort', abort, { once: true });
  try {
    await peer.ready;
  } finally {
    clearTimeout(timer);
    open.signal?.removeEventListener('abort', abort);
  }
  return peer;
};
