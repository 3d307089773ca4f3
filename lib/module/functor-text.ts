import type { SystemModule } from './system-modules.ts';

/** What a functor is, without what is needed to make one: a site that only applies them loads no parser. */

/** Registered, so that two copies of this package in one process know each other's functors. */
export const brand = Symbol.for('offsite.functor');

/** A module specifier that carries the type of its module, made by `from`; at run time just the string. */
export type Specifier<M> = string & { readonly '~module': M };

/** What a functor imports: module specifiers by the alias under which the body gets the module. */
export type FunctorImports = Readonly<Record<string, string>>;

/** The modules that a functor's body gets for the given specifiers. */
export type ImportsOf<Imports extends FunctorImports> = {
  readonly [Alias in keyof Imports]: Imports[Alias] extends Specifier<infer M>
    ? M
    : SystemModule<Imports[Alias]>;
};

/** A module not yet made: named imports plus the source text of a body that turns them into a module. Frozen. */
export interface Functor<Imports extends FunctorImports = FunctorImports, M extends object = object> {
  /** The specifiers of the imports, by alias; resolved in the site. */
  readonly import: Imports;
  /** The body's source text: one function expression that needs nothing of the place where it was written. */
  readonly source: string;
  /** Only for the compiler: the type of the module that the body returns. Never there at run time. */
  readonly '~module'?: M;
}

/** What a body may make. Who awaits an object with `then` never gets it; so it's no module, and a promise is none. */
export type Made = object & { readonly then?: never };

/** The type of the module that a functor makes. */
export type ModuleOf<F> = F extends Functor<FunctorImports, infer M> ? M : never;

/**
 * Definitions of the functions that compilers call in the midst of a function's source: esbuild and tsx wrap functions
 * in `__name` to keep their names. `functorScript` puts them in front of the body.
 */
export const compilerHelpers =
  'const __name = (target, value) => Object.defineProperty(target, "name", { value, configurable: true });';

/**
 * The text of a script whose value is the body's function. It is strict, as every module is, and all before the source
 * is one line, so that line numbers in stack traces stay those of the source.
 */
export const functorScript = ({ source }: Pick<Functor, 'source'>): string =>
  `(() => { 'use strict'; ${compilerHelpers} return (${source}\n); })()`;

/** Whether the value is a functor, also one made by another copy of this package. */
export const isFunctor = (value: unknown): value is Functor =>
  typeof value === 'object' && value !== null && (value as { [brand]?: unknown })[brand] === true;

/** A functor that has crossed as its text, which was checked where it was made. */
export const functorOf = ({ import: imports, source }: Pick<Functor, 'import' | 'source'>): Functor =>
  Object.freeze({ [brand]: true, import: imports, source });
