import type { Socket } from 'node:net';

/** How long who comes may take to show the key, ask for a WebSocket and greet, in milliseconds: three round trips. */
const WAIT_AT_MOST = 5_000;
/** How many may stand at a door at once who have not. */
const MOST_WAITING = 64;
/** How long a place is safe from who comes later, in milliseconds: a member needs a small part of it. */
const SAFE_FOR = 1_000;

/** The bounds of a waiting room; times are in milliseconds. */
export interface WaitingRoomOptions {
  readonly waitAtMost?: number;
  readonly mostWaiting?: number;
  readonly safeFor?: number;
}

interface Guest {
  readonly socket: Socket;
  readonly since: number;
  readonly timer: NodeJS.Timeout;
}

/** Both ends of a connection, which name it while it is open. The TLS socket over a socket has the same, and no other tie. */
const endsOf = ({ remoteAddress, remotePort, localAddress }: Socket): string =>
  `${remoteAddress} ${remotePort} ${localAddress}`;

/**
 * Those at a door who have not shown that they are members: so many at once, each for so long. When it is full, who has
 * only held his place for a while loses it, so that holding all of them locks nobody out; else who comes is sent away, so
 * that a crowd of members is let in one after another, and `dial` comes again.
 */
export class WaitingRoom {
  readonly #waitAtMost: number;
  readonly #mostWaiting: number;
  readonly #safeFor: number;
  /** In the order in which they came. */
  readonly #guests = new Map<string, Guest>();

  constructor({
    waitAtMost = WAIT_AT_MOST,
    mostWaiting = MOST_WAITING,
    safeFor = SAFE_FOR,
  }: WaitingRoomOptions = {}) {
    this.#waitAtMost = waitAtMost;
    this.#mostWaiting = mostWaiting;
    this.#safeFor = safeFor;
  }

  /** How many wait. */
  get size(): number {
    return this.#guests.size;
  }

  /** Takes a socket in, or destroys it. */
  enter(socket: Socket): void {
    // TLS tells of its errors; those that come behind its end are nobody's.
    socket.on('error', () => {});
    const now = performance.now();
    if (this.#guests.size >= this.#mostWaiting) {
      const [[name, oldest]] = this.#guests as unknown as [[string, Guest]];
      if (now - oldest.since < this.#safeFor) {
        socket.destroy();
        return;
      }
      this.#remove(name);
      oldest.socket.destroy();
    }
    const name = endsOf(socket);
    // The operating system gives the same ends again only when the connection that had them is gone.
    this.#guests.get(name)?.socket.destroy();
    this.#remove(name);
    const timer = setTimeout(() => socket.destroy(), this.#waitAtMost).unref();
    this.#guests.set(name, { socket, since: now, timer });
    socket.once('close', () => {
      // The same ends may have come again already.
      if (this.#guests.get(name)?.socket === socket) this.#remove(name);
    });
  }

  /** Lets one go who has shown what he must; `socket` is the one that came, or TLS over it. */
  leave(socket: Socket): void {
    this.#remove(endsOf(socket));
  }

  /** Sends all away. */
  clear(): void {
    for (const { socket } of this.#guests.values()) socket.destroy();
  }

  #remove(name: string): void {
    clearTimeout(this.#guests.get(name)?.timer);
    this.#guests.delete(name);
  }
}
