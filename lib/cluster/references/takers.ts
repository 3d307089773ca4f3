/** A value with its place in the order. */
export interface Item {
  readonly order: number;
  readonly value: unknown;
  /** Told when somebody has it. */
  readonly taken?: (() => void) | undefined;
  /** Its putter has given it up, so that it does not come back. */
  gone?: boolean;
}

interface Taker {
  readonly from: number;
  readonly resolve: (given: { readonly value: unknown }) => void;
  readonly reject: (cause: unknown) => void;
}

interface Delivery {
  readonly from: number;
  readonly item: Item;
}

/**
 * Who waits for values of a channel, and to whom they are on their way. A value that is on its way is not taken yet:
 * its taker may have given up, or be dead.
 */
export class Takers {
  readonly #waiting = new Map<string, Taker>();
  readonly #deliveries = new Map<string, Delivery>();
  /** Requests that were given up before they came: their ways may not be the same. */
  readonly #early = new Set<string>();
  readonly #forget: (end: () => void) => void;

  /** `forget` calls a function when nothing can still be on its way. */
  constructor(forget: (end: () => void) => void) {
    this.#forget = forget;
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** How many values are on their way. */
  get deliveries(): number {
    return this.#deliveries.size;
  }

  wait(request: string, from: number): Promise<{ readonly value: unknown }> {
    if (this.#early.delete(request)) return Promise.reject(givenUp());
    return new Promise((resolve, reject) => this.#waiting.set(request, { from, resolve, reject }));
  }

  /** Gives a value to who waits longest; there must be one. */
  deliver(item: Item): void {
    const [request, { from, resolve }] = this.#waiting.entries().next().value!;
    this.#waiting.delete(request);
    this.#deliveries.set(request, { from, item });
    resolve({ value: item.value });
  }

  /** What was delivered has arrived. */
  taken(request: string): void {
    const delivery = this.#deliveries.get(request);
    if (!delivery) return;
    this.#deliveries.delete(request);
    delivery.item.taken?.();
  }

  /** A request was given up; gives what had been delivered for it. */
  withdraw(request: string): Item | undefined {
    const delivery = this.#deliveries.get(request);
    if (delivery) {
      this.#deliveries.delete(request);
      return delivery.item;
    }
    const taker = this.#waiting.get(request);
    if (taker) {
      this.#waiting.delete(request);
      taker.reject(givenUp());
    } else {
      this.#early.add(request);
      this.#forget(() => this.#early.delete(request));
    }
    return undefined;
  }

  /** A process has ended; gives what was on its way there. */
  left(id: number): Item[] {
    for (const [request, taker] of [...this.#waiting]) if (taker.from === id) this.withdraw(request);
    const back = [...this.#deliveries].filter(([, { from }]) => from === id);
    for (const [request] of back) this.#deliveries.delete(request);
    return back.map(([, { item }]) => item);
  }

  /** Who waits longest is told why it waits in vain. */
  rejectFirst(cause: unknown): void {
    const first = this.#waiting.entries().next().value;
    if (!first) return;
    this.#waiting.delete(first[0]);
    first[1].reject(cause);
  }

  /** All who wait are told why they wait in vain. */
  reject(cause: unknown): void {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of waiting) reject(cause);
  }
}

const givenUp = (): Error => new DOMException('The take was given up.', 'AbortError');
