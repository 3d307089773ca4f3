import type { AnyFunction } from './functions.ts';
import type { BatchOutcome, Chunk, Outcome } from './protocol.ts';

/** How many elements of a batch run side by side if their functions are asynchronous, as in Julia's `asyncmap`. */
const SIDE_BY_SIDE = 100;

/** Whether something is awaited. */
export const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof (value as { then?: unknown } | null | undefined)?.then === 'function';

/**
 * Calls a function once for each element, with `rest` behind it. Begins no further element when `within` ms have passed:
 * then there are fewer values than elements.
 */
export const mapBatch = async (
  call: AnyFunction,
  elements: readonly unknown[],
  rest: readonly unknown[],
  within = Infinity,
): Promise<BatchOutcome> => {
  const start = performance.now();
  const values: unknown[] = [];
  const errors: [number, unknown][] = [];
  let pending: Promise<void>[] = [];
  const one = call as (...args: unknown[]) => unknown;
  const alone = rest.length === 0;
  for (let index = 0; index < elements.length; index++) {
    // At least one, so that each batch comes nearer to the end.
    if (index > 0 && performance.now() - start >= within) break;
    // A place without a value carries null, so that plain values stay plain.
    values.push(null);
    try {
      const value = alone ? one(elements[index]) : one(elements[index], ...rest);
      // What is there already need not wait for a turn of its own.
      if (!isThenable(value)) values[index] = value;
      else {
        pending.push(
          Promise.resolve(value).then(
            (settled) => {
              values[index] = settled;
            },
            (error: unknown) => {
              errors.push([index, error]);
            },
          ),
        );
        if (pending.length === SIDE_BY_SIDE) {
          await Promise.all(pending);
          pending = [];
        }
      }
    } catch (error) {
      errors.push([index, error]);
    }
  }
  if (pending.length > 0) await Promise.all(pending);
  return { values, errors, took: performance.now() - start };
};

/** The elements of a chunk: those that were sent, or the whole numbers of a range. */
function* elementsOf(chunk: Chunk): Generator<unknown> {
  if ('elements' in chunk) yield* chunk.elements;
  else for (let index = chunk.start; index < chunk.end; index++) yield index;
}

/**
 * Calls a function once for each element of a chunk, with `rest` behind it, one after the other, and reduces what it
 * gives from the left to the right. Without a function the elements are reduced; without a reducer it only calls.
 */
export const reduceChunk = async (
  call: AnyFunction | undefined,
  reduce: AnyFunction | undefined,
  chunk: Chunk,
  rest: readonly unknown[],
): Promise<Outcome> => {
  const map = (call ?? ((element: unknown) => element)) as (...args: unknown[]) => unknown;
  const join = reduce as ((left: unknown, right: unknown) => unknown) | undefined;
  let first = true;
  let reduced: unknown;
  try {
    for (const element of elementsOf(chunk)) {
      let value = map(element, ...rest);
      if (isThenable(value)) value = await value;
      if (!join) continue;
      if (first) {
        first = false;
        reduced = value;
        continue;
      }
      reduced = join(reduced, value);
      if (isThenable(reduced)) reduced = await reduced;
    }
    return { value: reduced };
  } catch (error) {
    return { error };
  }
};
