import { createHmac, randomBytes } from 'node:crypto';
import { isIPv6 } from 'node:net';

/** Places for names; two names may share one, which slows one of them for nothing. */
const PLACES = 4_096;
/** So many guesses in a row are free. */
const FREE = 4;
/** How long the first delay is, in milliseconds; each one after it is twice as long. */
const FIRST = 125;
/** How long a place remembers, in milliseconds. */
const FORGETS_AFTER = 15 * 60_000;
/** The longest delay between guesses from one address, in milliseconds. */
const MOST_BY_ADDRESS = 60_000;
/** The longest delay between guesses at one user, in milliseconds: less, because others can bring it upon him. */
const MOST_BY_USER = 10_000;
/** A longer delay is not waited for, in milliseconds: who asks is told to come again. */
const WAITED_FOR = 3_000;
/** So many pairs of a user and his address are remembered. */
const MOST_AT_HOME = 1_024;

interface Place {
  guesses: number;
  /** Until when the next one waits. */
  free: number;
  last: number;
}

const delayAfter = (guesses: number, most: number): number =>
  guesses <= FREE ? 0 : Math.min(most, FIRST * 2 ** Math.min(guesses - FREE - 1, 30));

/**
 * Delays that grow with each guess, in a table of fixed size whose places are found by a keyed hash: nobody can fill the
 * memory, push another one's delay out, or tell who shares a place.
 */
class Delays {
  readonly #places: (Place | undefined)[] = Array.from({ length: PLACES });
  readonly #key = randomBytes(16);
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  /** How long a guess would have to wait. */
  look(name: string, now: number): number {
    return Math.max(0, this.#at(name, now).free - now);
  }

  take(name: string, now: number): void {
    const place = this.#at(name, now);
    place.guesses++;
    place.last = now;
    place.free = Math.max(now, place.free) + delayAfter(place.guesses, this.#most);
  }

  giveBack(name: string, now: number): void {
    const place = this.#at(name, now);
    place.guesses = Math.max(0, place.guesses - 1);
    place.free = Math.min(place.free, now + delayAfter(place.guesses, this.#most));
  }

  #at(name: string, now: number): Place {
    const index = createHmac('sha256', this.#key).update(name).digest().readUInt32BE(0) % PLACES;
    const found = this.#places[index];
    if (found && now - Math.max(found.last, found.free) < FORGETS_AFTER) return found;
    const place = { guesses: 0, free: now, last: now };
    this.#places[index] = place;
    return place;
  }
}

/** Whoever has an IPv6 address has 2^64 of them. */
const neighbourhoodOf = (address: string): string => {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
  if (!isIPv6(plain)) return plain;
  const [head = '', tail] = plain.replace(/%.*$/, '').split('::');
  const before = head === '' ? [] : head.split(':');
  const behind = tail ? tail.split(':') : [];
  const gap =
    tail === undefined ? [] : Array<string>(Math.max(0, 8 - before.length - behind.length)).fill('0');
  return [...before, ...gap, ...behind].slice(0, 4).join(':');
};

/** A guess that may be answered: after so many milliseconds, and whether it was right is to be told. */
export interface Turn {
  readonly wait: number;
  /** It was no guess. */
  right(): void;
}

/** Slows guesses at passwords down, by the user at whom they are made and by the address they come from. */
export class Throttle {
  readonly #users = new Delays(MOST_BY_USER);
  readonly #addresses = new Delays(MOST_BY_ADDRESS);
  /** Who came in from where: guesses that others make elsewhere do not slow him down. The oldest are first. */
  readonly #atHome = new Set<string>();
  readonly #now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** How many places are remembered apart from the tables. */
  get size(): number {
    return this.#atHome.size;
  }

  /** Takes a turn, which counts as a guess until it was right; or gives how long to stay away, in milliseconds. */
  ask(user: string, address: string): Turn | number {
    const now = this.#now();
    const from = neighbourhoodOf(address);
    const pair = `${user} ${from}`;
    const home = this.#atHome.has(pair);
    const wait = Math.max(this.#addresses.look(from, now), home ? 0 : this.#users.look(user, now));
    if (wait > WAITED_FOR) return wait;
    // Now and not when it has failed: the client knows whether he was right before the server does, and need not say.
    this.#addresses.take(from, now);
    if (!home) this.#users.take(user, now);
    let asked = true;
    return {
      wait,
      right: () => {
        if (!asked) return;
        asked = false;
        this.#addresses.giveBack(from, this.#now());
        if (!home) this.#users.giveBack(user, this.#now());
        this.#atHome.delete(pair);
        this.#atHome.add(pair);
        if (this.#atHome.size > MOST_AT_HOME)
          this.#atHome.delete(this.#atHome.values().next().value as string);
      },
    };
  }
}
