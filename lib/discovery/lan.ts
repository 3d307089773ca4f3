import { Bonjour } from 'bonjour-service';
import { type LanInterface, lanInterfaces } from './interfaces.ts';
import { MulticastSocket } from './multicast-socket.ts';

/** How often it is looked whether interfaces have come or gone, in milliseconds. */
const LOOK_EVERY = 2_000;

/** One interface on which multicast DNS is spoken. */
export interface LanLink {
  readonly at: LanInterface;
  readonly socket: MulticastSocket;
  readonly bonjour: Bonjour;
}

/** What is done on each interface. */
export interface LanWork {
  /** Names or addresses of interfaces. @default all that are up and not loopback */
  readonly interfaces?: readonly string[];
  /** An interface can be used from now on. */
  readonly opened: (link: LanLink) => void;
  /** It can't be used any more; resolves when all is said on it that can be. */
  readonly closing: (link: LanLink) => Promise<void>;
}

const keyOf = ({ name, family, addresses }: LanInterface): string => [name, family, ...addresses].join(' ');

/**
 * Multicast DNS on all interfaces that are wanted, also on those that come later, and again on one whose network was
 * away. It never keeps the process alive and never throws: what went wrong is in `troubles`.
 */
export class Lan {
  readonly #work: LanWork;
  readonly #links = new Map<string, LanLink>();
  readonly #troubles = new Map<string, { readonly at: LanInterface; readonly error: Error }>();
  #looking: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(work: LanWork) {
    this.#work = work;
  }

  /** The interfaces that are in use, by their names; which was open first is chance. */
  get links(): readonly LanLink[] {
    return [...this.#links.values()].sort((a, b) => a.at.name.localeCompare(b.at.name));
  }

  /** The interfaces that can't be used, with the reason. */
  get troubles(): readonly { readonly at: LanInterface; readonly error: Error }[] {
    return [...this.#troubles.values()];
  }

  /** Resolves when all interfaces of now are open, or have failed. */
  async open(): Promise<void> {
    await this.#look();
    if (this.#isClosed) return;
    this.#timer = setInterval(() => void this.#look(), LOOK_EVERY);
    this.#timer.unref();
  }

  /** Leaves all interfaces. Never rejects. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    await this.#looking;
    await Promise.all([...this.#links.keys()].map((key) => this.#leave(key)));
  }

  #look(): Promise<void> {
    this.#looking ??= this.#lookOnce().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #lookOnce(): Promise<void> {
    const now = new Map(lanInterfaces(this.#work.interfaces).map((at) => [keyOf(at), at]));
    for (const [key, { socket }] of this.#links) {
      if (now.has(key) && !socket.trouble) continue;
      if (now.has(key)) this.#troubles.set(key, { at: socket.at, error: socket.trouble! });
      await this.#leave(key);
    }
    for (const key of this.#troubles.keys()) if (!now.has(key)) this.#troubles.delete(key);
    await Promise.all([...now].map(([key, at]) => this.#enter(key, at)));
  }

  async #enter(key: string, at: LanInterface): Promise<void> {
    if (this.#isClosed || this.#links.has(key)) return;
    let socket: MulticastSocket;
    try {
      socket = await MulticastSocket.open(at);
    } catch (cause) {
      this.#troubles.set(key, { at, error: cause as Error });
      return;
    }
    if (this.#isClosed) return socket.close();
    this.#troubles.delete(key);
    // The library passes what it does not know on to multicast-dns, but its types don't: `bind` and `multicast` are
    // false because the socket has done both by itself. What is thrown for an answer that was not sent is in `trouble`.
    const options: object = { socket, bind: false, multicast: false };
    const link = { at, socket, bonjour: new Bonjour(options, () => {}) };
    this.#links.set(key, link);
    this.#work.opened(link);
  }

  async #leave(key: string): Promise<void> {
    const link = this.#links.get(key)!;
    this.#links.delete(key);
    await this.#work.closing(link);
    await new Promise<void>((resolve) => link.bonjour.destroy(() => resolve()));
  }
}
