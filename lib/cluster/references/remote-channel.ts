import { type CallOptions, checkCallOptions } from '../../wire/call/options.ts';
import { isChannelClosed } from './errors.ts';
import { Handle, isHandle } from './handle.ts';
import type { RefId } from './protocol.ts';
import type { References } from './references.ts';

/**
 * A channel that lies in one process and can be used from all: Julia's `RemoteChannel`. Each value is taken once, by one
 * taker, and what one process puts comes out in its order.
 */
export class RemoteChannel<T = unknown> extends Handle implements AsyncIterable<T, void> {
  /** Those that another copy of this package has made are ones too. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return isHandle(value, 'channel');
  }

  /** Handles are made by the cluster. */
  constructor(references: References, owner: number, ref: RefId) {
    super(references, 'channel', owner, ref);
  }

  /**
   * Puts a value in, and waits while the channel is full; if it keeps nothing, until the value was taken. Rejects with
   * ChannelClosedError, ProcessExitedException, ReleasedError, TimeoutError, or the signal's reason; of the latter two a
   * taker may have been quicker.
   */
  async put(value: T, options: CallOptions = {}): Promise<void> {
    checkCallOptions(options);
    await this.references.ask(this, 'put()', options, (desk, signal) => desk.put(this.ref, value, signal));
  }

  /**
   * Takes the next value, and waits for one. A take that is given up, or whose process ends, takes nothing: what was on
   * its way goes to the next taker. Rejects with ChannelClosedError when the channel is closed and drained, and as `put`.
   */
  async take(options: CallOptions = {}): Promise<T> {
    checkCallOptions(options);
    const { references, ref, owner } = this;
    const request = references.nextRequest();
    let asked = false;
    try {
      const { value } = await references.ask(this, 'take()', options, (desk) => {
        asked = true;
        return desk.take(ref, request, references.id);
      });
      references.note(owner, ['taken', ref, request]);
      return value as T;
    } catch (cause) {
      if (asked && !isChannelClosed(cause)) references.note(owner, ['withdraw', ref, request]);
      throw cause;
    }
  }

  /** Waits for the next value and gives it without taking it. Rejects as `take`. */
  async fetch(options: CallOptions = {}): Promise<T> {
    return (await this.#peek('fetch()', undefined, options)) as T;
  }

  /** Gives what lies under keys in the next value; only that crosses. Rejects as `fetch`, and with TypeError. */
  async fetchAt<K extends keyof T>(keys: readonly [K], options?: CallOptions): Promise<T[K]>;
  async fetchAt<K extends keyof T, L extends keyof T[K]>(
    keys: readonly [K, L],
    options?: CallOptions,
  ): Promise<T[K][L]>;
  async fetchAt(keys: readonly PropertyKey[], options?: CallOptions): Promise<unknown>;
  async fetchAt(keys: readonly PropertyKey[], options: CallOptions = {}): Promise<unknown> {
    return this.#peek('fetchAt()', keys, options);
  }

  /** Whether a value can be taken now. */
  async isReady(options: CallOptions = {}): Promise<boolean> {
    return (await this.#state('isReady()', options)).ready;
  }

  /** Whether there is none. */
  async isEmpty(options: CallOptions = {}): Promise<boolean> {
    return !(await this.#state('isEmpty()', options)).ready;
  }

  /** Whether values can be put in. */
  async isOpen(options: CallOptions = {}): Promise<boolean> {
    return (await this.#state('isOpen()', options)).open;
  }

  /** Nothing can be put in any more; who waits to do so is rejected. What is in can still be taken. Can be called again. */
  async close(options: CallOptions = {}): Promise<void> {
    checkCallOptions(options);
    await this.references.ask(this, 'close()', options, (desk) => desk.close(this.ref));
  }

  /** Takes values until the channel is closed and drained, and no more than are asked for. */
  values(options: CallOptions = {}): AsyncIterableIterator<T, void, undefined> {
    checkCallOptions(options);
    const ended = new AbortController();
    const signal = options.signal ? AbortSignal.any([options.signal, ended.signal]) : ended.signal;
    const done = { done: true, value: undefined } as const;
    return {
      next: async () => {
        if (ended.signal.aborted) return done;
        try {
          return { done: false, value: await this.take({ ...options, signal }) };
        } catch (cause) {
          const over = isChannelClosed(cause) || ended.signal.aborted;
          ended.abort();
          if (over) return done;
          throw cause;
        }
      },
      return: async () => {
        // A take that still waits must not swallow a value.
        ended.abort();
        return done;
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<T, void, undefined> {
    return this.values();
  }

  async #peek(
    what: string,
    keys: readonly PropertyKey[] | undefined,
    options: CallOptions,
  ): Promise<unknown> {
    checkCallOptions(options);
    const outcome = await this.references.ask(this, what, options, (desk, signal) =>
      desk.peek(this.ref, keys, signal),
    );
    if ('error' in outcome) throw outcome.error;
    return outcome.value;
  }

  #state(what: string, options: CallOptions) {
    checkCallOptions(options);
    return this.references.ask(this, what, options, (desk) => desk.state(this.ref));
  }
}
