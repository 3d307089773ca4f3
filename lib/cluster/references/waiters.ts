import { whenAborted } from '../../wire/call/when-aborted.ts';

interface Waiter<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (cause: unknown) => void;
}

/** Who waits for one thing, each until its signal is aborted. */
export class Waiters<T> {
  readonly #waiting = new Set<Waiter<T>>();

  get size(): number {
    return this.#waiting.size;
  }

  wait(signal: AbortSignal | undefined): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      signal?.throwIfAborted();
      const waiter = { resolve: settle(resolve), reject: settle(reject) };
      this.#waiting.add(waiter);
      const unlisten = signal && whenAborted(signal, () => waiter.reject(signal.reason));
      const waiting = this.#waiting;
      function settle<V>(then: (value: V) => void): (value: V) => void {
        return (value) => {
          waiting.delete(waiter);
          unlisten?.();
          then(value);
        };
      }
    });
  }

  resolve(value: T): void {
    for (const waiter of [...this.#waiting]) waiter.resolve(value);
  }

  reject(cause: unknown): void {
    for (const waiter of [...this.#waiting]) waiter.reject(cause);
  }
}
