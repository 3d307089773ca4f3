import type { Consumer, Waiter } from './consumer.ts';

type Result = IteratorResult<unknown, unknown>;

/** One `next()` that waits. */
class Next implements Waiter {
  /** Nobody else may hold the iterator while its item is awaited. */
  readonly iterator: RemoteIterator;
  readonly #resolve: (result: Result) => void;
  readonly #reject: (cause: unknown) => void;

  constructor(iterator: RemoteIterator, resolve: (result: Result) => void, reject: (cause: unknown) => void) {
    this.iterator = iterator;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  item(value: unknown): void {
    this.#resolve({ value, done: false });
  }

  done(value: unknown): void {
    this.#resolve({ value, done: true });
  }

  failed(cause: unknown): void {
    this.#reject(cause);
  }
}

/**
 * An iterable that lives in another site, as this site's code sees it: like an async generator, but what is given to
 * `next` does not cross, and `return` and `throw` do not wait for the other site, nor for a `next` before them.
 */
export class RemoteIterator implements AsyncGenerator<unknown, unknown, undefined> {
  readonly #consumer: Consumer;

  constructor(consumer: Consumer) {
    this.#consumer = consumer;
  }

  next(): Promise<Result> {
    const consumer = this.#consumer;
    if (consumer.ready) return Promise.resolve({ value: consumer.take(), done: false });
    return new Promise((resolve, reject) => consumer.wait(new Next(this, resolve, reject)));
  }

  async return(value?: unknown): Promise<Result> {
    this.#consumer.stop(undefined);
    return { value: await value, done: true };
  }

  async throw(cause: unknown): Promise<Result> {
    this.#consumer.stop(cause);
    throw cause;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }
}
