import { OptionError } from '../errors.ts';

/** How long a call may take, and what gives it up. */
export interface CallOptions {
  /** In milliseconds. @default no bound but the site's life */
  timeout?: number;
  /** Aborting it rejects the call with the signal's reason, and aborts what runs over there. */
  signal?: AbortSignal;
  /**
   * How often a call through a supervised child is made again if its site dies: it may then have run more than once.
   * @default 0
   */
  retry?: number;
}

/** Checks what a user gave; `retries` says whether the call can be made again elsewhere. Throws OptionError. */
export const checkCallOptions = (options: CallOptions, retries = false): CallOptions => {
  const { timeout, signal, retry } = options;
  if (timeout !== undefined && !(timeout >= 0)) {
    throw new OptionError('timeout', `A timeout is a number of milliseconds from 0 on, not ${timeout}.`);
  }
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new OptionError('signal', 'The signal of a call is an AbortSignal.');
  }
  if (retry !== undefined && !(Number.isSafeInteger(retry) && retry >= 0)) {
    throw new OptionError('retry', `A call is retried a whole number of times from 0 on, not ${retry}.`);
  }
  if (retry && !retries) {
    throw new OptionError(
      'retry',
      "Only calls through a supervisor's child can be made again when their site dies; link the module through the child.",
    );
  }
  return options;
};
