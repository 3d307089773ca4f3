import { OptionError, TimeoutError } from '../errors.ts';
import { referenceOf } from '../reference/reference.ts';
import type { Call } from './call.ts';

/** How long a call may take, and what gives it up. */
export interface CallOptions {
  /** In milliseconds. @default no bound but the site's life */
  timeout?: number;
  /** Aborting it rejects the call with the signal's reason; the site may still run it. */
  signal?: AbortSignal;
}

/** The longest time that Node's timers take; what is longer is no bound. */
const FOREVER = 2 ** 31 - 1;

interface Forgetful {
  forget(call: Call): void;
}

/** Bounds a call that was made through a proxy; `what` names it in the error. Returns the same proxy. */
export const bound = <T>(proxy: T, what: string, { timeout, signal }: CallOptions = {}): T => {
  if (timeout === undefined && !signal) return proxy;
  const { call, session } = referenceOf(proxy) as unknown as { call: Call; session: Forgetful };
  const end = (cause: unknown) => {
    if (call.settled) return;
    session.forget(call);
    call.reject(cause);
  };
  const abort = () => end(signal!.reason);
  if (timeout !== undefined && !(timeout >= 0)) {
    end(new OptionError('timeout', `A timeout is a number of milliseconds from 0 on, not ${timeout}.`));
  }
  const timer =
    timeout === undefined || timeout > FOREVER
      ? undefined
      : setTimeout(() => {
          const message = `${what} was not answered within ${timeout} ms; it may still run. Give it more time, or close the site.`;
          end(new TimeoutError(message, timeout));
        }, timeout);
  if (signal?.aborted) abort();
  else signal?.addEventListener('abort', abort, { once: true });
  const clean = () => {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  };
  call.promise.then(clean, clean);
  return proxy;
};
