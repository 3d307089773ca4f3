import { UnserializableError } from '../errors.ts';
import { isByReference, referenceOf } from '../reference/reference.ts';
import { isError } from './remote-error.ts';

/** Deeper values are refused: they are a mistake more often than data. */
const MAX_DEPTH = 1000;

const join = (path: string, key: string | number): string =>
  typeof key === 'number'
    ? `${path}[${key}]`
    : /^[\w$]+$/.test(key)
      ? `${path}.${key}`
      : `${path}[${JSON.stringify(key)}]`;

const refuse = (what: string, path: string, remedy: string): never => {
  throw new UnserializableError(`${path} is ${what}, which can't be sent to another site; ${remedy}.`, path);
};

/**
 * Walks a value that is not plain and throws UnserializableError, with the path, at the first part that the codec
 * would lose in silence: a symbol, a promise, an object of a class that nobody registered.
 */
export const refuseLossy = (value: unknown, path: string, seen = new Set<object>(), depth = 0): void => {
  switch (typeof value) {
    case 'symbol':
      return refuse('a symbol', path, 'send a string instead');
    case 'object':
      break;
    case 'function':
      if (referenceOf(value)?.call)
        refuse('the result of a call that was not awaited', path, 'await it first');
      return;
    default:
      return;
  }
  if (value === null || seen.has(value) || isByReference(value)) return;
  if (depth > MAX_DEPTH) refuse(`nested deeper than ${MAX_DEPTH} levels`, path, 'flatten it');
  seen.add(value);
  if (isLeaf(value)) return;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      if (!(index in value)) refuse('a hole', join(path, index), 'put undefined there');
      refuseLossy(value[index], join(path, index), seen, depth + 1);
    }
  } else if (value instanceof Map) {
    let index = 0;
    for (const [key, item] of value) {
      refuseLossy(key, `${path}.keys()[${index}]`, seen, depth + 1);
      refuseLossy(
        item,
        typeof key === 'string' ? join(path, key) : `${path}.values()[${index}]`,
        seen,
        depth + 1,
      );
      index++;
    }
  } else if (value instanceof Set) {
    let index = 0;
    for (const item of value) refuseLossy(item, `${path}.values()[${index++}]`, seen, depth + 1);
  } else {
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== null && prototype !== Object.prototype) refuseInstance(value, path);
    for (const [key, item] of Object.entries(value)) refuseLossy(item, join(path, key), seen, depth + 1);
  }
};

/** What the codec carries whole, so that nothing in it needs to be looked at. */
const isLeaf = (value: object): boolean =>
  value instanceof Date ||
  value instanceof RegExp ||
  value instanceof URL ||
  value instanceof ArrayBuffer ||
  value instanceof SharedArrayBuffer ||
  ArrayBuffer.isView(value) ||
  isError(value);

const refuseInstance = (value: object, path: string): void => {
  if (typeof (value as { then?: unknown }).then === 'function') {
    refuse('a promise', path, 'await it first');
  }
  const name = (value as { constructor?: { name?: string } }).constructor?.name || 'an unnamed class';
  refuse(
    `an instance of ${name}`,
    path,
    'send plain data, or wrap it in byReference() to send a reference to it',
  );
};
