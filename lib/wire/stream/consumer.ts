import type { Channel } from './channel.ts';
import { Grant } from './credit.ts';
import { Fifo } from './fifo.ts';
import type { ConsumerEnd } from './port.ts';

/**
 * Somebody who waits for one item. It holds what the user holds (the iterator, the stream), so that this is not
 * collected, and the producer stopped, while its user waits.
 */
export interface Waiter {
  item(value: unknown): void;
  done(value: unknown): void;
  failed(cause: unknown): void;
}

type Outcome = { readonly failed: boolean; readonly value: unknown };

const DONE: Outcome = { failed: false, value: undefined };

/**
 * What has arrived of an imported iterable or ReadableStream and was not taken yet. It knows nothing of the object
 * that the user holds, except through those who wait, so that the object can be collected.
 */
export class Consumer implements ConsumerEnd {
  readonly role = 'consumer';
  /** Called when the stream has ended, nothing is left to take and nobody waits. */
  onOutcome: (() => void) | undefined;
  readonly #channel: Channel;
  readonly #grant: Grant;
  readonly #items = new Fifo<unknown>();
  readonly #costs = new Fifo<number>();
  readonly #waiters = new Fifo<Waiter>();
  #asked = false;
  /** How it ended; told once, behind the last item. */
  #outcome: Outcome | undefined;

  constructor(channel: Channel) {
    this.#channel = channel;
    this.#grant = new Grant(channel);
  }

  /** Whether an item can be taken now. */
  get ready(): boolean {
    return this.#items.size > 0;
  }

  /** Takes the first item; only if it is `ready`. */
  take(): unknown {
    const value = this.#items.shift();
    this.#grant.taken(this.#costs.shift()!);
    return value;
  }

  /** Gives the next item to a waiter, now or when it arrives; the first one makes the producer begin. */
  wait(waiter: Waiter): void {
    if (this.ready) {
      waiter.item(this.take());
      return;
    }
    if (this.conclude(waiter)) return;
    this.#waiters.push(waiter);
    this.#channel.waits(1);
    if (this.#asked) return;
    this.#asked = true;
    this.#grant.open();
  }

  /** Tells a waiter how the stream ended, if it has and nothing is left to take. */
  conclude(waiter: Waiter): boolean {
    if (this.ready || !this.#outcome) return false;
    const { failed, value } = this.#outcome;
    this.#outcome = DONE;
    if (failed) waiter.failed(value);
    else waiter.done(value);
    return true;
  }

  /** The user wants no more, or failed: what has not been taken is dropped. */
  stop(cause: unknown): void {
    this.#channel.stop(cause);
    this.#outcome = DONE;
    this.#items.drain();
    this.#costs.drain();
    this.#tellWaiters();
  }

  /** The user has dropped the iterator or stream; whoever waits would have kept it. */
  drop(): void {
    this.stop(undefined);
  }

  chunk(value: unknown, bytes: number): void {
    const cost = this.#grant.arrived(bytes);
    const waiter = this.#waiters.shift();
    if (waiter) {
      this.#channel.waits(-1);
      this.#grant.taken(cost);
      waiter.item(value);
    } else {
      this.#items.push(value);
      this.#costs.push(cost);
    }
  }

  end(value: unknown): void {
    if (!this.#channel.leave()) return;
    this.#outcome = { failed: false, value };
    this.#tellWaiters();
  }

  fail(cause: unknown): void {
    if (!this.#channel.open) return;
    this.#channel.failed(cause);
    this.#outcome = { failed: true, value: cause };
    this.#tellWaiters();
  }

  cut(makeError: () => unknown): void {
    if (!this.#channel.leave()) return;
    const waiters = this.#drainWaiters();
    // Generators tell one of those who wait of their error; here each waits for the other site, so each is told.
    for (const waiter of waiters) waiter.failed(makeError());
    this.#outcome = waiters.length > 0 ? DONE : { failed: true, value: makeError() };
    this.#tellWaiters();
  }

  withdraw(): void {
    this.#channel.leave();
  }

  /** Whoever waits found nothing to take, so it learns of the end at once: the first one how, the others that. */
  #tellWaiters(): void {
    for (const waiter of this.#drainWaiters()) this.conclude(waiter);
    if (!this.ready) this.onOutcome?.();
  }

  #drainWaiters(): Waiter[] {
    const waiters = this.#waiters.drain();
    if (waiters.length > 0) this.#channel.waits(-waiters.length);
    return waiters;
  }
}
