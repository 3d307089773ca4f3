import type { ByReference, CallResult, RefersTo, Releasable } from '../wire/reference/reference.ts';

/**
 * How a module looks from another site: functions give promises, constants can be awaited, classes can be
 * constructed over there. These types only describe; what they describe is made by `lib/wire/reference/handle.ts`.
 */

type AnyFunction = (...args: never[]) => unknown;
type AnyClass = abstract new (...args: never[]) => unknown;
// biome-ignore lint/suspicious/noConfusingVoidType: functions return it
type Nothing = void;
type Primitive = string | number | boolean | bigint | symbol | null | undefined | Nothing;
type WebStream = { readonly locked: boolean } & ({ getReader(): unknown } | { getWriter(): unknown });
/** What this package's own classes have in common that cross as what they are; there for types only. */
export interface CrossesWhole {
  readonly '~whole': true;
}

/** What arrives as what it was, whatever methods it has. */
type Whole =
  | Primitive
  | Date
  | RegExp
  | URL
  | Error
  | ArrayBufferLike
  | ArrayBufferView
  | AbortSignal
  | CrossesWhole
  | WebStream
  | RegisteredClasses[keyof RegisteredClasses];

type IsAny<T> = 0 extends 1 & T ? true : false;

/**
 * The classes of yours that `registerClass` makes cross by value, so that `Received` leaves their methods alone:
 * `declare module 'offsite' { interface RegisteredClasses { Point: Point } }`. Only classes with methods need it.
 */
// biome-ignore lint/suspicious/noEmptyInterface: users put their classes in
export interface RegisteredClasses {}

/**
 * What arrives when a value of type T crosses: functions as remote functions, classes as remote classes, what is marked
 * by reference as `Remote`, async iterables as iterators; also where they are parts of arrays, Maps, Sets and plain
 * objects. All else stays what it is.
 */
export type Received<T> =
  IsAny<T> extends true
    ? T
    : T extends Primitive
      ? T
      : T extends AnyClass
        ? RemoteClass<T>
        : T extends AnyFunction
          ? RemoteFunction<T>
          : T extends ByReference
            ? Remote<T>
            : T extends Whole
              ? T
              : ReceivedParts<T>;

type ReceivedParts<T> =
  T extends ReadonlyMap<infer K, infer V>
    ? T extends Map<K, V>
      ? Map<Received<K>, Received<V>>
      : ReadonlyMap<Received<K>, Received<V>>
    : T extends ReadonlySet<infer V>
      ? T extends Set<V>
        ? Set<Received<V>>
        : ReadonlySet<Received<V>>
      : T extends AsyncIterable<unknown>
        ? ReceivedIterable<T>
        : T extends object
          ? // Data of nothing but whole values keeps its name in editors.
            [T[keyof T]] extends [Whole]
            ? T
            : { [K in keyof T]: Received<T[K]> }
          : T;

/** As a generator, but what is given to `next` does not cross. */
type ReceivedIterable<T> =
  T extends AsyncGenerator<infer Y, infer R, infer _>
    ? AsyncGenerator<Received<Y>, Received<R>, undefined>
    : T extends AsyncIterable<infer Y>
      ? AsyncGenerator<Received<Y>, unknown, undefined>
      : never;

/** The result of a call that was not awaited, as an argument: its value is there before the function begins. */
export interface Unawaited<T> extends PromiseLike<T>, CallResult {}

/**
 * What may be given for a parameter: the value, or the result of a call that was not awaited, in its place or as an
 * element or member of it; a reference to what lives over there; for a callback also an asynchronous one.
 */
export type Given<P> = GivenValue<P> | Unawaited<P> | RefersTo<P>;

type GivenValue<P> =
  IsAny<P> extends true
    ? P
    : P extends Whole | AnyClass
      ? P
      : P extends AnyFunction
        ? GivenFunction<P>
        : P extends ReadonlyMap<unknown, unknown> | ReadonlySet<unknown> | AsyncIterable<unknown>
          ? P
          : P extends readonly unknown[]
            ? { [K in keyof P]: GivenPart<P[K]> }
            : P extends object
              ? { [K in keyof P]: GivenPart<P[K]> }
              : P;

type GivenPart<P> =
  IsAny<P> extends true ? P : (P extends AnyFunction ? GivenFunction<P> : P) | Unawaited<P> | RefersTo<P>;

/** A callback gets what arrives, and may answer at once or later. */
type GivenFunction<F> = F extends AnyClass
  ? F
  : F extends (...args: infer A) => infer R
    ? (
        ...args: { [K in keyof A]: Received<A[K]> }
      ) => [R] extends [Nothing] ? unknown : R | PromiseLike<Awaited<R>>
    : never;

/** A function in another site: called, it gives a promise of what it returns. */
export type RemoteFunction<F> = F extends (...args: infer A) => infer R
  ? ((...args: { [K in keyof A]: Given<A[K]> }) => RemotePromise<Awaited<R>>) & Releasable
  : never;

/** A class whose instances live in the site; `new` gives a reference, usable at once. */
export type RemoteClass<C> = C extends abstract new (
  ...args: infer A
) => infer I
  ? (new (...args: { [K in keyof A]: Given<A[K]> }) => RemoteReference<I>) & RemoteStatics<C> & Releasable
  : never;

type RemoteStatics<C> = { readonly [K in Exclude<keyof C, 'prototype'>]: RemoteMember<C[K]> };

type RemoteMember<T> = T extends AnyClass
  ? RemoteClass<T>
  : T extends AnyFunction
    ? RemoteFunction<T>
    : RemoteConstant<Awaited<T>>;

/** A module or an object that lives in another site; `using` releases it. */
export type Remote<M> = {
  readonly [K in keyof M as K extends symbol | 'then' ? never : K]: RemoteMember<M[K]>;
} & RefersTo<M>;

/** What can be done with a result before it has arrived: objects have members, functions are called, streams read. */
type Pipelined<T> = [T] extends [never]
  ? unknown
  : IsAny<T> extends true
    ? unknown
    : T extends Primitive | readonly unknown[]
      ? unknown
      : T extends AnyClass
        ? RemoteClass<T>
        : T extends AnyFunction
          ? RemoteFunction<T>
          : T extends ByReference
            ? Remote<T>
            : T extends AsyncIterable<infer Y>
              ? AsyncIterable<Received<Y>>
              : T extends object
                ? Remote<T>
                : unknown;

/** The result of a call: awaited it is the value; it can be used, and given to other calls, before it has arrived. */
export type RemotePromise<T> = Promise<Received<T>> & Pipelined<T> & CallResult;

/** A property over there that is no function: awaited it is the value. */
export type RemoteConstant<T> = Promise<Received<T>> & Pipelined<T>;

/** Something that stays over there: awaited it is the proxy; it can be used without being awaited too. */
export type RemoteReference<T> = Promise<Remote<T>> & Remote<T>;
