import { OptionError } from '../errors.ts';

/** How long a call may take, and what gives it up. */
export interface CallOptions {
  /** In milliseconds. @default no bound but the site's life */
  timeout?: number;
  /** Aborting it rejects the call with the signal's reason, and aborts what runs over there. */
  signal?: AbortSignal;
}

/** Checks what a user gave; throws OptionError. */
export const checkCallOptions = (options: CallOptions): CallOptions => {
  const { timeout, signal } = options;
  if (timeout !== undefined && !(timeout >= 0)) {
    throw new OptionError('timeout', `A timeout is a number of milliseconds from 0 on, not ${timeout}.`);
  }
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new OptionError('signal', 'The signal of a call is an AbortSignal.');
  }
  return options;
};
