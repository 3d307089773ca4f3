import { inspect } from 'node:util';

/** Up to so many elements the list of all keys costs less than a call of `inspect`. */
const SHORT = 128;

/**
 * Whether an array or a typed array has enumerable properties besides its elements. Only `inspect` can tell that of a
 * long one without a list of all its indices: it leaves the elements out and the properties not.
 */
export const hasNamedProperties = (
  value: readonly unknown[] | (ArrayBufferView & { length: number }),
): boolean => {
  if (value.length > SHORT) {
    if (inspect(value, { maxArrayLength: 0, depth: 0, breakLength: Infinity }).endsWith(' more items ]')) {
      return false;
    }
  }
  if (hasSymbolKeys(value)) return true;
  const keys = Object.keys(value);
  // Indices come first, so that a name, if there is one, is the last.
  const last = keys[keys.length - 1];
  return last !== undefined && !isIndex(last, value.length);
};

/** Whether an object has enumerable properties under symbols. */
export const hasSymbolKeys = (value: object): boolean => {
  const symbols = Object.getOwnPropertySymbols(value);
  for (const symbol of symbols) if (Object.prototype.propertyIsEnumerable.call(value, symbol)) return true;
  return false;
};

/** Whether a key is the index of an element of an array of that length. */
export const isIndex = (key: string, length: number): boolean => {
  const index = Number(key);
  return index < length && String(index) === key && index >= 0;
};
