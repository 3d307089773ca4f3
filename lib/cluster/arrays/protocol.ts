import type { FunctionText } from '../function-text.ts';
import type { BatchOutcome } from '../protocol.ts';

/** Elements that follow one another, of several arrays: one part of each, all of one length. */
export type Columns = readonly ArrayLike<unknown>[];

/** What came of a chunk that was folded: what is folded of those that did not fail, if there are any. */
export interface Folded {
  readonly folded?: { readonly value: unknown };
  /** The place of an element in the chunk, and what was thrown for it. */
  readonly errors: readonly (readonly [index: number, error: unknown])[];
}

/** What each process does with elements of several arrays; `within` as in `performEach`. */
export interface ArraysService {
  /** Calls a function once for each tuple, with its elements as arguments. */
  mapTuples(
    fn: FunctionText,
    tuples: readonly (readonly unknown[])[],
    within?: number,
  ): Promise<BatchOutcome>;
  /** Calls a function once for each element of each chunk, and folds what it gives; gives a `Folded` of each chunk. */
  foldChunks(
    fn: FunctionText,
    fold: FunctionText,
    chunks: readonly Columns[],
    within?: number,
  ): Promise<BatchOutcome>;
  /** Calls a function once for each chunk, with its parts of the arrays; it must give as many values. */
  mapChunks(fn: FunctionText, chunks: readonly Columns[], within?: number): Promise<BatchOutcome>;
}
