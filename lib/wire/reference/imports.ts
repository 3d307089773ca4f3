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
  readonly #registry = new FinalizationRegistry<number>((id) => {
    // The value may have been introduced again since its proxy was collected.
    const entry = this.#entries.get(id);
    if (entry && entry.proxy.deref() === undefined) this.drop(id);
  });

  constructor(make: (id: number) => object, release: (id: number, count: number) => void) {
    this.#make = make;
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
    const proxy = this.#make(id);
    const introductions = (entry?.introductions ?? 0) + 1;
    this.#entries.set(id, { proxy: new WeakRef(proxy), introductions });
    this.#registry.register(proxy, id);
    return proxy;
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
