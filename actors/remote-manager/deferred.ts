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

/** Waits for a promise, but no longer than until a signal is aborted; rejects with its reason then. */
export const unlessAborted = <T>(awaited: Promise<T>, signal: AbortSignal | undefined): Promise<T> => {
  if (!signal) return awaited;
  const { promise, reject } = deferred<never>();
  const abort = () => reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  return Promise.race([awaited, promise]).finally(() => signal.removeEventListener('abort', abort));
};
