import type { Functor } from '../module/functor-text.ts';

/** A functor as it crosses. */
export type FunctorText = Pick<Functor, 'import' | 'source'>;

/** A function's name as it crosses; see FunctionName. */
export interface FunctionText {
  readonly module: string;
  readonly name: string;
  readonly functor?: FunctorText | undefined;
}

/** What became of a function that was called: what it threw is told apart from what went wrong on the way. */
export type Outcome = { readonly value: unknown } | { readonly error: unknown };
