import { Operation } from '../frame/frame.ts';
import { byReference, referenceOf } from '../reference/reference.ts';

/** What a function has of its own and nobody has given it: who called it last, and with what. */
const ITS_OWN = new Set(['prototype', 'caller', 'arguments']);

/** Properties that every object or function has, which are no part of what was exported. */
const isBuiltIn = (value: object, key: string): boolean => {
  const isFunction = typeof value === 'function';
  // First of all: few names are any of these.
  if (!(key in Object.prototype) && !(isFunction && (key in Function.prototype || ITS_OWN.has(key))))
    return false;
  // What a proxy of a third site's value has is decided there.
  if (referenceOf(value)) return false;
  return !Object.hasOwn(value, key) || (isFunction && ITS_OWN.has(key));
};

const describe = (path: readonly string[]): string =>
  path.length === 0 ? 'What was called' : path.join('.');

/** Follows one step of a path; throws TypeError as a local access would. */
const step = (value: unknown, key: string, path: readonly string[]): unknown => {
  if (value === undefined || value === null) {
    throw new TypeError(
      `Can't read ${describe(path)} in the site: what should have "${key}" is ${String(value)}.`,
    );
  }
  if (typeof value !== 'object' && typeof value !== 'function') {
    // Text has its methods; what makes text was not exported.
    return key === 'constructor' || key.startsWith('__')
      ? undefined
      : (value as Record<string, unknown>)[key];
  }
  return isBuiltIn(value, key) ? undefined : (value as Record<string, unknown>)[key];
};

/** Does with a local value what a call from another site asks for. */
export const perform = (
  target: unknown,
  path: readonly string[],
  operation: Operation,
  args: unknown[],
): unknown => {
  let self: unknown;
  let value = target;
  for (const key of path) {
    self = value;
    value = step(value, key, path);
  }
  if (operation === Operation.get) return value;
  if (typeof value !== 'function') {
    throw new TypeError(
      `${describe(path)} is not a function in the site, but ${value === null ? 'null' : typeof value}.`,
    );
  }
  if (operation === Operation.construct) {
    // An instance lives where it was made; the caller gets a reference to it.
    return byReference(Reflect.construct(value as new () => object, args));
  }
  return Reflect.apply(value, self, args);
};
