import { RemoteException } from '../../lib/cluster/errors.ts';
import { type AnyFunction, type Callable, nameOf, plain } from '../../lib/cluster/functions.ts';
import type { Member } from '../../lib/cluster/member.ts';
import type {
  BatchOutcome,
  Chunk,
  FunctionText,
  MemberService,
  Outcome,
} from '../../lib/cluster/protocol.ts';
import type { Remote } from '../../lib/module/remote.ts';
import { OptionError } from '../../lib/wire/errors.ts';
import type { PoolAccess } from './access.ts';
import { boundOf } from './bound.ts';
import { elementsOf } from './elements.ts';
import { MapRun } from './map-run.ts';
import { checkParallelOptions, type ParallelOptions } from './options.ts';
import { argsFor, workersOf } from './pmap.ts';
import { Retries } from './retry.ts';
import { guidedRanges, type Range, splitRange } from './split-range.ts';

/** How `distributed` goes about its work. */
export interface DistributedOptions<R = unknown, Rest extends readonly unknown[] = readonly unknown[]>
  extends ParallelOptions<Rest> {
  /**
   * `static` gives each worker one part, all of them nearly equal, as Julia does; `dynamic` gives smaller ones to whoever
   * is free. @default 'static'
   */
  readonly schedule?: 'static' | 'dynamic';
  /** What stands before the first value; also what an empty range gives. @default nothing: an empty range is an error */
  readonly initial?: R;
}

/** What a loop goes over: whole numbers from `start` up to, but without, `end`, or elements. */
export type RangeOrElements<E> =
  | readonly [start: number, end: number]
  | Range
  | { readonly elements: ArrayLike<E> };

type Rest<F extends AnyFunction> = Parameters<F> extends [unknown, ...infer R] ? R : [];
/** Joins what two neighbours gave. */
export type Reducer<R> = (left: R, right: R) => R | PromiseLike<R>;

/** Gives the parts of what is gone over. Throws OptionError. */
const partsOf = (over: RangeOrElements<unknown>): { length: number; part: (range: Range) => Chunk } => {
  if ('elements' in over) {
    const { elements } = over;
    return {
      length: elements.length,
      part: ({ start, end }) => ({ elements: Array.prototype.slice.call(elements, start, end) }),
    };
  }
  const [first, last] = 'start' in over ? [over.start, over.end] : over;
  if (!Number.isSafeInteger(first) || !Number.isSafeInteger(last)) {
    throw new OptionError('range', `A range is [start, end) of whole numbers, not [${first}, ${last}).`);
  }
  return {
    length: Math.max(0, last - first),
    part: ({ start, end }) => ({ start: first + start, end: first + end }),
  };
};

/** The workers do the parts, each as one element of a map; gives what they gave, in order. */
const inParts = async (
  member: Member,
  access: PoolAccess | undefined,
  parts: readonly Chunk[],
  perform: (peer: Remote<MemberService>, chunk: Chunk) => PromiseLike<Outcome>,
  { retry, onProgress, timeout, signal }: ParallelOptions,
): Promise<unknown[]> => {
  const results: unknown[] = [];
  const run: MapRun = new MapRun({
    member,
    pool: access,
    elements: elementsOf(parts, () => run.go()),
    results: {
      room: () => Infinity,
      begin: () => {},
      put: (index, value) => {
        results[index] = value;
      },
    },
    perform: async (peer, [chunk]): Promise<BatchOutcome> => {
      const outcome = await perform(peer, chunk as Chunk);
      const failed = 'error' in outcome;
      return failed
        ? { values: [null], errors: [[0, outcome.error]], took: 0 }
        : { values: [outcome.value], errors: [], took: 0 };
    },
    batchSize: 1,
    // One part each, so that a static schedule is one.
    concurrency: 1,
    retries: new Retries(retry),
    onError: undefined,
    onProgress,
  });
  const unbound = boundOf(run, 'distributed', timeout, signal);
  run.go();
  try {
    await run.ended;
  } finally {
    unbound();
  }
  return results;
};

/**
 * Calls a function once for each number of a range, or each element, and reduces what it gives: Julia's `@distributed`.
 * Each worker reduces its part from the left to the right, and this process what they give, in their order, so that the
 * reducer need not be commutative. Progress counts parts. Rejects as `pmap` does, and with TypeError for an empty range
 * without `initial`.
 */
export async function distributed<F extends AnyFunction>(
  member: Member,
  over: RangeOrElements<Parameters<F>[0]>,
  fn: Callable<F>,
  reducer: Callable<Reducer<Awaited<ReturnType<F>>>>,
  options?: DistributedOptions<Awaited<ReturnType<F>>, Rest<F>>,
): Promise<Awaited<ReturnType<F>>>;
/** Without a reducer it only calls; resolves when all is done. */
export async function distributed<F extends AnyFunction>(
  member: Member,
  over: RangeOrElements<Parameters<F>[0]>,
  fn: Callable<F>,
  reducer?: undefined,
  options?: DistributedOptions<never, Rest<F>>,
): Promise<void>;
export async function distributed(
  member: Member,
  over: RangeOrElements<unknown>,
  fn: Callable<AnyFunction>,
  reducer?: Callable<AnyFunction>,
  options: DistributedOptions = {},
): Promise<unknown> {
  checkParallelOptions(options, 'distributed');
  const { schedule = 'static', pool, signal } = options;
  const args = argsFor(pool, options.args ?? []);
  signal?.throwIfAborted();
  const map = plain(nameOf(fn));
  const reduce: FunctionText | undefined = reducer && plain(nameOf(reducer));
  const { length, part } = partsOf(over);
  const { access, count } = await workersOf(member, pool);
  const ranges = schedule === 'static' ? splitRange(length, count) : guidedRanges(length, count);
  const values = await inParts(
    member,
    access,
    ranges.map(part),
    (peer, chunk) => peer.performReduce(map, reduce, chunk, args),
    options,
  );
  if (!reduce) return undefined;
  if ('initial' in options) values.unshift(options.initial);
  if (values.length === 0) throw new TypeError('An empty range was reduced without an initial value.');
  // What the parts gave is joined where it has arrived.
  const joined = await member.service.performReduce(undefined, reduce, { elements: values }, []);
  if ('error' in joined) throw new RemoteException(member.id, joined.error);
  return joined.value;
}
