import { classNames, errorClasses } from '../shared.ts';
import { isError } from './built-in.ts';
import type { ErrorNode } from './graph.ts';

for (const builtIn of [
  Error,
  AggregateError,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
]) {
  errorClasses.set(builtIn.name, builtIn);
}

/** Any value as text, also one that refuses to be: what was thrown must always be told. */
export const textOf = (value: unknown): string => {
  try {
    return String(value);
  } catch {
    return `a value of type ${typeof value} that has no text`;
  }
};

/** Reads a property although its getter may throw: an error must always make it across. */
export const read = (error: object, key: string): unknown => {
  try {
    return (error as Record<string, unknown>)[key];
  } catch (cause) {
    return `[reading it threw: ${textOf(cause)}]`;
  }
};

/** The name on a prototype; that of DOMException can only be read from an instance. */
const nameOn = (prototype: object): unknown => {
  try {
    return (prototype as { name?: unknown }).name;
  } catch {
    return undefined;
  }
};

const namesOfClasses = (error: object): string[] => {
  const names: string[] = [];
  let prototype: object | null = Object.getPrototypeOf(error);
  while (prototype && prototype !== Object.prototype) {
    const registered = classNames.get(prototype);
    if (registered !== undefined) names.push(registered);
    // Then the name on the prototype: a bundler may have given the class another one.
    const own = Object.hasOwn(prototype, 'name') ? nameOn(prototype) : undefined;
    if (typeof own === 'string') names.push(own);
    const { name } = (prototype.constructor ?? {}) as { name?: unknown };
    if (typeof name === 'string' && name && name !== own) names.push(name);
    prototype = Object.getPrototypeOf(prototype);
  }
  return names;
};

/** What of an error is text; the rest is for its graph. */
export const bareRecord = (error: Error): ErrorNode => ({
  classes: namesOfClasses(error),
  name: textOf(read(error, 'name')),
  message: textOf(read(error, 'message')),
  stack: textOf(read(error, 'stack') ?? ''),
  own: {},
});

/**
 * The properties that an error takes along as its own; where it comes from is told anew. Its code is one of them also
 * if its class computes it, because programs switch on it.
 */
export const ownKeys = (error: Error): string[] => {
  const keys = Object.keys(error).filter((key) => key !== 'site' && key !== 'cause');
  const hasCode = 'code' in error && !(error instanceof DOMException);
  return hasCode && !keys.includes('code') ? [...keys, 'code'] : keys;
};

/** Gives an error a property that does not show when it is printed. */
export const hide = (error: object, key: string, value: unknown): void => {
  Object.defineProperty(error, key, { value, configurable: true, writable: true, enumerable: false });
};

/** Builds the error again, as the nearest class that is known here, without running its constructor; it has no properties of its own yet. */
export const rebuildError = (record: ErrorNode): Error => {
  // It keeps its code and its name inside, so that it can only be made.
  if (record.classes[0] === 'DOMException') {
    const exception = new DOMException(record.message, record.name);
    hide(exception, 'stack', record.stack);
    return exception;
  }
  // Of ours it is by its code too: Node's loader makes plain errors of those that it is given.
  const names = /^ERR_OFFSITE_/.test(String(record.own.code))
    ? [record.name, ...record.classes]
    : record.classes;
  const errorClass = names.map((name) => errorClasses.get(name)).find((found) => found) ?? Error;
  // A real Error, so that it prints and is recognised as one, with the prototype of its class.
  const error = withoutStack(() => new Error(record.message));
  Object.setPrototypeOf(error, errorClass.prototype);
  if (error.name !== record.name) hide(error, 'name', record.name);
  hide(error, 'stack', record.stack);
  return error;
};

/** Makes an error without looking where: it has a stack of its own, and to make one of here takes longer than all else. */
const withoutStack = (make: () => Error): Error => {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return make();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
};

/** Joins the remote stack to the `caller`'s, which begins with a line feed if there is one, and says which site it was. */
export const arrivedFrom = (error: unknown, site: string, caller: string): unknown => {
  if (!isError(error)) return error;
  if (!Object.hasOwn(error, 'site')) hide(error, 'site', site);
  if (caller) hide(error, 'stack', `${error.stack}\n    --- called from here ---${caller}`);
  return error;
};
