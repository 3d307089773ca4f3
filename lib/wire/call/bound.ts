import { TimeoutError } from '../errors.ts';
import { referenceOf } from '../reference/reference.ts';
import type { Call } from './call.ts';
import { type CallOptions, checkCallOptions } from './options.ts';
import { whenAborted } from './when-aborted.ts';

/** The longest time that Node's timers take; what is longer is no bound. */
const FOREVER = 2 ** 31 - 1;

/** Who can give up calls. */
interface Cancels {
  /** Tells the peer that this call may be given up. */
  allowCancel(call: Call): void;
  /** Rejects a call, and tells the peer if it runs there. */
  cancel(call: Call, cause: unknown): void;
}

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
  let unlisten: (() => void) | undefined;
  if (signal?.aborted) abort();
  else if (signal) unlisten = whenAborted(signal, abort);
  const clean = () => {
    clearTimeout(timer);
    unlisten?.();
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
