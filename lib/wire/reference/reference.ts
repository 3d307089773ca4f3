import { leafTypes, markedByReference } from '../shared.ts';
import { isAsyncIterable, isTransformStream, streamKind } from '../stream/kind.ts';

/**
 * What crosses by reference instead of by value. The marks are registered symbols, because the engine of a site
 * is a copy of this code, and both copies must know each other's references.
 */

const BY_REFERENCE = Symbol.for('offsite.byReference');
const REFERENCE = Symbol.for('offsite.reference');

/**
 * The type of what is marked: it is `T`, and functions that return it say by it that a reference arrives. Without an
 * argument it is what all marked types have in common.
 */
export type ByReference<T extends object = object> = T & { readonly [BY_REFERENCE]: true };

/** An object whose class extends this one is never copied: the other site gets a reference to it. */
export abstract class RemoteTarget {
  get [BY_REFERENCE](): true {
    return true;
  }
}

/** Marks an object, so that other sites get a reference to it instead of a copy; returns the same object. */
export const byReference = <T extends object>(value: T): ByReference<T> => {
  markedByReference.add(value);
  // For types alone: the mark is beside the object, which may be frozen.
  return value as ByReference<T>;
};

/** A site's own view of a value that lives in another one; proxies carry it. */
export interface Reference {
  /** The calls of the session through which the value is reached. */
  readonly calls: object;
  /** The id of the value, or of the value whose property this is; `undefined` for what hangs on a call's result. */
  readonly id: number | undefined;
  /** The call whose result this is, or hangs on. */
  readonly call: object | undefined;
  /** The way from that value to this one; empty if it is that value. */
  readonly path: readonly string[];
  /** Of what outlives its site: the proxy of what it stands for now, if there is anything. */
  current?(): object | undefined;
}

/** The symbol under which a proxy tells its reference. */
export const referenceSymbol: typeof REFERENCE = REFERENCE;

/** What stands here for something in another site: `release`, and `using`, give that back to its site. */
export interface Releasable extends Disposable {
  /** What it refers to, for this package alone; `to` is there for types only. */
  readonly [REFERENCE]: { readonly to?: unknown };
}

/** The result of a call, which can be an argument without being awaited; `result` is there for types only. */
export interface CallResult extends Releasable {
  readonly [REFERENCE]: { readonly to?: unknown; readonly result: true };
}

/** What stands here for a T. */
export interface RefersTo<T> extends Releasable {
  readonly [REFERENCE]: { readonly to?: T };
}

/** What a proxy refers to, `undefined` for everything that is no proxy of a remote value. */
export const referenceOf = (value: unknown): Reference | undefined => {
  if (typeof value !== 'function') return undefined;
  return (value as unknown as Record<symbol, Reference | undefined>)[REFERENCE];
};

/** Whether an object was marked, or is a RemoteTarget, so that it is reached and never read, whatever else it is. */
export const isMarked = (value: object): boolean =>
  markedByReference.has(value) || (value as Record<symbol, unknown>)[BY_REFERENCE] === true;

/** Whether a value stays where it is and crosses as something that reaches it: a function, a stream, a signal … */
export const isByReference = (value: unknown): boolean => {
  if (typeof value === 'function') return true;
  if (typeof value !== 'object' || value === null) return false;
  if (isMarked(value)) return true;
  if (Array.isArray(value)) return false;
  // Plain data need not be asked what it is an instance of.
  return Object.getPrototypeOf(value) === Object.prototype
    ? isAsyncIterable(value)
    : value instanceof AbortSignal ||
        isTransformStream(value) ||
        // What can be iterated may be of a type that `registerType` was taught.
        (streamKind(value) !== undefined && !leafTypes.some((type) => type.isApplicable(value)));
};
