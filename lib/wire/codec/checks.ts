/** Ends the reading of a body that can't be one. */
export const fail = (message: string): never => {
  throw new TypeError(message);
};

/** A text, or an end. */
export const textFrom = (value: unknown): string =>
  typeof value === 'string' ? value : fail('A text is none.');

/** An object, or an end. */
export const objectFrom = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : fail('An object of slots is none.');

/** An array, or an end. */
export const listFrom = (value: unknown): unknown[] =>
  Array.isArray(value) ? value : fail('A list is none.');

/** Whether something is a whole number from 0 on. */
export const isCount = (value: unknown): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0;
