import { TimeoutError } from '../errors.ts';
import { referenceOf } from '../reference/reference.ts';
import type { Call } from './call.ts';
import { type CallOptions, checkCallOptions } from './options.ts';

/** The longest time that Node's timers take; what is longer is no bound. */
const FOREVER = 2 ** 31 - 1;

/** Who can give up calls. */
interface Cancels {
  /** Tells the peer that this call may be given up. */
  allowCancel(call: Call): void;
  /** Rejects a call, and tells the peer if it runs there. */
  cancel(call: Call, cause: unknown): void;
}

/** What is to be done when a signal is aborted: one listener for all calls, because Node.js warns of many as of a leak. */
const waiting = new WeakMap<AbortSignal, Set<() => void>>();

function onAbort(this: AbortSignal): void {
  const calls = waiting.get(this);
  waiting.delete(this);
  for (const abort of calls ?? []) abort();
}

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

const unlisten = (signal: AbortSignal, abort: () => void): void => {
  const calls = waiting.get(signal);
  if (!calls?.delete(abort) || calls.size > 0) return;
  waiting.delete(signal);
  signal.removeEventListener('abort', onAbort);
};

/** Gives a call up when its time is over or its signal is aborted; `what` names it in the error. */
export const boundCall = (cancels: Cancels, call: Call, what: string, options: CallOptions): void => {
  const { timeout, signal } = options;
  if (call.settled) return;
  cancels.allowCancel(call);
  const abort = () => cancels.cancel(call, signal!.reason);
  const timer =
    timeout === undefined || timeout > FOREVER
      ? undefined
      : setTimeout(() => {
          const message = `${what} was not answered within ${timeout} ms; its site was told, but it may still run. Give it more time, or close the site.`;
          cancels.cancel(call, new TimeoutError(message, timeout));
        }, timeout);
  if (signal?.aborted) abort();
  else if (signal) whenAborted(signal, abort);
  const clean = () => {
    clearTimeout(timer);
    if (signal) unlisten(signal, abort);
  };
  call.result.then(clean, clean);
};

/**
 * Bounds a call that was made through a proxy; `what` names it in the error, and options that can't be are the call's
 * error. Returns the same proxy.
 */
export const bound = <T>(proxy: T, what: string, options: CallOptions = {}): T => {
  if (options.timeout === undefined && !options.signal) return proxy;
  const { call, calls } = referenceOf(proxy) as unknown as { call: Call; calls: Cancels };
  try {
    boundCall(calls, call, what, checkCallOptions(options));
  } catch (cause) {
    calls.cancel(call, cause);
  }
  return proxy;
};
