import type { Socket } from 'node:net';
import { type Address, checkAddress, written } from '../cluster/direct/address.ts';
import { OptionError } from '../wire/errors.ts';
import { type ClosableSocket, connectionOf, openWebSocket } from '../wire/link/websocket.ts';
import type { Credentials } from './credentials.ts';
import { AccessError } from './errors.ts';
import { type Attempt, accessFailure, tooManyGuesses } from './failure.ts';
import { certificateTls, keyTls, LOGIN, PUBLIC } from './handshake.ts';
import { identityOfKey } from './key-file.ts';
import { type Known, knownCredentials } from './known-credentials.ts';
import { type Begun, KeptSessions } from './login/kept-sessions.ts';
import { logIn } from './login/log-in.ts';
import { Bound, plainly, shakeHands, unlessAborted } from './reach.ts';
import { isLoopback, isSameUser } from './same-user.ts';
import type { Ends } from './visitor.ts';

/** How a daemon or a scheduler is dialled. */
export interface DialOptions {
  /** What is asked for there: the URL's path. */
  readonly path: string;
  readonly credentials?: Credentials;
  /** What is dialled, in errors. @default 'the daemon' */
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

const DIAL_WITHIN = 10_000;

/** Of this process: each daemon and user of it whose password was given. */
const kept = new KeptSessions();

const open = async (
  connection: Socket,
  path: string,
  timeout: number,
  signal: AbortSignal,
): Promise<Dialled> => {
  // Daemons know nobody by the URL's host; without TLS they see to it that it is this one.
  const socket = (await openWebSocket(`ws://localhost${path}`, {
    timeout,
    signal,
    createConnection: () => connection,
  })) as ClosableSocket;
  return { socket, ends: connectionOf(socket) };
};

const dialPlain = (attempt: Attempt, bound: Bound): Promise<Dialled> => {
  const { address, path, timeout } = attempt;
  return bound.reach(plainly(address), async (socket) => {
    // A name may lead anywhere. Nothing has been said to who is not of this host.
    if (!isLoopback(socket.remoteAddress ?? '')) throw accessFailure('tls', attempt);
    const dialled = await open(socket, path, timeout, bound.signal);
    // It has answered, so it is a process that has taken the connection: of which user, can be told now.
    if (!isSameUser(dialled.ends)) {
      dialled.socket.terminate();
      throw accessFailure('user', attempt);
    }
    return dialled;
  });
};

const passwordFrom = async (
  password: string | (() => string | Promise<string>),
  signal: AbortSignal,
): Promise<string> => {
  let given: unknown = password;
  if (typeof password === 'function') {
    try {
      given = await unlessAborted(Promise.resolve(password()), signal);
    } catch (cause) {
      signal.throwIfAborted();
      const what = `password could not be had: ${(cause as Error).message}`;
      throw new OptionError('password', what, { cause });
    }
  }
  if (typeof given === 'string' && given !== '') return given;
  throw new OptionError('password', 'password is empty, but must be a text.');
};

const dialByPassword = async (
  attempt: Attempt,
  bound: Bound,
  { user, password, ca }: Known & { readonly by: 'password' },
): Promise<Dialled> => {
  const { address, path, timeout } = attempt;
  const name = `${written(address)} ${user} ${ca ?? ''}`;
  const begin = async (): Promise<Begun> => {
    const given = await passwordFrom(password, bound.signal);
    const tls =
      ca === undefined
        ? keyTls(PUBLIC.identity, PUBLIC.key, LOGIN)
        : certificateTls({ ca }, address.host, LOGIN);
    return bound.reach(shakeHands(address, tls), async (socket) => {
      const destroy = () => void socket.destroy();
      bound.signal.addEventListener('abort', destroy);
      try {
        const outcome = await logIn(socket, user, given);
        if ('wrong' in outcome) throw accessFailure('password', attempt);
        if ('later' in outcome) throw tooManyGuesses(attempt, outcome.later);
        return outcome;
      } finally {
        bound.signal.removeEventListener('abort', destroy);
        socket.destroy();
      }
    });
  };
  for (;;) {
    const { session, fresh } = await kept.get(name, password, begin, bound.signal);
    try {
      return await bound.reach(shakeHands(address, keyTls(session.identity, session.key)), (socket) =>
        open(socket, path, timeout, bound.signal),
      );
    } catch (cause) {
      // The daemon was started anew, or has forgotten who came long ago.
      if (fresh || !(cause instanceof AccessError) || cause.reason !== 'password') throw cause;
      kept.forget(name, session);
    }
  }
};

const dialKnown = async (attempt: Attempt, bound: Bound, known: Known): Promise<Dialled> => {
  const { address, path, timeout } = attempt;
  if (known.by === 'nothing') return dialPlain(attempt, bound);
  if (known.by === 'password') return dialByPassword(attempt, bound, known);
  const tls =
    known.by === 'key'
      ? keyTls(identityOfKey(known.key), known.key.bytes)
      : certificateTls(known.certificates, address.host);
  try {
    return await bound.reach(shakeHands(address, tls), (socket) => open(socket, path, timeout, bound.signal));
  } catch (cause) {
    // Nobody said that this daemon is to be known by a key, and it is this user's own on this host.
    const own = known.by === 'key' && known.assumed && isLoopback(address.host);
    if (own && cause instanceof AccessError && cause.reason === 'tls')
      return dialPlain({ ...attempt, by: 'nothing' }, bound);
    throw cause;
  }
};

/**
 * Proves who this is to a daemon or a scheduler, has it prove itself, and opens a WebSocket. Rejects with AccessError,
 * OptionError, or the signal's reason. The first login by a password takes about 0.3 s of this thread; the next ones to the
 * same daemon take none, for an hour.
 */
export const dial = async (
  address: Address,
  { path, credentials, name = 'the daemon', timeout = DIAL_WITHIN, signal }: DialOptions,
): Promise<Dialled> => {
  checkAddress(address);
  signal?.throwIfAborted();
  const known = knownCredentials(credentials);
  const user = known.by === 'key' ? known.key.user : known.by === 'password' ? known.user : '';
  const attempt: Attempt = { name, address, path, timeout, by: known.by, user };
  const bound = new Bound(attempt, signal);
  try {
    return await dialKnown(attempt, bound, known);
  } catch (cause) {
    if (cause instanceof OptionError || cause instanceof AccessError) throw cause;
    throw bound.failure(cause);
  } finally {
    bound.end();
  }
};
