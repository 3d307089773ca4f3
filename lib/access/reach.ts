import { connect as connectPlain, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import type { Address } from '../cluster/direct/address.ts';
import { hasHungUp } from '../cluster/direct/errors.ts';
import { whenAborted } from '../wire/call/when-aborted.ts';
import { TimeoutError } from '../wire/errors.ts';
import { AccessError } from './errors.ts';
import { type Attempt, accessTooLate, attemptFailure, UntrustedError } from './failure.ts';

/** How long who was sent away waits, in milliseconds; chance adds as much, so that a crowd disperses. */
const AGAIN_AFTER = 20;

/** The bound of all that one attempt does. */
export class Bound {
  readonly #attempt: Attempt;
  readonly #giveUp = new AbortController();
  readonly #late: NodeJS.Timeout;
  readonly #unlisten: (() => void) | undefined;
  readonly #asked: AbortSignal | undefined;
  #hungUp = 0;

  constructor(attempt: Attempt, asked: AbortSignal | undefined) {
    const { name, timeout } = attempt;
    this.#attempt = attempt;
    this.#asked = asked;
    this.#late = setTimeout(
      () => this.#giveUp.abort(new TimeoutError(`${name} did not answer.`, timeout)),
      timeout,
    );
    this.#unlisten = asked && whenAborted(asked, () => this.#giveUp.abort(asked.reason));
  }

  get signal(): AbortSignal {
    return this.#giveUp.signal;
  }

  /** What is to be thrown for an error that was met; the signal's reason if that is why. */
  failure(cause: unknown): unknown {
    if (this.#asked?.aborted) return this.#asked.reason;
    if (this.signal.aborted) return accessTooLate(this.#attempt, this.#hungUp, this.signal.reason as Error);
    return attemptFailure(this.#attempt, cause as Error);
  }

  /** Connects, and connects again if the other side hung up before it had said anything, as one does that has no room. */
  async reach<S extends Socket, T>(
    connect: (signal: AbortSignal) => Promise<S>,
    use: (socket: S) => Promise<T>,
  ): Promise<T> {
    for (;;) {
      let socket: S | undefined;
      try {
        this.signal.throwIfAborted();
        socket = await connect(this.signal);
        return await use(socket);
      } catch (cause) {
        socket?.destroy();
        if (this.signal.aborted || cause instanceof AccessError || !hasHungUp(cause as Error))
          throw this.failure(cause);
        this.#hungUp++;
      }
      await delay(AGAIN_AFTER * (1 + Math.random()), undefined, { signal: this.signal }).catch((cause) => {
        throw this.failure(cause);
      });
    }
  }

  end(): void {
    clearTimeout(this.#late);
    this.#unlisten?.();
  }
}

/** Waits for something that can not be given up, and no longer than until a signal is aborted. */
export const unlessAborted = <T>(promise: Promise<T>, signal: AbortSignal): Promise<T> =>
  new Promise((resolve, reject) => {
    const unlisten = whenAborted(signal, () => reject(signal.reason));
    promise.then(resolve, reject).finally(unlisten);
  });

const connected = <S extends Socket>(socket: S, event: 'connect' | 'secureConnect', signal: AbortSignal) =>
  new Promise<S>((resolve, reject) => {
    const abort = () => {
      socket.destroy();
      reject(signal.reason);
    };
    signal.addEventListener('abort', abort, { once: true });
    const done = () => signal.removeEventListener('abort', abort);
    // It stays: until somebody else listens, nobody else would hear of an error.
    socket.on('error', (cause) => {
      done();
      const why = (socket as Partial<Pick<TLSSocket, 'authorizationError'>>).authorizationError;
      reject(why ? new UntrustedError(cause.message, { cause }) : cause);
    });
    socket.once(event, () => {
      done();
      resolve(socket);
    });
  });

/**
 * Shakes hands with whoever listens. It is done before `ws` gets the socket: with its request waiting to be written, a
 * handshake that fails is told as that write's failure (EPROTO), without the alert that says why.
 */
export const shakeHands =
  ({ host, port }: Address, options: ConnectionOptions) =>
  (signal: AbortSignal): Promise<TLSSocket> =>
    connected(connectTls({ ...options, host, port }), 'secureConnect', signal);

/** Connects without TLS. */
export const plainly =
  ({ host, port }: Address) =>
  (signal: AbortSignal): Promise<Socket> =>
    connected(connectPlain({ host, port }), 'connect', signal);
