import { isNativeError } from 'node:util/types';

/** The name of a leaf for a Date that is none, which superjson does not carry by itself. */
export const INVALID_DATE = 'invalid-date';

/** Whether an object's class is the built-in one of that name itself, of any realm, and none that extends it. */
export const isBuiltIn = (value: object, name: string): boolean => {
  const prototype: object | null = Object.getPrototypeOf(value);
  if (prototype === null) return false;
  // That of a class that extends it is one step further from the root.
  const root: object | null = Object.getPrototypeOf(prototype);
  return root !== null && Object.getPrototypeOf(root) === null && nameOfClass(prototype) === name;
};

/** Whether an object is plain, in this realm or in another. */
export const isPlainObject = (value: object): boolean => {
  const prototype: object | null = Object.getPrototypeOf(value);
  if (prototype === Object.prototype) return true;
  return (
    prototype !== null &&
    Object.getPrototypeOf(prototype) === null &&
    Object.hasOwn(prototype, 'isPrototypeOf') &&
    nameOfClass(prototype) === 'Object'
  );
};

const nameOfClass = (prototype: object): unknown =>
  Object.hasOwn(prototype, 'constructor') ? prototype.constructor?.name : undefined;

/** Whether a value is an error, also one of another realm. */
export const isError = (value: unknown): value is Error => value instanceof Error || isNativeError(value);

/** Whether memory has moved away. */
export const isDetached = (buffer: ArrayBufferLike): boolean => {
  try {
    new Uint8Array(buffer);
    return false;
  } catch {
    return true;
  }
};

/** What a boxed primitive holds, also if its `valueOf` says otherwise. */
export const unboxed = (value: object): unknown => {
  for (const { prototype } of [String, Number, Boolean, BigInt, Symbol]) {
    try {
      return (prototype.valueOf as () => unknown).call(value);
    } catch {
      // It is of another type.
    }
  }
  return undefined;
};
