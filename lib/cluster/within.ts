import type { CallOptions } from '../wire/call/options.ts';
import { whenAborted } from '../wire/call/when-aborted.ts';
import { TimeoutError } from '../wire/errors.ts';

/** The longest time that Node's timers take; what is longer is no bound. */
const FOREVER = 2 ** 31 - 1;

/**
 * Waits for a promise, but no longer than `timeout` ms and not after `signal` was aborted; `what` begins the sentence of
 * the TimeoutError. What the promise stands for goes on.
 */
export const within = async <T>(
  promise: PromiseLike<T>,
  what: string,
  { timeout, signal }: CallOptions,
): Promise<T> => {
  if (timeout === undefined && !signal) return promise;
  signal?.throwIfAborted();
  let clean = () => {};
  const givenUp = new Promise<never>((_, reject) => {
    const unlisten = signal && whenAborted(signal, () => reject(signal.reason as Error));
    const timer =
      timeout === undefined || timeout > FOREVER
        ? undefined
        : setTimeout(
            () => reject(new TimeoutError(`${what} took longer than ${timeout} ms.`, timeout)),
            timeout,
          );
    clean = () => {
      unlisten?.();
      clearTimeout(timer);
    };
  });
  try {
    return await Promise.race([promise, givenUp]);
  } finally {
    clean();
  }
};
