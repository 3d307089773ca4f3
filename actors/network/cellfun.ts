import { UniformOutputError } from '../../lib/cluster/arrays/errors.ts';
import type { Columns, Folded } from '../../lib/cluster/arrays/protocol.ts';
import { ProcessExitedException, RemoteException } from '../../lib/cluster/errors.ts';
import { type AnyFunction, type Callable, nameOf, plain } from '../../lib/cluster/functions.ts';
import type { Member } from '../../lib/cluster/member.ts';
import type { BatchOutcome, MemberService } from '../../lib/cluster/protocol.ts';
import type { Remote } from '../../lib/module/remote.ts';
import { OptionError } from '../../lib/wire/errors.ts';
import { NoWorkerError } from '../pool/errors.ts';
import type { PmapOptions } from '../pool/options.ts';
import { mapOver } from '../pool/pmap.ts';
import { WorkerPool } from '../pool/worker-pool.ts';
import {
  type CheckedCellfunOptions,
  checkCellfun,
  type ElementFailure,
  type ErrorHandler,
  type Fold,
} from './cellfun-options.ts';
import { ElementError } from './errors.ts';

export type {
  ArraysFor,
  CellfunOptions,
  CommonCellfunOptions,
  ElementFailure,
  ErrorHandler,
  Fold,
  FoldOptions,
  VectorizedOptions,
} from './cellfun-options.ts';

/** Into how many chunks the share of each process is cut, so that the last to end does not end much later. */
const CHUNKS_PER_PROC = 4;

type Perform = (
  peer: Remote<MemberService>,
  elements: readonly unknown[],
  within: number | undefined,
) => PromiseLike<BatchOutcome>;

/** One call of `cellfun`, checked. */
interface Job {
  readonly member: Member;
  readonly fn: Callable<AnyFunction>;
  readonly columns: Columns;
  readonly length: number;
  readonly processes: number;
  readonly options: CheckedCellfunOptions;
  /** Has processes do something with elements, or chunks of `size` elements. */
  map(
    perform: Perform,
    elements: Iterable<unknown>,
    size: number,
    onError: (error: unknown, element: unknown, index: number) => unknown,
    batchSize: number | 'auto',
  ): Promise<unknown[]>;
}

/** Elements that follow one another, and the place of the first. */
interface Chunk {
  readonly start: number;
  readonly columns: Columns;
}

/** What the function itself threw, without what brought it here. */
const thrownBy = (error: unknown): unknown => (error instanceof RemoteException ? error.cause : error);

const describe = (error: unknown, index: number): ElementFailure => {
  const thrown = thrownBy(error);
  const { message, name, code } = Object(thrown) as { message?: unknown; name?: unknown; code?: unknown };
  const text = code === undefined ? undefined : String(code);
  return {
    message: typeof message === 'string' ? message : String(thrown),
    identifier: text ?? (typeof name === 'string' ? name : typeof thrown),
    code: text,
    index,
    error: thrown,
  };
};

const rowOf = (columns: Columns, index: number): unknown[] => columns.map((column) => column[index]);

/** What takes the place of an element that has failed; without a handler it ends all. */
const replace = (
  handler: ErrorHandler<unknown> | undefined,
  error: unknown,
  index: number,
  args: unknown[],
) => {
  if (!handler) throw new ElementError(index, error);
  return handler(describe(error, index), ...args);
};

/** A part of an array, or of what is like one. */
const sliceOf = (column: ArrayLike<unknown>, start: number, end: number): ArrayLike<unknown> =>
  ArrayBuffer.isView(column)
    ? (column as unknown as Uint8Array).slice(start, end)
    : Array.prototype.slice.call(column, start, end);

function* rows({ columns, length }: Job): Generator<unknown[]> {
  for (let index = 0; index < length; index++) yield rowOf(columns, index);
}

const chunksOf = ({ columns, length, processes, options }: Job): { size: number; chunks: Chunk[] } => {
  const { chunkSize, chunksPerProc = CHUNKS_PER_PROC } = options;
  const size =
    chunkSize === 'auto' ? Math.max(1, Math.ceil(length / (processes * chunksPerProc))) : chunkSize;
  const chunks: Chunk[] = [];
  for (let start = 0; start < length; start += size) {
    const end = Math.min(length, start + size);
    chunks.push({ start, columns: columns.map((column) => sliceOf(column, start, end)) });
  }
  return { size, chunks };
};

/** The result of each element, in order. */
const mapElements = (job: Job): Promise<unknown[]> => {
  const { fn, length, processes, options } = job;
  const { chunkSize, chunksPerProc, errorHandler } = options;
  const name = plain(nameOf(fn));
  const batchSize =
    chunksPerProc !== undefined && chunkSize === 'auto'
      ? Math.max(1, Math.ceil(length / (processes * chunksPerProc)))
      : chunkSize;
  return job.map(
    (peer, tuples, within) =>
      peer.arrays.mapTuples(name, tuples as unknown[][], within) as PromiseLike<BatchOutcome>,
    rows(job),
    1,
    (error, args, index) => replace(errorHandler, error, index, args as unknown[]),
    batchSize,
  );
};

/** The results that the function gives for whole chunks, in order. */
const mapChunks = async (job: Job): Promise<unknown[]> => {
  const name = plain(nameOf(job.fn));
  const { size, chunks } = chunksOf(job);
  const parts = await job.map(
    (peer, some, within) =>
      peer.arrays.mapChunks(
        name,
        (some as Chunk[]).map(({ columns }) => columns),
        within,
      ) as PromiseLike<BatchOutcome>,
    chunks,
    size,
    (error, chunk) => replace(undefined, error, (chunk as Chunk).start, []),
    1,
  );
  return parts.flatMap((part) => Array.from(part as ArrayLike<unknown>));
};

/** Folds in this process, one after the other; there must be one. */
const foldHere = async (join: Fold<unknown>, values: readonly unknown[]): Promise<unknown> => {
  let [folded, ...others] = values;
  for (const value of others) folded = await join(folded, value);
  return folded;
};

/** One value of all results, folded where they are made, and at the end here. */
const foldChunks = async (job: Job, fold: Callable<AnyFunction>): Promise<unknown> => {
  const { member, fn, options } = job;
  const { errorHandler } = options;
  const [name, joinName] = [plain(nameOf(fn)), plain(nameOf(fold))];
  const { size, chunks } = chunksOf(job);
  const failed = async (error: unknown, chunk: Chunk, at: number) =>
    replace(errorHandler, error, chunk.start + at, rowOf(chunk.columns, at));
  const replaced: unknown[] = [];
  const parts = await job.map(
    async (peer, some, within) => {
      const outcome = (await peer.arrays.foldChunks(
        name,
        joinName,
        (some as Chunk[]).map(({ columns }) => columns),
        within,
      )) as BatchOutcome;
      if (errorHandler) return outcome;
      // Without a handler the first failure ends all, now.
      const errors = [...outcome.errors];
      for (const [place, folded] of outcome.values.entries()) {
        const first = (folded as Folded | null)?.errors[0];
        if (first) errors.push([place, new FoldedFailure(...first)]);
      }
      return { ...outcome, errors };
    },
    chunks,
    size,
    async (error, each) => {
      const chunk = each as Chunk;
      const { cause } = Object(error) as { cause?: unknown };
      if (cause instanceof FoldedFailure)
        return failed(new RemoteException((error as RemoteException).id, cause.error), chunk, cause.at);
      // All of them are lost with their process; what the fold itself threw is nobody's.
      if (!(error instanceof ProcessExitedException)) throw error;
      const errors = Array.from(chunk.columns[0]!, (_, at) => [at, error] as const);
      if (!errorHandler) return failed(error, chunk, 0);
      return { errors } satisfies Folded;
    },
    1,
  );
  const values: unknown[] = [];
  for (const [place, part] of parts.entries()) {
    const { folded, errors } = part as Folded;
    if (folded) values.push(folded.value);
    for (const [at, error] of errors) replaced.push(await failed(error, chunks[place]!, at));
  }
  const join = async (left: unknown, right: unknown) => {
    const outcome = await member.service.perform(joinName, [left, right]);
    if ('error' in outcome) throw new RemoteException(member.id, outcome.error);
    return outcome.value;
  };
  return foldHere(join, [...values, ...replaced]);
};

/** An element of a chunk that has failed, on its way from where the chunk's outcome arrives to who ends the map. */
class FoldedFailure {
  readonly at: number;
  readonly error: unknown;

  constructor(at: number, error: unknown) {
    this.at = at;
    this.error = error;
  }
}

const SCALARS = ['number', 'string', 'boolean', 'bigint'];

const ANY_KIND = 'set uniformOutput to false';

/** Throws UniformOutputError unless all are scalars of one type. */
const checkUniform = (results: readonly unknown[]): void => {
  const wanted = typeof results[0];
  for (const [index, result] of results.entries()) {
    const type = result === null ? 'null' : typeof result;
    if (!SCALARS.includes(type)) throw new UniformOutputError(index, type, undefined, ANY_KIND);
    if (type !== wanted) throw new UniformOutputError(index, type, wanted, ANY_KIND);
  }
};

const checkColumns = (arrays: readonly ArrayLike<unknown>[]): number => {
  const [first] = arrays;
  const isArray = (value: unknown) =>
    typeof value === 'object' && typeof (value as { length?: unknown } | null)?.length === 'number';
  if (!Array.isArray(arrays) || !first || !arrays.every(isArray))
    throw new OptionError('arrays', 'The arrays come in an array: one for each parameter of the function.');
  const other = arrays.findIndex(({ length }) => length !== first.length);
  if (other > 0)
    throw new OptionError(
      'arrays',
      `All arrays must be of one length; the first has ${first.length} elements, and number ${other + 1} has ${arrays[other]!.length}.`,
    );
  return first.length;
};

/** Calls a function for each element of arrays in these processes; see `cellfun` of the network. */
export const cellfun = async (
  member: Member,
  ids: readonly number[],
  fn: Callable<AnyFunction>,
  arrays: readonly ArrayLike<unknown>[],
  given: object,
): Promise<unknown> => {
  const options = checkCellfun(given);
  const length = checkColumns(arrays);
  nameOf(fn);
  const { fold, vectorized, uniformOutput, retry, onProgress, timeout, signal } = options;
  if (fold !== undefined && vectorized)
    throw new OptionError(
      'fold',
      'A vectorized function can fold its part itself; take one of the two options.',
    );
  if (vectorized && options.errorHandler)
    throw new OptionError('errorHandler', 'A vectorized function handles errors of single elements itself.');
  if (ids.length === 0) throw new NoWorkerError();
  if (length === 0) {
    if (fold === undefined) return [];
    throw new OptionError('fold', 'The arrays are empty, and there is nothing to fold.');
  }
  const pool = new WorkerPool(member, ids);
  const job: Job = {
    member,
    fn,
    columns: arrays,
    length,
    processes: ids.length,
    options,
    map: (perform, elements, size, onError, batchSize) =>
      mapOver(member, perform, elements, {
        pool,
        batchSize,
        onError,
        ...(retry && { retry }),
        ...(timeout !== undefined && { timeout }),
        ...(signal && { signal }),
        ...(onProgress && {
          // Of elements, where chunks are counted.
          onProgress: (progress) =>
            onProgress({
              ...progress,
              done: Math.min(length, progress.done * size),
              failed: progress.failed * size,
              rate: progress.rate * size,
              total: length,
            }),
        }),
      } as PmapOptions<never>),
  };
  if (typeof fold === 'function') return foldHere(fold, await mapElements(job));
  if (fold !== undefined) return foldChunks(job, fold);
  const results = await (vectorized ? mapChunks(job) : mapElements(job));
  if (uniformOutput) checkUniform(results);
  return results;
};
