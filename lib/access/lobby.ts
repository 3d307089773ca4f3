import type { Socket } from 'node:net';

/** So many may stand in a lobby at once. */
const MOST = 1_024;
/** How long who says nothing may stand there, in milliseconds. */
const SILENT_FOR = 5_000;
/** How long who has begun to prove himself may stand there, in milliseconds: a login takes three round trips and a delay. */
const BUSY_FOR = 10_000;

/** How far somebody has come. */
type Stage = 'silent' | 'begun' | 'proved';

/** The bounds of a lobby; times are in milliseconds. */
export interface LobbyOptions {
  readonly most?: number;
  readonly silentFor?: number;
  readonly busyFor?: number;
}

interface Guest {
  readonly socket: Socket;
  stage: Stage;
  timer: NodeJS.Timeout;
}

/** Both ends of a connection, which name it while it is open. The TLS socket over a socket has the same, and no other tie. */
const nameOf = ({ remoteAddress, remotePort, localAddress, localPort }: Socket): string =>
  `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;

/**
 * Those who have connected and are not in yet: so many at once, each for so long. When it is full, who comes takes the
 * place of the oldest who has said nothing; if all have, of the oldest who has not proved himself. So holding all places
 * locks nobody out who says at once who he is.
 */
export class Lobby {
  readonly #most: number;
  readonly #silentFor: number;
  readonly #busyFor: number;
  /** Each in the order in which they came. */
  readonly #stages: Record<Stage, Map<string, Guest>> = {
    silent: new Map(),
    begun: new Map(),
    proved: new Map(),
  };

  constructor({ most = MOST, silentFor = SILENT_FOR, busyFor = BUSY_FOR }: LobbyOptions = {}) {
    this.#most = most;
    this.#silentFor = silentFor;
    this.#busyFor = busyFor;
  }

  /** How many stand there. */
  get size(): number {
    const { silent, begun, proved } = this.#stages;
    return silent.size + begun.size + proved.size;
  }

  /** Takes a socket in, which is destroyed when its time is over or its place is needed. */
  enter(socket: Socket): void {
    if (this.size >= this.#most) this.#makeRoom();
    const name = nameOf(socket);
    // The operating system gives the same ends again only when the connection that had them is gone.
    this.#find(name)?.socket.destroy();
    this.#remove(name);
    this.#stages.silent.set(name, {
      socket,
      stage: 'silent',
      timer: this.#endAfter(socket, this.#silentFor),
    });
    socket.once('close', () => {
      // The same ends may have come again already.
      if (this.#find(name)?.socket === socket) this.#remove(name);
    });
  }

  /** Somebody has begun to say who he is. */
  begin(socket: Socket): void {
    this.#promote(socket, 'begun');
  }

  /** Somebody has proved who he is, and has not said what he wants. */
  prove(socket: Socket): void {
    this.#promote(socket, 'proved');
  }

  /** Lets one go who is in; `socket` is the one that came, or TLS over it. */
  leave(socket: Socket): void {
    this.#remove(nameOf(socket));
  }

  /** Sends all away. */
  clear(): void {
    for (const guests of Object.values(this.#stages)) {
      for (const { socket } of guests.values()) socket.destroy();
    }
  }

  #endAfter(socket: Socket, time: number): NodeJS.Timeout {
    return setTimeout(() => socket.destroy(), time).unref();
  }

  #find(name: string): Guest | undefined {
    const { silent, begun, proved } = this.#stages;
    return silent.get(name) ?? begun.get(name) ?? proved.get(name);
  }

  #promote(socket: Socket, stage: Stage): void {
    const name = nameOf(socket);
    const guest = this.#find(name);
    if (!guest) return;
    this.#stages[guest.stage].delete(name);
    // Its time begins once more when it stops being silent, and only then.
    if (guest.stage === 'silent') {
      clearTimeout(guest.timer);
      guest.timer = this.#endAfter(guest.socket, this.#busyFor);
    }
    guest.stage = stage;
    this.#stages[stage].set(name, guest);
  }

  #makeRoom(): void {
    for (const guests of Object.values(this.#stages)) {
      for (const [name, { socket }] of guests) {
        this.#remove(name);
        socket.destroy();
        return;
      }
    }
  }

  #remove(name: string): void {
    const guest = this.#find(name);
    if (!guest) return;
    clearTimeout(guest.timer);
    this.#stages[guest.stage].delete(name);
  }
}
