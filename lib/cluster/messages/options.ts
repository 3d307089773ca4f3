import { OptionError } from '../../wire/errors.ts';

/** The longest time that Node's timers take. */
const FOREVER = 2 ** 31 - 1;

/** How long a message may wait, and what gives it up. */
export interface SendOptions {
  /** In milliseconds. @default as long as the other process lives */
  readonly timeout?: number;
  /** Aborting it gives up, with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** How `select` waits. */
export interface SelectOptions extends SendOptions {
  /** How many are to be given at most. @default all */
  readonly most?: number;
}

/** Checks what a user gave; throws OptionError. */
export const checkWait = <T extends SelectOptions>(options: T, known: readonly string[], name: string): T => {
  const unknown = Object.keys(options).find((option) => !known.includes(option));
  if (unknown !== undefined)
    throw new OptionError(unknown, `${name} takes { ${known.join(', ')} }, and there is no "${unknown}".`);
  const { timeout, signal, most } = options;
  if (timeout !== undefined && !(timeout >= 0 && timeout <= FOREVER))
    throw new OptionError(
      'timeout',
      `A timeout is a number of milliseconds from 0 up to 2^31, not ${timeout}.`,
    );
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw new OptionError('signal', `The signal of ${name} is an AbortSignal.`);
  if (most !== undefined && !(Number.isSafeInteger(most) && most >= 1))
    throw new OptionError('most', `select gives a whole number of nodes from 1 on, not ${most}.`);
  return options;
};
