import { inspect } from 'node:util';

/** Up to so many elements the list of all keys costs less than a call of `inspect`. */
export const SHORT = 128;

/**
 * Whether an array or a typed array has enumerable properties besides its elements. Only `inspect` can tell that of a
 * long one without a list of all its indices: it leaves the elements out and the properties not.
 */
export const hasNamedProperties = (
  value: readonly unknown[] | (ArrayBufferView & { length: number }),
): boolean => {
  if (value.length > SHORT && leavesNothing(value)) return false;
  const keys = Object.keys(value);
  // Indices come first, so that a name, if there is one, is the last.
  const last = keys.length > 0 ? keys[keys.length - 1]! : '0';
  return (last !== String(value.length - 1) && !isIndex(last, value.length || 1)) || hasSymbolKeys(value);
};

const leavesNothing = (value: object): boolean =>
  inspect(value, { maxArrayLength: 0, depth: 0, breakLength: Infinity, customInspect: false }).endsWith(
    ' more items ]',
  );

/** Whether an object has enumerable properties under symbols. */
export const hasSymbolKeys = (value: object): boolean => {
  const symbols = Object.getOwnPropertySymbols(value);
  if (symbols.length === 0) return false;
  for (const symbol of symbols) if (Object.prototype.propertyIsEnumerable.call(value, symbol)) return true;
  return false;
};

/** Whether a key is the index of an element of an array of that length. */
export const isIndex = (key: string, length: number): boolean => {
  const index = Number(key);
  return index < length && String(index) === key && index >= 0;
};
