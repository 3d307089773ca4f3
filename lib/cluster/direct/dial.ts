import { setTimeout as delay } from 'node:timers/promises';
import type * as tls from 'node:tls';
import { connect, type Peer, type PeerOptions } from '../../module/peer.ts';
import { whenAborted } from '../../wire/call/when-aborted.ts';
import { TimeoutError } from '../../wire/errors.ts';
import type { OpenOptions } from '../../wire/link/websocket.ts';
import { type Address, checkAddress, written } from './address.ts';
import { type Attempt, dialFailure, hasHungUp, tooLate } from './errors.ts';
import { checkMembership, dialTls, type Membership } from './handshake.ts';

/** How long a member may take to let somebody in, in milliseconds; a busy one looks at its door between two turns. */
export const DIAL_WITHIN = 5_000;
/** How long who was sent away waits, in milliseconds; chance adds as much, so that a crowd disperses. */
const AGAIN_AFTER = 20;

/** Doors do not look at it; where they are is in the socket, because a URL has no place for an IPv6 zone. */
export const URL_OF_DOORS = 'wss://member';

/**
 * Shakes hands with whoever listens. It is done before `ws` gets the socket: with its request waiting to be written, a
 * handshake that fails is told as that write's failure (EPROTO), without the alert that says why.
 */
const shakeHands = (connectTls: typeof tls.connect, options: tls.ConnectionOptions, signal: AbortSignal) =>
  new Promise<tls.TLSSocket>((resolve, reject) => {
    const socket = connectTls(options);
    const abort = () => {
      socket.destroy();
      reject(signal.reason);
    };
    signal.addEventListener('abort', abort, { once: true });
    const done = () => signal.removeEventListener('abort', abort);
    // It stays: until `ws` has the socket, nobody else would hear of an error.
    socket.on('error', (cause) => {
      done();
      reject(cause);
    });
    socket.once('secureConnect', () => {
      done();
      resolve(socket);
    });
  });

/** How a door is reached. */
export interface ReachOptions extends Membership {
  /** The other member's name in errors. @default 'the member at' its address */
  name?: string;
  /** How long all of it may take, in milliseconds. @default 5 s */
  timeout?: number;
  /** Gives the attempt up. */
  signal?: AbortSignal;
}

/** How a member is dialled. */
export interface DialOptions extends ReachOptions, PeerOptions {}

/**
 * Proves itself at a door, and has the WebSocket opened by `open`, which is called again if the door had no room. Rejects
 * with DialError, OptionError, or the signal's reason.
 */
export const dialDoor = async <T>(
  address: Address,
  { cluster, key, name = `the member at ${written(address)}`, timeout = DIAL_WITHIN, signal }: ReachOptions,
  open: (options: OpenOptions) => Promise<T>,
): Promise<T> => {
  checkAddress(address);
  checkMembership({ cluster, key });
  signal?.throwIfAborted();
  const attempt: Attempt = { name, cluster, address, timeout };
  const giveUp = new AbortController();
  const late = setTimeout(() => giveUp.abort(new TimeoutError(`${name} did not answer.`, timeout)), timeout);
  const unlisten = signal && whenAborted(signal, () => giveUp.abort(signal.reason));
  let hungUp = 0;
  try {
    // Both before the handshake: between that and the WebSocket nothing is to be waited for.
    const [{ connect: connectTls }] = await Promise.all([import('node:tls'), import('ws')]);
    const options = { ...dialTls({ cluster, key }), host: address.host, port: address.port };
    for (;;) {
      let socket: tls.TLSSocket | undefined;
      try {
        socket = await shakeHands(connectTls, options, giveUp.signal);
        // The timer above holds the process until somebody has the peer; after that only calls do.
        const createConnection = () => socket!.unref();
        const how = { timeout, signal: giveUp.signal, createConnection };
        return await open(how as OpenOptions);
      } catch (cause) {
        socket?.destroy();
        giveUp.signal.throwIfAborted();
        if (!hasHungUp(cause as Error)) throw dialFailure(attempt, cause as Error);
        hungUp++;
      }
      await delay(AGAIN_AFTER * (1 + Math.random()), undefined, { signal: giveUp.signal });
    }
  } catch (cause) {
    if (!giveUp.signal.aborted) throw cause;
    signal?.throwIfAborted();
    throw tooLate(attempt, hungUp, giveUp.signal.reason);
  } finally {
    clearTimeout(late);
    unlisten?.();
  }
};

/**
 * Connects to another member of the cluster at its door. Rejects with DialError, OptionError, or the signal's reason.
 * The connection keeps the process alive only while a call waits for an answer. Loads `ws` when it is first called.
 */
export const dial = <M extends object = object>(
  address: Address,
  { main, limits, name = `the member at ${written(address)}`, ...reach }: DialOptions,
): Promise<Peer<M>> =>
  dialDoor(address, { name, ...reach }, (open) => connect<M>(URL_OF_DOORS, { main, name, limits, ...open }));
