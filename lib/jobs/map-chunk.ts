import { isThenable } from '../cluster/batch.ts';
import type { AnyFunction } from '../cluster/functions.ts';
import type { ChunkResult } from './protocol.ts';

type Join = (left: unknown, right: unknown) => unknown;

/** What is done with a chunk's elements beside calling a function with each. */
export interface ChunkWork {
  /** Called with one element of each list; without it the elements of the first list are folded. */
  readonly call: AnyFunction | undefined;
  /** Folds what it gives from the left to the right, so that one value is left. */
  readonly fold: AnyFunction | undefined;
}

/**
 * Calls a function with the first elements of all lists, then with the second ones, and so on; an element that fails
 * leaves the others alone. Elements are done one after the other.
 */
export const mapChunk = async (
  { call, fold }: ChunkWork,
  lists: readonly (readonly unknown[])[],
): Promise<ChunkResult> => {
  const [first = []] = lists;
  const map = (call ?? ((element: unknown) => element)) as (...args: unknown[]) => unknown;
  const join = fold as Join | undefined;
  const values: unknown[] = [];
  const errors: [number, unknown][] = [];
  for (let index = 0; index < first.length; index++) {
    try {
      let value = map(...lists.map((list) => list[index]));
      if (isThenable(value)) value = await value;
      if (!join) values.push(value);
      else if (values.length === 0) values.push(value);
      else {
        const folded = join(values[0], value);
        values[0] = isThenable(folded) ? await folded : folded;
      }
    } catch (error) {
      errors.push([index, error]);
      // A place without a value carries null, so that plain values stay plain.
      if (!join) values.push(null);
    }
  }
  return { values, errors };
};
