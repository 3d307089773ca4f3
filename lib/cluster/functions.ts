import { createHash } from 'node:crypto';
import { type Functor, type FunctorImports, isFunctor } from '../module/functor-text.ts';
import type { CrossesWhole } from '../module/remote.ts';
import { registerClass } from '../wire/codec/register.ts';
import { OptionError } from '../wire/errors.ts';
import type { ByReference } from '../wire/reference/reference.ts';
import type { FunctionText, FunctorText } from './function-text.ts';

/** Any function, as types name it. */
export type AnyFunction = (...args: never[]) => unknown;

/** Registered, so that two copies of this package in one process know each other's names. */
const brand = Symbol.for('offsite.functionName');

/**
 * The name of a function: that of its module, and its own in there. It can be sent anywhere, and means the same there;
 * `functionsOf` makes it.
 */
export class FunctionName<F = AnyFunction> implements CrossesWhole {
  /** The module's URL or name, or a hash of its functor. */
  readonly module: string;
  /** The export's name; empty for a functor that gives a function. */
  readonly name: string;
  /** The module itself, if it has no URL. */
  readonly functor?: FunctorText;
  /** Only for the compiler: the function's type. Never there at run time. */
  declare readonly '~function'?: F;
  declare readonly '~whole': true;

  constructor(module: string, name: string, functor?: FunctorText) {
    this.module = module;
    this.name = name;
    if (functor) this.functor = functor;
  }

  get [brand](): true {
    return true;
  }

  /** Names made by another copy of this package are names too. */
  static [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && (value as { [brand]?: unknown })[brand] === true;
  }

  /** As messages name it. */
  toString(): string {
    const module = this.functor ? 'a functor' : this.module.replace(/^.*\//, '');
    return this.name === '' ? module : `${this.name} of ${module}`;
  }
}

registerClass(FunctionName, 'offsite.FunctionName');

/** A name as it crosses in calls: plain data, which is the quickest. */
export const plain = ({ module, name, functor }: FunctionText): FunctionText =>
  functor ? { module, name, functor } : { module, name };

/** What can be called by name: a function of a module, or a functor that gives a function. */
export type Callable<F extends AnyFunction> = FunctionName<F> | Functor<FunctorImports, F>;

/** A function as it is called, or a class as what makes its instances. */
type Called<F> = F extends AnyFunction
  ? F
  : F extends new (
        ...args: infer A
      ) => infer R
    ? (...args: A) => R extends object ? ByReference<R> : R
    : never;

/** The functions of a module and its classes, by their names. */
export type FunctionsOf<M> = {
  readonly [K in keyof M as Called<M[K]> extends never ? never : K]: FunctionName<Called<M[K]>>;
};

const textOf = ({ import: imports, source }: Functor): FunctorText => ({ import: imports, source });

/** What makes one functor's name: who applied it once need not do it again. */
const hashOf = (text: FunctorText): string =>
  `functor:${createHash('sha256').update(JSON.stringify(text)).digest('hex').slice(0, 32)}`;

/** A functor is named each time that it is called, and its hash is made once. */
const named = new WeakMap<Functor, FunctionName>();

/**
 * Names of the functions of a module, to be called in any process of a cluster:
 * `const { area } = functionsOf<typeof import('./shapes.js')>(new URL('./shapes.js', import.meta.url))`. Nothing is
 * loaded here. Throws OptionError.
 */
export function functionsOf<M extends object>(module: URL | string): FunctionsOf<M>;
export function functionsOf<M extends object>(module: Functor<FunctorImports, M>): FunctionsOf<M>;
export function functionsOf(module: URL | string | Functor): object {
  const functor = isFunctor(module) ? textOf(module) : undefined;
  if (!functor && typeof module !== 'string' && !(module instanceof URL)) {
    throw new OptionError('module', 'A module is named by a URL, a name, or a functor.');
  }
  const key = functor ? hashOf(functor) : String(module);
  const names = new Map<string, FunctionName>();
  return new Proxy(Object.create(null) as object, {
    get: (_, name) => {
      if (typeof name !== 'string' || name === 'then') return undefined;
      const known = names.get(name) ?? new FunctionName(key, name, functor);
      names.set(name, known);
      return known;
    },
  });
}

const nameFunctor = (functor: Functor): FunctionName => {
  const text = textOf(functor);
  return new FunctionName(hashOf(text), '', text);
};

/** The name of what a user wants to be called. Throws OptionError. */
export const nameOf = <F extends AnyFunction>(callable: Callable<F>): FunctionName<F> => {
  if (callable instanceof FunctionName) return callable;
  if (isFunctor(callable)) {
    const name = named.get(callable) ?? nameFunctor(callable);
    named.set(callable, name);
    return name as FunctionName<F>;
  }
  throw new OptionError(
    'fn',
    `What is called in a cluster is named by its module, as in functionsOf(url).name, or is a functor that gives a function; ${typeof callable === 'function' ? `the function ${(callable as AnyFunction).name || 'without a name'} can't travel by itself` : `${String(callable)} is neither`}.`,
  );
};
