import { type CallOptions, checkCallOptions } from '../../wire/call/options.ts';
import type { Outcome } from '../protocol.ts';
import { FutureSetError } from './errors.ts';
import { Handle, isHandle } from './handle.ts';
import { partOf } from './part-of.ts';
import type { RefId } from './protocol.ts';
import type { References } from './references.ts';
import { SharedWait } from './shared-wait.ts';

/**
 * A value that some process of the cluster gives once, now or later: Julia's `Future`. It is no promise, because one
 * would be awaited wherever it is returned, before it could be sent on.
 */
export class Future<T = unknown> extends Handle {
  #outcome: Outcome | undefined;
  readonly #fetching = new SharedWait<Outcome>();

  /** Those that another copy of this package has made are ones too. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return isHandle(value, 'future');
  }

  /** Handles are made by the cluster. */
  constructor(references: References, owner: number, ref: RefId) {
    super(references, 'future', owner, ref);
  }

  /** What was fetched here; for this package alone. */
  get outcome(): Outcome | undefined {
    return this.#outcome;
  }

  /**
   * Waits for the value and gives it; from then on it is kept here, and the owner drops it when all who hold the Future
   * have it. Rejects with what the Future holds, if that is an error, with ProcessExitedException if its owner or who was
   * to make the value has ended, and with ReleasedError, TimeoutError, or the signal's reason.
   */
  async fetch(options: CallOptions = {}): Promise<T> {
    return valueIn<T>(await this.#get(checkCallOptions(options)));
  }

  /**
   * Gives what lies under keys in the value, one within the other; only that crosses, if the value is not here yet. Keys
   * of a Map are its own. Rejects as `fetch`, and with TypeError where there is nothing to look into.
   */
  async fetchAt<K extends keyof T>(keys: readonly [K], options?: CallOptions): Promise<T[K]>;
  async fetchAt<K extends keyof T, L extends keyof T[K]>(
    keys: readonly [K, L],
    options?: CallOptions,
  ): Promise<T[K][L]>;
  async fetchAt(keys: readonly PropertyKey[], options?: CallOptions): Promise<unknown>;
  async fetchAt(keys: readonly PropertyKey[], options: CallOptions = {}): Promise<unknown> {
    checkCallOptions(options);
    this.check();
    if (this.#outcome) return partOf(valueIn(this.#outcome), keys);
    return valueIn(
      await this.references.ask(this, 'fetchAt()', options, (desk, signal) =>
        desk.get(this.ref, keys, signal),
      ),
    );
  }

  /** Waits until there is a value, wherever it lies, without getting it. Rejects as `fetch`. */
  async wait(options: CallOptions = {}): Promise<void> {
    checkCallOptions(options);
    this.check();
    const outcome =
      this.#outcome ??
      (await this.references.ask(this, 'wait()', options, (desk, signal) => desk.wait(this.ref, signal)));
    if ('error' in outcome) throw outcome.error;
  }

  /** Whether it is set, to a value or an error. */
  async isReady(options: CallOptions = {}): Promise<boolean> {
    checkCallOptions(options);
    this.check();
    if (this.#outcome) return true;
    return this.references.ask(this, 'isReady()', options, (desk) => desk.isSet(this.ref));
  }

  /** Sets it. Rejects with FutureSetError if it was set before, by whomever. */
  async put(value: T, options: CallOptions = {}): Promise<void> {
    checkCallOptions(options);
    this.check();
    if (this.#outcome) throw new FutureSetError(this.toString());
    await this.references.ask(this, 'put()', options, (desk) => desk.set(this.ref, value));
  }

  async #get(options: CallOptions): Promise<Outcome> {
    this.check();
    if (this.#outcome) return this.#outcome;
    return this.#fetching.join(`fetch() of ${this.toString()}`, options, async (signal) => {
      const outcome = await this.references.ask(this, 'fetch()', { signal }, (desk, given) =>
        desk.get(this.ref, undefined, given),
      );
      this.#outcome = outcome;
      this.references.note(this.owner, ['have', this.ref]);
      return outcome;
    });
  }
}

const valueIn = <T>(outcome: Outcome): T => {
  if ('error' in outcome) throw outcome.error;
  return outcome.value as T;
};
