import { isByReference } from '../reference/reference.ts';

/** Values nested deeper than this leave the fast path, where a cycle would otherwise never end. */
const MAX_PLAIN_DEPTH = 64;

/**
 * Whether JSON carries a value whole: only strings, booleans, finite numbers (not -0), null, and arrays and plain
 * objects of these. It is on the path of every call, hence the flat code.
 */
export const isPlain = (value: unknown, depth = 0): boolean => {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      // Infinity and NaN give NaN here, and 1 / -0 is -Infinity.
      return value - value === 0 && (value !== 0 || 1 / value > 0);
    case 'object':
      return value === null || (depth < MAX_PLAIN_DEPTH && isPlainTree(value, depth + 1));
    default:
      return false;
  }
};

const isPlainTree = (value: object, depth: number): boolean => {
  if (isByReference(value)) return false;
  if (Array.isArray(value)) {
    // A hole reads as undefined, which is not plain.
    for (let i = 0; i < value.length; i++) if (!isPlain(value[i], depth)) return false;
    return true;
  }
  if (Object.getPrototypeOf(value) !== Object.prototype) return false;
  for (const key in value) {
    if (!isPlain((value as Record<string, unknown>)[key], depth)) return false;
  }
  return true;
};
