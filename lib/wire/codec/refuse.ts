import { isGeneratorObject, isPromise, isProxy } from 'node:util/types';
import { LimitError, UnserializableError } from '../errors.ts';
import { shown } from './path.ts';

/** The error for a part of a value that can't cross; `what` it is, where, and what to do about it. */
export const refusal = (what: string, path: string, remedy: string): UnserializableError =>
  new UnserializableError(`${shown(path)} is ${what}, which can't be sent to another site; ${remedy}.`, path);

/** The error for an object of a class that nobody registered. */
export const refusedInstance = (value: object, path: string): UnserializableError => {
  if (isPromise(value) || typeof (value as { then?: unknown }).then === 'function') {
    return refusal('a promise', path, 'await it first');
  }
  if (isGeneratorObject(value)) return refusal('a generator', path, 'send plain data, for instance [...it]');
  const name = (value as { constructor?: { name?: unknown } }).constructor?.name;
  return refusal(
    `an instance of ${typeof name === 'string' && name ? name : 'an unnamed class'}${isProxy(value) ? ' (a proxy)' : ''}`,
    path,
    'send plain data, register its class with registerClass() on both sides, or wrap it in byReference() to send a reference to it',
  );
};

/** The error for a value that is nested deeper than the option `depth` allows. */
export const tooDeep = (path: string, depth: number): LimitError =>
  new LimitError(
    'ERR_OFFSITE_DEPTH',
    'depth',
    depth,
    `${shown(path)} is nested deeper than ${depth} levels, so the value was not sent; flatten it, or raise the option depth.`,
  );
