import { whenAborted } from '../../../lib/wire/call/when-aborted.ts';

interface Waiter<V> {
  resolve(value: V): void;
  reject(reason: unknown): void;
}

/** A wait that has begun. */
export interface Wait<V> {
  /** Rejects with the signal's reason, or with why nothing will come any more. */
  readonly over: Promise<V>;
  /** Waits no longer. */
  leave(): void;
}

/** Those who wait for something under a key. */
export class Waiting<K, V> {
  readonly #waiters = new Map<K, Set<Waiter<V>>>();
  #closed: Error | undefined;

  /** Begins to wait; whoever begins must leave. */
  begin(key: K, signal?: AbortSignal): Wait<V> {
    let waiter!: Waiter<V>;
    const over = new Promise<V>((resolve, reject) => {
      waiter = { resolve, reject };
    });
    // Who leaves does not look.
    over.catch(() => {});
    const waiters = this.#waiters.get(key) ?? new Set();
    this.#waiters.set(key, waiters.add(waiter));
    if (this.#closed) waiter.reject(this.#closed);
    let unlisten: (() => void) | undefined;
    if (signal?.aborted) waiter.reject(signal.reason);
    else if (signal) unlisten = whenAborted(signal, () => waiter.reject(signal.reason));
    return {
      over,
      leave: () => {
        unlisten?.();
        waiters.delete(waiter);
        if (waiters.size === 0 && this.#waiters.get(key) === waiters) this.#waiters.delete(key);
      },
    };
  }

  /** What those waited for who wait under a key. */
  tell(key: K, value: V): void {
    const waiters = this.#waiters.get(key);
    this.#waiters.delete(key);
    for (const { resolve } of waiters ?? []) resolve(value);
  }

  /** Nothing comes any more. */
  close(reason: Error): void {
    this.#closed = reason;
    for (const waiters of this.#waiters.values()) for (const { reject } of waiters) reject(reason);
    this.#waiters.clear();
  }
}
