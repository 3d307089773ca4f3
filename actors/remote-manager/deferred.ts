import { whenAborted } from '../../lib/wire/call/when-aborted.ts';

/** A promise, and what settles it. */
export const deferred = <T>() => {
  let resolve!: (value: T) => void;
  let reject!: (cause: unknown) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
};

/** Waits for a promise, or rejects with the signal's reason when that is aborted first; leaves no listener behind. */
export const orAborted = <T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> => {
  if (!signal) return promise;
  const { promise: aborted, reject } = deferred<never>();
  const abort = () => reject(signal.reason);
  if (signal.aborted) abort();
  const unlisten = whenAborted(signal, abort);
  return Promise.race([promise, aborted]).finally(unlisten);
};
