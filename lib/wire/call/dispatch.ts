import { Operation } from '../frame/frame.ts';
import { byReference, referenceOf } from '../reference/reference.ts';

/** Properties that every object or function has, which are no part of what was exported. */
const isBuiltIn = (value: object, key: string): boolean =>
  (key in Object.prototype || (typeof value === 'function' && key in Function.prototype)) &&
  !Object.hasOwn(value, key) &&
  // What a proxy of a third site's value has is decided there.
  !referenceOf(value);

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
    return key in Object(value) ? (value as Record<string, unknown>)[key] : undefined;
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
