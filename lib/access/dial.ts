import { type Address, written } from '../cluster/direct/address.ts';
import { type ClosableSocket, connectionOf, openWebSocket } from '../wire/link/websocket.ts';
import type { Credentials } from './credentials.ts';
import type { Ends } from './visitor.ts';

/** How a daemon or a scheduler is dialled. */
export interface DialOptions {
  /** What is asked for there: the URL's path. */
  readonly path: string;
  readonly credentials?: Credentials;
  /** What is dialled, in errors. @default 'the daemon at' its address */
  readonly name?: string;
  /** How long all of it may take, in milliseconds. @default 10 s */
  readonly timeout?: number;
  /** Gives the attempt up. */
  readonly signal?: AbortSignal;
}

/** A WebSocket to who let this process in, and the connection below it. */
export interface Dialled {
  /** Open and paused. */
  readonly socket: ClosableSocket;
  readonly ends: Ends;
}

/** The port of a daemon if nobody says another one. */
export const DAEMON_PORT = 35_000;

/**
 * Proves who this is to a daemon or a scheduler, has it prove itself, and opens a WebSocket. Rejects with AccessError,
 * OptionError, or the signal's reason.
 */
export const dial = async (
  address: Address,
  { path, timeout = 10_000, signal }: DialOptions,
): Promise<Dialled> => {
  const socket = (await openWebSocket(`ws://${written(address)}${path}`, {
    timeout,
    ...(signal && { signal }),
  })) as ClosableSocket;
  return { socket, ends: connectionOf(socket) };
};
