import { ProtocolError } from '../errors.ts';

interface Import {
  proxy: WeakRef<object>;
  /** Introductions that came with messages and were not given back. */
  introductions: number;
}

/**
 * What we hold of the peer's. Proxies are held weakly, so that one that is dropped here is collected, and its
 * introductions are then given back by `release`; until then each value has just one proxy.
 */
export class Imports {
  readonly #entries = new Map<number, Import>();
  readonly #release: (id: number, count: number) => void;
  readonly #make: (id: number) => object;
  readonly #bound: () => number;
  readonly #registry = new FinalizationRegistry<number>((id) => {
    // The value may have been introduced again since its proxy was collected.
    const entry = this.#entries.get(id);
    if (entry && entry.proxy.deref() === undefined) this.drop(id);
  });

  /** `bound` gives how many values of the peer may be held at once. */
  constructor(
    make: (id: number) => object,
    release: (id: number, count: number) => void,
    bound: () => number = () => Number.POSITIVE_INFINITY,
  ) {
    this.#make = make;
    this.#bound = bound;
    this.#release = release;
  }

  /** How many of the peer's values are held. */
  get size(): number {
    return this.#entries.size;
  }

  /** The proxy of a value that a message has just introduced. */
  introduced(id: number): object {
    const entry = this.#entries.get(id);
    const alive = entry?.proxy.deref();
    if (entry && alive) {
      entry.introductions++;
      return alive;
    }
    if (!entry && this.#entries.size >= this.#bound()) {
      throw new ProtocolError(`The peer introduced more than ${this.#bound()} references.`);
    }
    const proxy = this.#make(id);
    const introductions = (entry?.introductions ?? 0) + 1;
    this.#entries.set(id, { proxy: new WeakRef(proxy), introductions });
    this.#registry.register(proxy, id);
    return proxy;
  }

  /** Whether a value of the peer's is held, so that it can be called. */
  holds(id: number): boolean {
    return this.#entries.has(id);
  }

  /** Gives back all introductions of a value now. */
  drop(id: number): void {
    const entry = this.#entries.get(id);
    if (!entry) return;
    this.#entries.delete(id);
    this.#release(id, entry.introductions);
  }

  /** Forgets everything, because the peer is gone. */
  clear(): void {
    this.#entries.clear();
  }
}
