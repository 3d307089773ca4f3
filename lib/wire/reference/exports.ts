import { ProtocolError } from '../errors.ts';
import { passed } from '../limits.ts';

interface Export {
  value: unknown;
  /** How often it was introduced to the peer and not yet released. */
  introductions: number;
  /** Whether the peer has asked for it: more than once would gather who waits for it. */
  pulled?: boolean;
}

/**
 * What the peer may reach here. Ids below zero were chosen here, when a reference was sent; those above zero are
 * the peer's calls, whose results it may address before they exist. Zero is the main object. As in CapTP, the
 * sign tells who chose an id, and none is ever used again, so both sides choose without asking.
 */
export class Exports {
  readonly #entries = new Map<number, Export>();
  readonly #ids = new Map<unknown, number>();
  readonly #bound: () => number;
  #last = 0;
  /** How many results of the peer's calls are kept. */
  #kept = 0;

  /** `bound` gives how many values the peer may hold at once, and how many results of its calls beside them. */
  constructor(main: object | undefined, bound: () => number = () => Number.POSITIVE_INFINITY) {
    this.#bound = bound;
    if (main) this.#entries.set(0, { value: main, introductions: 1 });
  }

  /** How many values the peer holds, the main object left out. */
  get size(): number {
    return this.#entries.size - (this.#entries.has(0) ? 1 : 0);
  }

  /** Chooses an id of ours for something that the peer will know by it; none is ever used again. */
  nextId(): number {
    return --this.#last;
  }

  /** Introduces a value to the peer, under the id that it already has, if it has one; throws LimitError. */
  introduce(value: object): number {
    const known = this.#ids.get(value);
    if (known !== undefined) {
      this.#entries.get(known)!.introductions++;
      return known;
    }
    if (this.size - this.#kept >= this.#bound()) {
      throw passed('references', this.#bound(), 'The other site holds too many references into this one');
    }
    const id = this.nextId();
    this.#entries.set(id, { value, introductions: 1 });
    this.#ids.set(value, id);
    return id;
  }

  /** Keeps the result of the peer's call, which may still be a promise, until the peer releases it. */
  keep(id: number, value: unknown): void {
    if (!(Number.isSafeInteger(id) && id > 0) || this.#entries.has(id))
      throw new ProtocolError(`The peer used the id ${id} twice.`);
    if (this.#kept >= this.#bound()) {
      throw new ProtocolError(`The peer keeps more than ${this.#bound()} results.`);
    }
    this.#kept++;
    this.#entries.set(id, { value, introductions: 1 });
  }

  /** The value under an id; throws ProtocolError if there is none. */
  get(id: number): unknown {
    const entry = this.#entries.get(id);
    if (!entry) throw new ProtocolError(`The peer named ${id}, which it does not hold (any more).`);
    return entry.value;
  }

  /** The result of a call that was kept, for its answer; throws ProtocolError if it was asked for before. */
  pull(id: number): unknown {
    const entry = this.#entries.get(id);
    if (!entry || !(id > 0) || entry.pulled) {
      throw new ProtocolError(
        `The peer asked for the result of ${id}, which it does not hold or has asked for.`,
      );
    }
    entry.pulled = true;
    return entry.value;
  }

  /** The peer gives back `count` introductions; throws ProtocolError if it never had that many. */
  release(id: number, count: number): void {
    const entry = this.#entries.get(id);
    if (!entry || id === 0 || !(Number.isSafeInteger(count) && count > 0) || count > entry.introductions) {
      throw new ProtocolError(`The peer released ${id} ${count} times, which is more than it held.`);
    }
    entry.introductions -= count;
    if (entry.introductions > 0) return;
    this.#entries.delete(id);
    if (id < 0) this.#ids.delete(entry.value);
    else this.#kept--;
  }

  /** Forgets everything, because the peer is gone. */
  clear(): void {
    this.#entries.clear();
    this.#kept = 0;
    this.#ids.clear();
  }
}
