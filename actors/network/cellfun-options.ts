import * as v from 'valibot';
import type { AnyFunction, Callable } from '../../lib/cluster/functions.ts';
import { checked, count, milliseconds } from '../cluster/check.ts';
import type { Progress } from '../pool/progress.ts';
import type { RetryOptions } from '../pool/retry.ts';
import type { NodesChoice } from './view.ts';

/** The arrays whose elements a function gets: one for each of its parameters. */
export type ArraysFor<F extends AnyFunction> = ArraysOf<Parameters<F>>;

type ArraysOf<P extends readonly unknown[]> = { readonly [K in keyof P]: ArrayLike<P[K]> };

/** What an error handler is told: Octave's structure, and the error itself. */
export interface ElementFailure {
  readonly message: string;
  /** The error's code if it has one, else its name: Octave's `identifier`. */
  readonly identifier: string;
  /** The error's code, if it has one. */
  readonly code: string | undefined;
  /** The element's place in the arrays, from 0 on; Octave counts from 1. */
  readonly index: number;
  /** What was thrown, with its stack over there; or ProcessExitedException if the process ended. */
  readonly error: unknown;
}

/** Runs here when an element has failed; what it gives takes the result's place, what it throws ends all. */
export type ErrorHandler<Replacement> = (
  failure: ElementFailure,
  ...args: unknown[]
) => Replacement | PromiseLike<Replacement>;

/** Joins two results to one. The order is not certain, as in Octave: it is commutative and associative. */
export type Fold<R> = (left: R, right: R) => R | PromiseLike<R>;

/** How arrays are worked on, whatever is made of the results. */
export interface CommonCellfunOptions {
  /** In which nodes, and in their local jobs. @default all but the client */
  readonly nodes?: NodesChoice;
  /** How many elements go to a process together. @default some milliseconds of work; a fold: see `chunksPerProc` */
  readonly chunkSize?: number | 'auto';
  /** Into how many chunks the share of each process is cut, instead of `chunkSize`. @default 4, where chunks are needed */
  readonly chunksPerProc?: number;
  /** Which failures are tried again. @default none */
  readonly retry?: RetryOptions;
  /** Is told how far it is, ten times a second at most, and at the end. */
  readonly onProgress?: (progress: Progress) => void;
  /** How long all of it may take, in milliseconds. @default no bound */
  readonly timeout?: number;
  /** Aborting it stops all and rejects with its reason. */
  readonly signal?: AbortSignal;
}

/** How `cellfun` calls a function for each element. */
export interface CellfunOptions<Replacement = never> extends CommonCellfunOptions {
  /** Whether all results must be scalars of one type: numbers, strings, booleans or bigints. @default true */
  readonly uniformOutput?: boolean;
  readonly errorHandler?: ErrorHandler<Replacement>;
}

/** How `cellfun` makes one value of all results. */
export interface FoldOptions<F extends AnyFunction> extends CommonCellfunOptions {
  /**
   * Octave's `CumFunc`. A function by its name, or a functor, folds chunks where they are made; a function of this program
   * folds all results here.
   */
  readonly fold: Fold<Awaited<ReturnType<F>>> | Callable<Fold<Awaited<ReturnType<F>>>>;
  readonly errorHandler?: ErrorHandler<Awaited<ReturnType<F>>>;
}

/** How `cellfun` calls a function with whole parts of the arrays, for as many values as the parts have. */
export interface VectorizedOptions extends CommonCellfunOptions {
  readonly vectorized: true;
  readonly uniformOutput?: boolean;
}

const aFunction = v.custom<() => unknown>((value) => typeof value === 'function', 'must be a function');

const schema = v.strictObject({
  chunkSize: v.optional(
    v.union([v.literal('auto'), count()], 'must be a whole number from 1 on, or auto'),
    'auto',
  ),
  chunksPerProc: v.optional(count()),
  retry: v.optional(v.any()),
  onProgress: v.optional(aFunction),
  timeout: v.optional(milliseconds()),
  signal: v.optional(v.instance(AbortSignal, 'must be an AbortSignal')),
  uniformOutput: v.optional(v.boolean('must be true or false'), true),
  errorHandler: v.optional(aFunction),
  fold: v.optional(v.any()),
  vectorized: v.optional(v.boolean('must be true or false'), false),
});

/** The same, checked and complete. */
export interface CheckedCellfunOptions extends Omit<CommonCellfunOptions, 'nodes'> {
  readonly chunkSize: number | 'auto';
  readonly uniformOutput: boolean;
  readonly vectorized: boolean;
  readonly errorHandler?: ErrorHandler<unknown>;
  readonly fold?: Fold<unknown> | Callable<AnyFunction>;
}

/** Checks what a user gave; throws OptionError. */
export const checkCellfun = (options: object): CheckedCellfunOptions =>
  checked(schema, options, 'cellfun') as CheckedCellfunOptions;
