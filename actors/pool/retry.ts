import { setTimeout as delay } from 'node:timers/promises';
import { OptionError } from '../../lib/wire/errors.ts';

/** What Julia's `ExponentialBackOff` is made with. */
export interface ExponentialBackoffOptions {
  /** How many delays there are. @default 1 */
  readonly n?: number;
  /** In milliseconds. @default 50 */
  readonly firstDelay?: number;
  /** In milliseconds. @default 10000 */
  readonly maxDelay?: number;
  /** What each delay is multiplied with for the next. @default 5 */
  readonly factor?: number;
  /** The share of a delay by which chance may make it longer or shorter. @default 0.1 */
  readonly jitter?: number;
}

/** Which failures are tried again, and when. */
export interface RetryOptions {
  /** How long to wait before each further attempt, in milliseconds; as many attempts as there are delays. @default exponentialBackoff() */
  readonly delays?: Iterable<number>;
  /** Whether this failure is worth another attempt, the `attempt`th. @default all are */
  readonly check?: (error: unknown, attempt: number) => boolean | PromiseLike<boolean>;
}

/** Delays that grow from one to the next, in milliseconds: Julia's `ExponentialBackOff`, with its defaults. Throws OptionError. */
export const exponentialBackoff = ({
  n = 1,
  firstDelay = 50,
  maxDelay = 10_000,
  factor = 5,
  jitter = 0.1,
}: ExponentialBackoffOptions = {}): number[] => {
  for (const [option, value] of Object.entries({ n, firstDelay, maxDelay, factor, jitter })) {
    if (!(value >= 0))
      throw new OptionError(option, `${option} is a number from 0 on, not ${String(value)}.`);
  }
  const delays: number[] = [];
  let next = Math.min(firstDelay, maxDelay);
  for (let index = 0; index < n; index++) {
    delays.push(next);
    // As in Julia, where chance adds up from one delay to the next.
    next = Math.min(maxDelay, next * factor * (1 - jitter + 2 * jitter * Math.random()));
  }
  return delays;
};

/** Whether and when something is tried again, as checked options. */
export class Retries {
  readonly #delays: readonly number[];
  readonly #check: RetryOptions['check'];

  /** Throws OptionError. Delays are read at once: all elements have the same. */
  constructor(options: RetryOptions | undefined) {
    this.#delays = options ? [...(options.delays ?? exponentialBackoff())] : [];
    this.#check = options?.check;
    const wrong = this.#delays.find((each) => !(each >= 0));
    if (wrong !== undefined) {
      throw new OptionError('retry.delays', `A delay is a number of milliseconds, not ${String(wrong)}.`);
    }
  }

  /** How long to wait after a failure, in milliseconds; nothing if that was the last attempt. Rejects as `check` does. */
  async delayAfter(error: unknown, attempts: number): Promise<number | undefined> {
    const next = this.#delays[attempts];
    if (next === undefined) return undefined;
    return !this.#check || (await this.#check(error, attempts + 1)) ? next : undefined;
  }
}

/**
 * Makes of a function one that is tried again when it fails: Julia's `retry`. What it rejects with is the last failure,
 * or what `check` threw. Throws OptionError.
 */
export const retry = <A extends readonly unknown[], R>(
  fn: (...args: A) => R | PromiseLike<R>,
  options: RetryOptions = {},
): ((...args: A) => Promise<R>) => {
  const retries = new Retries(options);
  return async (...args) => {
    for (let attempts = 0; ; attempts++) {
      try {
        return await fn(...args);
      } catch (error) {
        const wait = await retries.delayAfter(error, attempts);
        if (wait === undefined) throw error;
        await delay(wait);
      }
    }
  };
};
