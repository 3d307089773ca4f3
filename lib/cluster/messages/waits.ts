import { whenAborted } from '../../wire/call/when-aborted.ts';
import type { SendOptions } from './options.ts';

/** The longest time that Node's timers take. */
const FOREVER = 2 ** 31 - 1;

/** What somebody waits for: there, or not yet; throws if it will never be. */
export type Attempt<T> = () => { readonly value: T } | undefined;

interface Waiter {
  /** Whether it has come to its end. */
  attempt(): boolean;
}

/** Who waits for something of this process's mailbox, in the order in which they came. */
export class Waits {
  readonly #waiters = new Set<Waiter>();

  /** Something has changed: whoever can go on does. */
  look(): void {
    for (const waiter of [...this.#waiters]) if (waiter.attempt()) this.#waiters.delete(waiter);
  }

  /** Resolves when the attempt succeeds; `late` makes the end of one whose time is over. */
  async wait<T>(attempt: Attempt<T>, { timeout, signal }: SendOptions, late: () => T): Promise<T> {
    signal?.throwIfAborted();
    const now = attempt();
    if (now) return now.value;
    if (timeout === 0) return late();
    let clean = () => {};
    // Nothing else holds the program while somebody waits.
    const hold = setInterval(() => {}, FOREVER);
    try {
      return await new Promise<T>((resolve, reject) => {
        // It has gone at once: what comes now must not be given to it.
        const giveUp = (end: () => T) => {
          this.#waiters.delete(waiter);
          try {
            resolve(end());
          } catch (error) {
            reject(error as Error);
          }
        };
        const waiter: Waiter = {
          attempt: () => {
            try {
              const found = attempt();
              if (found) resolve(found.value);
              return found !== undefined;
            } catch (error) {
              reject(error as Error);
              return true;
            }
          },
        };
        this.#waiters.add(waiter);
        const timer = timeout === undefined ? undefined : setTimeout(() => giveUp(late), timeout);
        const unlisten =
          signal &&
          whenAborted(signal, () =>
            giveUp(() => {
              throw signal.reason;
            }),
          );
        clean = () => {
          clearTimeout(timer);
          unlisten?.();
        };
      });
    } finally {
      clearInterval(hold);
      clean();
    }
  }
}
