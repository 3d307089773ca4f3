/** What is to be done when a signal is aborted: one listener for all calls, because Node.js warns of many as of a leak. */
const waiting = new WeakMap<AbortSignal, Set<() => void>>();

function onAbort(this: AbortSignal): void {
  const calls = waiting.get(this);
  waiting.delete(this);
  for (const abort of calls ?? []) abort();
}

const unlisten = (signal: AbortSignal, abort: () => void): void => {
  const calls = waiting.get(signal);
  if (!calls?.delete(abort) || calls.size > 0) return;
  waiting.delete(signal);
  signal.removeEventListener('abort', onAbort);
};

/** Calls `abort` when the signal is aborted, unless the returned function is called before; any number may wait. */
export const whenAborted = (signal: AbortSignal, abort: () => void): (() => void) => {
  let calls = waiting.get(signal);
  if (!calls) {
    calls = new Set();
    waiting.set(signal, calls);
    signal.addEventListener('abort', onAbort, { once: true });
  }
  calls.add(abort);
  return () => unlisten(signal, abort);
};
