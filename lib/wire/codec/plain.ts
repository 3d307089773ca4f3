import { markedByReference } from '../shared.ts';
import { hasNamedProperties, SHORT } from './own-keys.ts';

/** Values nested deeper than this leave the fast path, which recurses. */
export const MAX_PLAIN_DEPTH = 64;

/** So many objects are found again faster by looking at each than with a set. */
const FEW = 16;

/** The objects that a walk has met. */
class Seen {
  readonly #few: (object | undefined)[] = new Array(FEW).fill(undefined);
  #count = 0;
  #many: Set<object | undefined> | undefined;

  /** Notes an object; whether it was met before. */
  again(value: object): boolean {
    const few = this.#few;
    if (this.#count < FEW) {
      for (let i = 0; i < this.#count; i++) if (few[i] === value) return true;
      few[this.#count++] = value;
      return false;
    }
    this.#many ??= new Set(few);
    const { size } = this.#many;
    return this.#many.add(value).size === size;
  }

  clear(): void {
    for (let i = 0; i < this.#count; i++) this.#few[i] = undefined;
    this.#count = 0;
    this.#many = undefined;
  }
}

/** Used again by the next walk; a walk within a walk, from a getter, makes its own. */
let spare: Seen | undefined;

/** Whether a value is a number that JSON carries. */
export const isPlainNumber = (value: unknown): boolean =>
  typeof value === 'number' &&
  // Infinity and NaN give NaN here, and 1 / -0 is -Infinity.
  value - value === 0 &&
  (value !== 0 || 1 / value > 0);

/**
 * Whether JSON carries a value whole: only strings, booleans, finite numbers (not -0), null, and arrays and plain
 * objects of these, none of which occurs twice or deeper than `depth`. It is on the path of every call, hence the
 * flat code.
 */
export const isPlain = (value: unknown, depth = MAX_PLAIN_DEPTH): boolean => {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      return isPlainNumber(value);
    case 'object': {
      if (value === null) return true;
      const seen = spare ?? new Seen();
      spare = undefined;
      const plain = isPlainTree(value, depth < MAX_PLAIN_DEPTH ? depth : MAX_PLAIN_DEPTH, seen);
      seen.clear();
      spare = seen;
      return plain;
    }
    default:
      return false;
  }
};

const isPlainPart = (value: unknown, depth: number, seen: Seen): boolean => {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      return isPlainNumber(value);
    case 'object':
      return value === null || isPlainTree(value, depth, seen);
    default:
      return false;
  }
};

const isPlainTree = (value: object, depth: number, seen: Seen): boolean => {
  // What else crosses by reference has another prototype, or a symbol for a key.
  if (depth === 0 || markedByReference.has(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype) {
    if (seen.again(value) || Object.getOwnPropertySymbols(value).length > 0) return false;
    for (const key in value) {
      if (!isPlainPart((value as Record<string, unknown>)[key], depth - 1, seen)) return false;
    }
    return true;
  }
  if (prototype !== Array.prototype || !Array.isArray(value) || seen.again(value)) return false;
  // A hole reads as undefined, which is not plain.
  for (let i = 0; i < value.length; i++) if (!isPlainPart(value[i], depth - 1, seen)) return false;
  if (value.length > SHORT) return !hasNamedProperties(value);
  // No element is missing, so as many keys as elements are the elements. Reflect.ownKeys() takes ten times as long.
  return Object.keys(value).length === value.length && Object.getOwnPropertySymbols(value).length === 0;
};

/** Whether arrays and objects lie within each other on more than `depth` levels; for what JSON gave. */
export const isDeeperThan = (value: unknown, depth: number): boolean => {
  if (typeof value !== 'object' || value === null) return false;
  if (depth === 0) return true;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) if (isDeeperThan(value[i], depth - 1)) return true;
    return false;
  }
  for (const key in value) {
    if (isDeeperThan((value as Record<string, unknown>)[key], depth - 1)) return true;
  }
  return false;
};
