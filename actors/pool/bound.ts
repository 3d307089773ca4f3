import { TimeoutError } from '../../lib/wire/errors.ts';

/** The longest time that Node's timers take, in milliseconds; what is longer is no bound. */
const FOREVER = 2 ** 31 - 1;

/** Stops a run when its time is over or its signal is aborted; what it returns ends the watch. */
export const boundOf = (
  run: { stop(error: unknown): void },
  what: string,
  timeout: number | undefined,
  signal: AbortSignal | undefined,
): (() => void) => {
  const abort = () => run.stop(signal!.reason);
  signal?.addEventListener('abort', abort, { once: true });
  const timer =
    timeout === undefined || timeout > FOREVER
      ? undefined
      : setTimeout(
          () =>
            run.stop(
              new TimeoutError(
                `${what} was not done within ${timeout} ms, and was stopped. Give it more time, or more workers.`,
                timeout,
              ),
            ),
          timeout,
        );
  if (signal?.aborted) abort();
  return () => {
    signal?.removeEventListener('abort', abort);
    clearTimeout(timer);
  };
};
