import { isNativeError } from 'node:util/types';
import { errorClasses } from '../errors.ts';

/** An error as it crosses: its class by name, and everything that structured clone would lose. */
export interface ErrorRecord {
  /** Names of its class and that class's ancestors, nearest first. */
  classes: string[];
  name: string;
  message: string;
  stack: string;
  cause?: unknown;
  errors?: unknown[];
  /** Own enumerable properties, `code` among them. */
  own: Record<string, unknown>;
}

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

/** Whether a value is an error, also one of another realm. */
export const isError = (value: unknown): value is Error => value instanceof Error || isNativeError(value);

/** Any value as text, also one that refuses to be: what was thrown must always be told. */
export const textOf = (value: unknown): string => {
  try {
    return String(value);
  } catch {
    return `a value of type ${typeof value} that has no text`;
  }
};

/** Reads a property although its getter may throw: an error must always make it across. */
const read = (error: object, key: string): unknown => {
  try {
    return (error as Record<string, unknown>)[key];
  } catch (cause) {
    return `[reading it threw: ${textOf(cause)}]`;
  }
};

const classNames = (error: object): string[] => {
  const names: string[] = [];
  let prototype: object | null = Object.getPrototypeOf(error);
  while (prototype && prototype !== Object.prototype) {
    // The registered name first: a bundler may have given the class another one.
    const own = Object.hasOwn(prototype, 'name') ? read(prototype, 'name') : undefined;
    if (typeof own === 'string') names.push(own);
    const { name } = prototype.constructor;
    if (name && name !== own) names.push(name);
    prototype = Object.getPrototypeOf(prototype);
  }
  return names;
};

/** What of an error is text. */
export const bareRecord = (error: Error): ErrorRecord => ({
  classes: classNames(error),
  name: textOf(read(error, 'name')),
  message: textOf(read(error, 'message')),
  stack: textOf(read(error, 'stack') ?? ''),
  own: {},
});

/** Turns an error into what crosses; `sendable` says which own properties can. */
export const recordError = (error: Error, sendable: (value: unknown) => boolean): ErrorRecord => {
  const record = bareRecord(error);
  for (const key of Object.keys(error)) {
    if (key === 'site' || key === 'cause' || key === 'errors') continue;
    const value = read(error, key);
    if (sendable(value)) record.own[key] = value;
  }
  if (Object.hasOwn(error, 'cause')) record.cause = orText(read(error, 'cause'), sendable);
  const parts = read(error, 'errors');
  if (Array.isArray(parts)) record.errors = parts.map((part) => orText(part, sendable));
  return record;
};

const orText = (value: unknown, sendable: (value: unknown) => boolean): unknown =>
  sendable(value) ? value : textOf(value);

const hide = (error: Error, key: string, value: unknown): void => {
  Object.defineProperty(error, key, { value, configurable: true, writable: true, enumerable: false });
};

/** Builds the error again, as the nearest class that is known here, without running its constructor. */
export const rebuildError = (record: ErrorRecord): Error => {
  // Of ours it is by its code too: Node's loader makes plain errors of those that it is given.
  const names = /^ERR_OFFSITE_/.test(String(record.own.code))
    ? [record.name, ...record.classes]
    : record.classes;
  const errorClass = names.map((name) => errorClasses.get(name)).find((found) => found) ?? Error;
  // A real Error, so that it prints and is recognised as one, with the prototype of its class.
  const error = new Error(record.message);
  Object.setPrototypeOf(error, errorClass.prototype);
  if (error.name !== record.name) hide(error, 'name', record.name);
  hide(error, 'stack', record.stack);
  if ('cause' in record) hide(error, 'cause', record.cause);
  if (record.errors) hide(error, 'errors', record.errors);
  for (const [key, value] of Object.entries(record.own)) {
    Object.defineProperty(error, key, { value, configurable: true, writable: true, enumerable: true });
  }
  return error;
};

/** Joins the remote stack to the `caller`'s, which begins with a line feed if there is one, and says which site it was. */
export const arrivedFrom = (error: unknown, site: string, caller: string): unknown => {
  if (!isError(error)) return error;
  if (!Object.hasOwn(error, 'site')) hide(error, 'site', site);
  if (caller) hide(error, 'stack', `${error.stack}\n    --- called from here ---${caller}`);
  return error;
};
