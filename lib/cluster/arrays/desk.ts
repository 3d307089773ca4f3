import { RemoteTarget } from '../../wire/reference/reference.ts';
import { isThenable } from '../batch.ts';
import type { FunctionText } from '../function-text.ts';
import type { AnyFunction } from '../functions.ts';
import type { LoadedFunctions } from '../loaded-functions.ts';
import type { BatchOutcome } from '../protocol.ts';
import type { ArraysService, Columns, Folded } from './protocol.ts';

type Loose = (...args: unknown[]) => unknown;

/** The elements of all columns at one place. */
const rowOf = (columns: Columns, at: number): unknown[] => columns.map((column) => column[at]);

const foldChunk = async (call: Loose, join: Loose, columns: Columns): Promise<Folded> => {
  const errors: [number, unknown][] = [];
  let folded: { value: unknown } | undefined;
  for (let at = 0; at < columns[0]!.length; at++) {
    let value: unknown;
    try {
      value = call(...rowOf(columns, at));
      if (isThenable(value)) value = await value;
    } catch (error) {
      errors.push([at, error]);
      continue;
    }
    if (folded) {
      // What the fold throws is no failure of an element: all of it fails.
      const joined = join(folded.value, value);
      folded.value = isThenable(joined) ? await joined : joined;
    } else folded = { value };
  }
  return folded ? { folded, errors } : { errors };
};

const mapChunk = async (call: Loose, columns: Columns): Promise<ArrayLike<unknown>> => {
  const values = (await call(...columns)) as ArrayLike<unknown>;
  const wanted = columns[0]!.length;
  const length = (values as ArrayLike<unknown> | undefined)?.length;
  if (length === wanted) return values;
  throw new TypeError(
    `A vectorized function gives an array with a value for each of its ${wanted} elements, and not ${length === undefined ? String(values) : `one of ${length}`}.`,
  );
};

/** Does elements of several arrays, for whoever maps them. */
export class ArraysDesk extends RemoteTarget implements ArraysService {
  readonly #functions: LoadedFunctions;

  constructor(functions: LoadedFunctions) {
    super();
    this.#functions = functions;
  }

  async mapTuples(
    fn: FunctionText,
    tuples: readonly (readonly unknown[])[],
    within?: number,
  ): Promise<BatchOutcome> {
    const call = (await this.#functions.find(fn)) as Loose;
    const spread = (tuple: readonly unknown[]) => call(...tuple);
    return this.#functions.mapBatch(spread as AnyFunction, tuples, within);
  }

  async foldChunks(
    fn: FunctionText,
    fold: FunctionText,
    chunks: readonly Columns[],
    within?: number,
  ): Promise<BatchOutcome> {
    const [call, join] = (await Promise.all([this.#functions.find(fn), this.#functions.find(fold)])) as [
      Loose,
      Loose,
    ];
    const each = (columns: Columns) => foldChunk(call, join, columns);
    return this.#functions.mapBatch(each as AnyFunction, chunks, within);
  }

  async mapChunks(fn: FunctionText, chunks: readonly Columns[], within?: number): Promise<BatchOutcome> {
    const call = (await this.#functions.find(fn)) as Loose;
    return this.#functions.mapBatch(
      ((columns: Columns) => mapChunk(call, columns)) as AnyFunction,
      chunks,
      within,
    );
  }
}
