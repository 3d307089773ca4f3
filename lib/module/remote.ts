/**
 * How a module looks from another site: functions give promises, constants can be awaited, classes can be
 * constructed over there. These types only describe; what they describe is made by `lib/wire/reference/proxy.ts`.
 */

type AnyFunction = (...args: never[]) => unknown;
type AnyClass = abstract new (...args: never[]) => unknown;

/** What arrives when a value of type T crosses: functions become remote functions, everything else stays. */
export type Received<T> = T extends AnyClass ? RemoteClass<T> : T extends AnyFunction ? RemoteFunction<T> : T;

/** What may be given for a parameter: the value, or a promise-like proxy of a value that is over there. */
export type RemoteFunction<F> = F extends (...args: infer A) => infer R
  ? (...args: A) => RemotePromise<Awaited<R>>
  : never;

/** A class whose instances live in the site; `new` gives a reference, usable at once. */
export type RemoteClass<C> = C extends abstract new (
  ...args: infer A
) => infer I
  ? (new (...args: A) => RemoteReference<I>) & RemoteStatics<C>
  : never;

type RemoteStatics<C> = { readonly [K in Exclude<keyof C, 'prototype'>]: RemoteMember<C[K]> };

type RemoteMember<T> = T extends AnyClass
  ? RemoteClass<T>
  : T extends AnyFunction
    ? RemoteFunction<T>
    : RemotePromise<T>;

/** A module or an object that lives in another site. */
export type Remote<M> = {
  readonly [K in keyof M as K extends symbol | 'then' ? never : K]: RemoteMember<M[K]>;
};

/** Plain objects and instances, whose members can be used before they have arrived. */
type Pipelined<T> = T extends string | number | boolean | bigint | null | undefined | readonly unknown[]
  ? unknown
  : T extends AnyFunction
    ? T
    : T extends object
      ? Remote<T>
      : unknown;

/** The result of a call: awaited it is the value; its members can be called before it has arrived. */
export type RemotePromise<T> = Promise<Received<T>> & Pipelined<Received<T>>;

/** Something that stays over there: awaited it is the proxy; it can be used without being awaited too. */
export type RemoteReference<T> = Promise<Remote<T>> & Remote<T>;
