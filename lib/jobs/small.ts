import { isMarked } from '../wire/reference/reference.ts';

/** How many values and characters a result has at most that is told without waiting. */
const MOST = 2_000;

let left = 0;

const fits = (value: unknown): boolean => {
  if (--left < 0) return false;
  switch (typeof value) {
    case 'number':
    case 'boolean':
    case 'undefined':
    case 'bigint':
      return true;
    case 'string':
      left -= value.length;
      return left >= 0;
    case 'object': {
      if (value === null) return true;
      if (isMarked(value)) return false;
      if (Array.isArray(value)) return Object.getOwnPropertySymbols(value).length === 0 && value.every(fits);
      if (Object.getPrototypeOf(value) !== Object.prototype) return false;
      if (Object.getOwnPropertySymbols(value).length > 0) return false;
      for (const key of Object.keys(value)) {
        left -= key.length;
        if (!fits((value as Record<string, unknown>)[key])) return false;
      }
      return true;
    }
    default:
      return false;
  }
};

/** Whether a value is little data that surely crosses: what is told of one job must neither fail nor hold up the next. */
export const isSmallData = (value: unknown): boolean => {
  left = MOST;
  try {
    return fits(value);
  } catch {
    // A getter threw.
    return false;
  }
};
