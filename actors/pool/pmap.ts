import { type AnyFunction, type Callable, nameOf, plain } from '../../lib/cluster/functions.ts';
import type { Member } from '../../lib/cluster/member.ts';
import { accessTo, type PoolAccess } from './access.ts';
import { boundOf } from './bound.ts';
import { CachingPool } from './caching-pool.ts';
import { elementsOf } from './elements.ts';
import { type MapJob, MapRun, type Results } from './map-run.ts';
import { checkParallelOptions, type ImapOptions, type ParallelOptions, type PmapOptions } from './options.ts';
import { ResultStream } from './result-stream.ts';
import { Retries } from './retry.ts';
import { WorkerPool } from './worker-pool.ts';

/** Elements of a map: Julia's zipped collections are an iterable of tuples here. */
export type Elements<E> = Iterable<E> | AsyncIterable<E>;

type Rest<F extends AnyFunction> = Parameters<F> extends [unknown, ...infer R] ? R : [];
type Result<F extends AnyFunction> = Awaited<ReturnType<F>>;

/** The workers of a map, or nothing if it has none and is done by this process. */
export const workersOf = async (
  member: Member,
  pool: ParallelOptions['pool'],
): Promise<{ access: PoolAccess | undefined; count: number }> => {
  // A pool of its own, so that maps within maps don't wait for each other's workers.
  const access = accessTo(pool ?? new WorkerPool(member, [], { follow: true }), member);
  const size = await access.size();
  return size === undefined ? { access: undefined, count: 1 } : { access, count: Math.max(1, size) };
};

/** What goes to a worker once with a CachingPool, and with each batch else. */
export const argsFor = (pool: ParallelOptions['pool'], args: readonly unknown[]): readonly unknown[] =>
  pool instanceof CachingPool ? args.map((arg) => pool.cached(arg)) : args;

const begin = (
  member: Member,
  perform: MapJob['perform'],
  input: Elements<unknown>,
  results: Results,
  access: PoolAccess | undefined,
  options: PmapOptions<never>,
): MapRun => {
  const { batchSize = 'auto', concurrency, onError, onProgress } = options;
  const run: MapRun = new MapRun({
    member,
    pool: access,
    elements: elementsOf(input, () => run.go()),
    results,
    perform,
    batchSize,
    concurrency,
    retries: new Retries(options.retry),
    onError: onError as ((error: unknown, element: unknown, index: number) => unknown) | undefined,
    onProgress,
  });
  return run;
};

/** How the processes of a pool call a function once for each element. */
const performing = (fn: Callable<AnyFunction>, options: PmapOptions<never>): MapJob['perform'] => {
  const name = plain(nameOf(fn));
  const args = argsFor(options.pool, options.args ?? []);
  return (peer, elements, within) => peer.performEach(name, elements, args, within);
};

/** `pmap` of what processes can do with elements besides calling a function with each; for this package alone. */
export const mapOver = async (
  member: Member,
  perform: MapJob['perform'],
  input: Elements<unknown>,
  options: PmapOptions<never>,
): Promise<unknown[]> => {
  options.signal?.throwIfAborted();
  const { access } = await workersOf(member, options.pool);
  const results: unknown[] = [];
  const keep: Results = {
    room: () => Infinity,
    begin: () => {},
    put: (index, value) => {
      results[index] = value;
    },
  };
  const run = begin(member, perform, input, keep, access, options);
  const unbound = boundOf(run, 'pmap', options.timeout, options.signal);
  run.go();
  try {
    await run.ended;
  } finally {
    unbound();
  }
  return results;
};

/**
 * Calls a function once for each element, on the workers of a pool, and gives the results in the order of the elements:
 * Julia's `pmap`. The first failure that `retry` and `onError` don't take stops it. Rejects with RemoteException,
 * ProcessExitedException, NoWorkerError, TimeoutError, OptionError, what `onError` and the iterable throw, and the
 * signal's reason.
 */
export const pmap = async <F extends AnyFunction, Replacement = never>(
  member: Member,
  fn: Callable<F>,
  input: Elements<Parameters<F>[0]>,
  options: PmapOptions<Parameters<F>[0], Replacement, Rest<F>> = {},
): Promise<(Result<F> | Replacement)[]> => {
  checkParallelOptions(options, 'pmap');
  const all = options as PmapOptions<never>;
  const perform = performing(fn as Callable<AnyFunction>, all);
  return (await mapOver(member, perform, input, all)) as (Result<F> | Replacement)[];
};

/** How far a map may be ahead of its consumer for each worker: enough for two batches of short elements. */
const AHEAD = 256;

/**
 * `pmap` as an async iterable: results come in the order of the elements, or as they are there. Nothing begins before the
 * first is asked for, no more elements are read than the consumer keeps up with, and leaving the loop stops the map.
 */
export async function* imap<F extends AnyFunction, Replacement = never>(
  member: Member,
  fn: Callable<F>,
  input: Elements<Parameters<F>[0]>,
  options: ImapOptions<Parameters<F>[0], Replacement, Rest<F>> = {},
): AsyncGenerator<Result<F> | Replacement, void, undefined> {
  checkParallelOptions(options, 'imap');
  const { ordered = true, ahead } = options;
  options.signal?.throwIfAborted();
  const { access, count } = await workersOf(member, options.pool);
  const results = new ResultStream(ahead ?? AHEAD * count, ordered, () => run.go());
  const run = begin(
    member,
    performing(fn as Callable<AnyFunction>, options as PmapOptions<never>),
    input,
    results,
    access,
    options as PmapOptions<never>,
  );
  const unbound = boundOf(run, 'imap', options.timeout, options.signal);
  run.ended.then(
    () => results.end(),
    (error: unknown) => results.fail(error),
  );
  run.go();
  try {
    yield* results.read() as AsyncGenerator<Result<F> | Replacement>;
  } finally {
    run.stop(new Error('Nobody reads the results of imap any more.'));
    unbound();
  }
}
