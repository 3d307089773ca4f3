import { whenAborted } from '../../wire/call/when-aborted.ts';
import type { ChannelCell } from './channel-cell.ts';
import { ChannelClosedError } from './errors.ts';
import { Holders } from './holders.ts';
import { type Item, Takers } from './takers.ts';
import { Waiters } from './waiters.ts';

/** A value whose `put` waits. */
interface Putter extends Item {
  readonly resolve: () => void;
  readonly reject: (cause: unknown) => void;
}

/** A channel that keeps up to `capacity` values in a queue; with none, each `put` waits until its value was taken. */
export class QueueCell implements ChannelCell {
  readonly kind = 'channel';
  readonly holders = new Holders();
  /** In messages. */
  readonly #name: string;
  readonly #capacity: number;
  /** Values that are in, the oldest first. One that comes back makes it longer than the capacity. */
  readonly #queue: Item[] = [];
  readonly #putters: Putter[] = [];
  readonly #takers: Takers;
  readonly #peekers = new Waiters<Item>();
  #order = 0;
  #closed = false;

  /** `forget` calls a function when nothing can still be on its way. */
  constructor(name: string, capacity: number, forget: (end: () => void) => void) {
    this.#name = name;
    this.#capacity = capacity;
    this.#takers = new Takers(forget);
  }

  ready(): boolean {
    return this.#queue.length > 0 || this.#putters.length > 0;
  }

  open(): boolean {
    return !this.#closed;
  }

  put(value: unknown, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      if (this.#closed) throw new ChannelClosedError(this.#name);
      const unlisten = signal && whenAborted(signal, () => this.#giveUp(putter, signal.reason));
      const putter: Putter = {
        order: this.#order++,
        value,
        taken: this.#capacity === 0 ? () => putter.resolve() : undefined,
        resolve: () => {
          unlisten?.();
          resolve();
        },
        reject: (cause) => {
          unlisten?.();
          reject(cause as Error);
        },
      };
      this.#putters.push(putter);
      this.#move();
    });
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
    if (item) this.#comesBack([item]);
  }

  async peek(signal: AbortSignal | undefined): Promise<{ readonly value: unknown }> {
    const next = this.#queue[0] ?? this.#putters[0];
    if (next) return { value: next.value };
    if (this.#drained) throw new ChannelClosedError(this.#name);
    const { value } = await this.#peekers.wait(signal);
    return { value };
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const putter of this.#putters.splice(0)) putter.reject(new ChannelClosedError(this.#name));
    this.#move();
  }

  left(id: number): void {
    const back = this.#takers.left(id);
    if (back.length > 0) this.#comesBack(back);
    else this.#move();
  }

  drop(cause: unknown): void {
    this.#closed = true;
    this.#queue.length = 0;
    for (const putter of this.#putters.splice(0)) putter.reject(cause);
    this.#peekers.reject(cause);
    this.#takers.reject(cause);
  }

  /** What is on its way may still come back, and who ended before would have missed it. */
  get #drained(): boolean {
    return this.#closed && !this.ready() && this.#takers.deliveries === 0;
  }

  /** Moves values on, as far as there is room for them and somebody who takes them. */
  #move(): void {
    for (;;) {
      while (this.#queue.length < this.#capacity && this.#putters.length > 0) {
        const putter = this.#putters.shift()!;
        this.#queue.push(putter);
        putter.resolve();
      }
      const next = this.#queue[0] ?? this.#putters[0];
      if (!next) break;
      // Those who only look come first, because what they look at is gone a moment later.
      this.#peekers.resolve(next);
      if (this.#takers.waiting === 0) break;
      this.#takers.deliver((this.#queue.shift() ?? this.#putters.shift())!);
    }
    if (!this.#drained) return;
    const closed = new ChannelClosedError(this.#name);
    this.#takers.reject(closed);
    this.#peekers.reject(closed);
  }

  /** These were not taken after all; each gets its old place again. */
  #comesBack(items: readonly Item[]): void {
    for (const item of items) {
      if (item.gone) continue;
      if (this.#closed && this.#capacity === 0) {
        (item as Putter).reject(new ChannelClosedError(this.#name));
        continue;
      }
      // Whoever waits for its `put` may still give it up, so it does not become one that is in.
      const line: Item[] = this.#capacity === 0 ? this.#putters : this.#queue;
      const at = line.findIndex(({ order }) => order > item.order);
      line.splice(at < 0 ? line.length : at, 0, item);
    }
    this.#move();
  }

  #giveUp(putter: Putter, reason: unknown): void {
    const at = this.#putters.indexOf(putter);
    if (at >= 0) this.#putters.splice(at, 1);
    // It is with a taker now, or in already.
    else putter.gone = this.#capacity === 0;
    putter.reject(reason);
    this.#move();
  }
}
