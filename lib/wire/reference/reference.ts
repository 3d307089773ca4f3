import { markedByReference } from '../shared.ts';

/**
 * What crosses by reference instead of by value. The marks are registered symbols, because the engine of a site
 * is a copy of this code, and both copies must know each other's references.
 */

const BY_REFERENCE = Symbol.for('offsite.byReference');
const REFERENCE = Symbol.for('offsite.reference');

/** An object whose class extends this one is never copied: the other site gets a reference to it. */
export abstract class RemoteTarget {
  get [BY_REFERENCE](): true {
    return true;
  }
}

/** Marks an object, so that other sites get a reference to it instead of a copy; returns the same object. */
export const byReference = <T extends object>(value: T): T => {
  markedByReference.add(value);
  return value;
};

/** A site's own view of a value that lives in another one; proxies carry it. */
export interface Reference {
  /** The session through which the value is reached. */
  readonly session: object;
  /** The id of the value, or of the value whose property this is; `undefined` for what hangs on a call's result. */
  readonly id: number | undefined;
  /** The call whose result this is, or hangs on. */
  readonly call: object | undefined;
  /** The way from that value to this one; empty if it is that value. */
  readonly path: readonly string[];
}

/** The symbol under which a proxy tells its reference. */
export const referenceSymbol: typeof REFERENCE = REFERENCE;

/** What a proxy refers to, `undefined` for everything that is no proxy of a remote value. */
export const referenceOf = (value: unknown): Reference | undefined => {
  if (typeof value !== 'function') return undefined;
  return (value as unknown as Record<symbol, Reference | undefined>)[REFERENCE];
};

/** Whether a value crosses by reference. */
export const isByReference = (value: unknown): boolean => {
  if (typeof value === 'function') return true;
  if (typeof value !== 'object' || value === null) return false;
  return markedByReference.has(value) || (value as Record<symbol, unknown>)[BY_REFERENCE] === true;
};
