import type { CallOptions } from '../../wire/call/options.ts';
import { within } from '../within.ts';

/** One wait that many wait for, each with bounds of its own; it is given up when the last of them gives up. */
export class SharedWait<T> {
  #running: { readonly result: Promise<T>; readonly controller: AbortController; joined: number } | undefined;

  /** Waits for what runs already, or for what `run` begins; `what` begins the sentence of the TimeoutError. */
  async join(what: string, options: CallOptions, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
    options.signal?.throwIfAborted();
    this.#running ??= this.#begin(run);
    const running = this.#running;
    running.joined++;
    try {
      return await within(running.result, what, options);
    } finally {
      running.joined--;
      if (running.joined === 0 && this.#running === running) {
        this.#running = undefined;
        running.controller.abort(new DOMException('Nobody waits any more.', 'AbortError'));
      }
    }
  }

  #begin(run: (signal: AbortSignal) => Promise<T>) {
    const controller = new AbortController();
    const result = run(controller.signal);
    // Those who wait learn of it, if there still are any.
    result.catch(() => {});
    return { result, controller, joined: 0 };
  }
}
