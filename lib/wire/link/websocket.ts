import type { ClientRequestArgs } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SecureContextOptions } from 'node:tls';
import { TimeoutError } from '../errors.ts';
import { MAX_FRAME } from '../frame/frame.ts';
import type { WebSocketLike } from './websocket-link.ts';

/** How long a connection may take to be made, in milliseconds. */
const OPEN_WITHIN = 10_000;

/** What a WebSocket for a link is made with, on either side. */
export interface SocketOptions {
  /** How many bytes a message may have that arrives; the default is 1 GiB. */
  readonly maxPayload?: number;
}

/** How a connection is made; all else goes to `tls.connect` as it is. */
export interface OpenOptions extends SocketOptions, SecureContextOptions {
  /** Gives the attempt up. */
  readonly signal?: AbortSignal;
  /** How long the attempt may take, in milliseconds; the default is 10 s. */
  readonly timeout?: number;
  /** Headers for the request that asks for the WebSocket. */
  readonly headers?: ClientRequestArgs['headers'];
  /** Whether a certificate must be one that this host trusts; the default is true. */
  readonly rejectUnauthorized?: boolean;
  /** The name that the server's certificate must have, if it is not that in the URL. */
  readonly servername?: string;
  /** Makes the connection below, in place of `net.connect` or `tls.connect`. */
  readonly createConnection?: () => Duplex;
}

/** A WebSocket of the package `ws` that is ended in order by whoever has it. */
export interface ClosableSocket extends WebSocketLike {
  /** Whether nothing is taken from it now. */
  readonly isPaused: boolean;
  /** Ends it in order, behind what was sent. */
  close(): void;
}

/** The connection below one, which `ws` does not publish: it says whether a process may end. */
export const connectionOf = (socket: WebSocketLike): Socket =>
  (socket as unknown as { readonly _socket: Socket })._socket;

/**
 * Options for a `WebSocketServer` of `ws` whose sockets carry links. Frames are not compressed: that costs more than it
 * saves on most networks, and tells who listens how alike secrets are.
 */
export const socketOptions = ({ maxPayload = MAX_FRAME }: SocketOptions = {}) => ({
  perMessageDeflate: false,
  maxPayload,
});

/**
 * Connects to a WebSocket server, and gives the socket paused, so that nothing is lost until a link is made of it. Rejects
 * with what the network says, with TimeoutError after `timeout`, or with the signal's reason. Loads `ws` when it is first
 * called.
 */
export const openWebSocket = async (url: string | URL, options: OpenOptions = {}): Promise<WebSocketLike> => {
  const { maxPayload, signal, timeout = OPEN_WITHIN, ...rest } = options;
  signal?.throwIfAborted();
  const { WebSocket } = await import('ws');
  signal?.throwIfAborted();
  const socket = new WebSocket(url, { ...rest, ...socketOptions({ maxPayload }) });
  return new Promise((resolve, reject) => {
    const giveUp = (cause: unknown) => {
      done();
      reject(cause);
      socket.terminate();
    };
    const aborted = () => giveUp(signal!.reason);
    const timer = setTimeout(() => {
      giveUp(new TimeoutError(`There was no WebSocket at ${url} within ${timeout} ms.`, timeout));
    }, timeout);
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', aborted);
    };
    signal?.addEventListener('abort', aborted);
    // It stays: a socket that is given up fails once more, and an error that nobody hears ends the process.
    socket.on('error', (cause) => {
      done();
      reject(cause);
    });
    socket.once('open', () => {
      done();
      socket.pause();
      resolve(socket);
    });
  });
};
