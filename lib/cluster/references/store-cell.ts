import { RemoteException } from '../errors.ts';
import type { ChannelCell } from './channel-cell.ts';
import { hasCode, isChannelClosed } from './errors.ts';
import { Holders } from './holders.ts';
import { type Item, Takers } from './takers.ts';

/** What a store is told of each wait. */
export interface StoreOptions {
  /** Aborted when nobody waits any more: what was asked for shall stay where it is. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * What keeps the values of a channel that a function makes: Julia's `AbstractChannel`. Every method may answer later.
 * When it is closed and empty, `take` and `fetch` throw ChannelClosedError.
 */
export interface ChannelStore<T = unknown> {
  /** May refuse a value by throwing. */
  put(value: T, options: StoreOptions): unknown;
  take(options: StoreOptions): T | PromiseLike<T>;
  /** The next value, which stays. */
  fetch(options: StoreOptions): T | PromiseLike<T>;
  isReady(): boolean | PromiseLike<boolean>;
  /** @default a store without it is open until `close` was called */
  isOpen?(): boolean | PromiseLike<boolean>;
  close(): unknown;
}

/** A channel whose values a user's own store keeps. */
export class StoreCell implements ChannelCell {
  readonly kind = 'channel';
  readonly holders = new Holders();
  readonly #id: number;
  readonly #store: Promise<ChannelStore>;
  readonly #takers: Takers;
  /** What was taken out of the store, and by nobody after that. */
  readonly #back: Item[] = [];
  /** One value is asked for at a time, so that no more is taken out than is wanted. */
  #asking: AbortController | undefined;
  #order = 0;
  #closed = false;

  /** `id` is the process's; `forget` calls a function when nothing can still be on its way. */
  constructor(id: number, store: Promise<ChannelStore>, forget: (end: () => void) => void) {
    this.#id = id;
    this.#store = store;
    this.#takers = new Takers(forget);
    // Whoever uses it learns of it.
    store.catch(() => {});
  }

  async ready(): Promise<boolean> {
    return this.#back.length > 0 || (await this.#do((store) => store.isReady()));
  }

  async open(): Promise<boolean> {
    return this.#do((store) => store.isOpen?.() ?? !this.#closed);
  }

  async put(value: unknown, signal: AbortSignal | undefined): Promise<void> {
    await this.#do((store) => store.put(value, { signal }));
  }

  take(request: string, from: number): Promise<{ readonly value: unknown }> {
    const given = this.#takers.wait(request, from);
    this.#move();
    return given;
  }

  taken(request: string): void {
    this.#takers.taken(request);
    this.#move();
  }

  withdraw(request: string): void {
    const item = this.#takers.withdraw(request);
    this.#comesBack(item ? [item] : []);
  }

  async peek(signal: AbortSignal | undefined): Promise<{ readonly value: unknown }> {
    const [next] = this.#back;
    return { value: next ? next.value : await this.#do((store) => store.fetch({ signal })) };
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#do((store) => store.close());
  }

  left(id: number): void {
    this.#comesBack(this.#takers.left(id));
  }

  drop(cause: unknown): void {
    this.#takers.reject(cause);
    this.#asking?.abort(cause);
    // What it keeps open, a file for instance, is its own to end.
    this.#do((store) => store.close()).catch(() => {});
  }

  /** Calls the store; what it throws is told as what any function of the process throws. */
  async #do<T>(call: (store: ChannelStore) => T): Promise<Awaited<T>> {
    try {
      return await call(await this.#store);
    } catch (cause) {
      throw isChannelClosed(cause) || hasCode(cause, 'ERR_OFFSITE_REMOTE')
        ? cause
        : new RemoteException(this.#id, cause);
    }
  }

  #comesBack(items: readonly Item[]): void {
    this.#back.push(...items);
    this.#back.sort((a, b) => a.order - b.order);
    this.#move();
  }

  #move(): void {
    while (this.#takers.waiting > 0 && this.#back.length > 0) this.#takers.deliver(this.#back.shift()!);
    if (this.#takers.waiting === 0) this.#asking?.abort(new DOMException('Nobody waits.', 'AbortError'));
    else if (!this.#asking) void this.#ask();
  }

  async #ask(): Promise<void> {
    const asking = new AbortController();
    const { signal } = asking;
    this.#asking = asking;
    try {
      const value = await this.#do((store) => store.take({ signal }));
      this.#asking = undefined;
      // It may come although nobody waits for it any more; then it is the next one's.
      this.#comesBack([{ order: this.#order++, value }]);
    } catch (cause) {
      this.#asking = undefined;
      // Nobody waited then, but somebody may now.
      if (signal.aborted) return this.#move();
      // What is on its way may still come back, and who ended before would have missed it.
      if (this.#takers.deliveries > 0) return;
      this.#takers.rejectFirst(cause);
      this.#move();
    }
  }
}
