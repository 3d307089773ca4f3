import type { Broadcast } from '../../lib/cluster/broadcast/broadcast.ts';
import type { FunctionText } from '../../lib/cluster/function-text.ts';
import { type AnyFunction, type Callable, FunctionName, nameOf, plain } from '../../lib/cluster/functions.ts';
import type { Member } from '../../lib/cluster/member.ts';
import type { CallBounds, RemoveBounds } from '../../lib/cluster/protocol.ts';
import type { Future } from '../../lib/cluster/references/future.ts';
import { type FutureOptions, makeChannel, makeFuture } from '../../lib/cluster/references/make.ts';
import type { RemoteChannel } from '../../lib/cluster/references/remote-channel.ts';
import type { ChannelStore } from '../../lib/cluster/references/store-cell.ts';
import type { Functor } from '../../lib/module/functor-text.ts';
import { isFunctor } from '../../lib/module/functor-text.ts';
import type { CallOptions } from '../../lib/wire/call/options.ts';
import { OptionError } from '../../lib/wire/errors.ts';
import {
  CachingPool,
  DefaultWorkerPool,
  type DistributedOptions,
  distributed,
  type Elements,
  type ImapOptions,
  imap,
  type PmapOptions,
  pmap,
  type RangeOrElements,
  type Reducer,
  WorkerPool,
  type WorkerPoolOptions,
} from '../pool.ts';
import { type ArgsFor, ClusterCalls, type ResultOf } from './calls.ts';
import type { AddProcsOptions, AddProcsTarget } from './manager-of.ts';

/** What a function gets behind its element. */
type RestOf<F extends AnyFunction> = Parameters<F> extends [unknown, ...infer R] ? R : [];

/** How something is run everywhere. */
export interface EverywhereOptions<A extends readonly unknown[] = readonly unknown[]> extends CallBounds {
  /** What the function gets. @default nothing */
  args?: A;
  /** Only in these, and not in those that join later. @default in all, process 1 among them, and in those that join */
  procs?: readonly number[];
}

/** What is done by process 1, for whichever process asks. */
export interface ClusterRequests {
  addProcs(target: unknown, options: object): PromiseLike<number[]>;
  rmProcs(ids: readonly number[], options: RemoveBounds): Promise<void>;
  everywhere(
    fn: FunctionText,
    args: readonly unknown[],
    ids: readonly number[] | undefined,
    options: CallBounds,
  ): Promise<ReadonlyMap<number, unknown>>;
  interruptProcs(ids: readonly number[]): Promise<void>;
  procsBeside(id: number): Promise<number[]>;
  setStatus(id: number, status: unknown): Promise<void>;
  getStatus(id: number): Promise<unknown>;
}

/** How workers are removed. */
export interface RmProcsOptions {
  /** How long to wait, in milliseconds; 0 waits as long as it takes, as Julia's task does. @default as long as it takes */
  waitfor?: number;
  /** How long those are waited for who listen to `leaving`, in milliseconds. @default 10000, as in DistributedNext */
  callbackTimeout?: number;
}

/** What was misspelt would silently run without it. Throws OptionError. */
const checkEverywhere = (options: EverywhereOptions): EverywhereOptions => {
  const unknown = Object.keys(Object(options) as object).find(
    (option) => !['args', 'procs', 'timeout'].includes(option),
  );
  if (unknown !== undefined || typeof options !== 'object' || options === null) {
    const what = unknown === undefined ? `not ${String(options)}` : `and there is no "${unknown}"`;
    throw new OptionError(unknown ?? 'options', `everywhere takes { args, procs, timeout }, ${what}.`);
  }
  if (options.args !== undefined && !Array.isArray(options.args)) {
    throw new OptionError('args', 'What a function gets everywhere is an array of its arguments.');
  }
  return options;
};

let memberIn: (view: ClusterView) => Member;

/** What this process is in a cluster, for what is built on clusters; for this package alone. */
export const memberOfView = (view: ClusterView): Member => memberIn(view);

/** A cluster as any of its processes sees it: who is there, and all that can be called. */
export class ClusterView extends ClusterCalls {
  readonly #member: Member;
  readonly #requests: ClusterRequests;
  #defaultPool: DefaultWorkerPool | undefined;

  static {
    memberIn = (view) => view.#member;
  }

  constructor(member: Member, requests: ClusterRequests) {
    super(member, {});
    this.#member = member;
    this.#requests = requests;
  }

  /** The id of this process: 1 is the one that made the cluster, workers count from 2. */
  get myid(): number {
    return this.#member.id;
  }

  /** The ids of all processes in order, 1 among them. */
  get procs(): number[] {
    return this.#member.ids;
  }

  /** The ids of the workers in order; as in Julia, process 1 works while there are none: `[1]`. */
  get workers(): number[] {
    const workers = this.procs.filter((id) => id !== 1);
    return workers.length === 0 ? [1] : workers;
  }

  /** All processes but this one. */
  get otherProcs(): number[] {
    return this.procs.filter((id) => id !== this.myid);
  }

  /** All workers but this process; none while there are no workers. */
  get otherWorkers(): number[] {
    return this.otherProcs.filter((id) => id !== 1);
  }

  /** What this process is: `master` is the one that made the cluster. */
  get role(): 'master' | 'worker' {
    return this.myid === 1 ? 'master' : 'worker';
  }

  /** The processes on the same host as this one, itself among them: Julia's `procs(pid)`. Rejects with NoProcessError. */
  procsBeside(id: number): Promise<number[]> {
    return this.#requests.procsBeside(id);
  }

  get nprocs(): number {
    return this.procs.length;
  }

  /** How many work; as in Julia 1 while there are no workers. */
  get nworkers(): number {
    return this.workers.length;
  }

  /** The same calls with a bound: `cluster.within({ timeout: 1000 }).remotecallFetch(…)`. Throws OptionError. */
  within(options: CallOptions): ClusterCalls {
    return new ClusterCalls(this.#member, options);
  }

  /**
   * Runs a function in all processes, loads a module there, or applies a functor, and gives what each returned by its
   * id; who joins later runs it before anything else. Rejects with one AggregateError, whose errors have the ids.
   */
  everywhere<F extends AnyFunction>(
    what: Callable<F>,
    options?: EverywhereOptions<ArgsFor<F>>,
  ): Promise<ReadonlyMap<number, ResultOf<F>>>;
  everywhere(
    what: URL | string | Functor,
    options?: EverywhereOptions,
  ): Promise<ReadonlyMap<number, unknown>>;
  everywhere(
    what: Callable<AnyFunction> | URL | string | Functor,
    options: EverywhereOptions = {},
  ): Promise<ReadonlyMap<number, unknown>> {
    const { args = [], procs, timeout } = checkEverywhere(options);
    const name =
      isFunctor(what) || what instanceof FunctionName
        ? nameOf(what as Callable<AnyFunction>)
        : new FunctionName(String(what), '');
    return this.#requests.everywhere(plain(name), args, procs, { timeout });
  }

  /**
   * A Future that lies in that process, for whoever sets it. @default in this one. Throws NoProcessError,
   * ProcessExitedException, ClusterClosedError and OptionError.
   */
  future<T = unknown>(owner: number = this.myid, options?: FutureOptions): Future<T> {
    return makeFuture<T>(this.#member, owner, options);
  }

  /**
   * A channel that lies in that process and keeps up to `of` values (none: each `put` waits for a `take`), or has a store
   * that a function makes there. Throws NoProcessError, ProcessExitedException, ClusterClosedError and OptionError.
   */
  channel<T = unknown>(
    owner: number = this.myid,
    of: number | Callable<() => ChannelStore<T> | Promise<ChannelStore<T>>> = 1,
  ): RemoteChannel<T> {
    return makeChannel<T>(this.#member, owner, of);
  }

  /** All workers, those that join later too, and process 1 while there are none: Julia's `default_worker_pool()`. */
  get defaultWorkerPool(): DefaultWorkerPool {
    this.#defaultPool ??= new DefaultWorkerPool(this.#member);
    return this.#defaultPool;
  }

  /** A pool of these processes. @default of all workers that there are now. Throws OptionError, NoProcessError. */
  workerPool(ids?: readonly number[], options?: WorkerPoolOptions): WorkerPool {
    return new WorkerPool(this.#member, ids, options);
  }

  /** A pool that sends each object that is an argument to a worker once: Julia's `CachingPool`. See `workerPool`. */
  cachingPool(ids?: readonly number[], options?: WorkerPoolOptions): CachingPool {
    return new CachingPool(this.#member, ids, options);
  }

  /**
   * Sends a value to each worker once; the handle, given as an argument, has it as `value` there. Who joins later gets it
   * at its first use. Rejects with UnserializableError, and as calls do.
   */
  broadcast<T>(value: T, ids: readonly number[] = this.workers): Promise<Broadcast<T>> {
    return this.#member.broadcasts.make(value, ids);
  }

  /** Calls a function once for each element, on all workers or those of a pool: the results in order. See `pmap`. */
  pmap<F extends AnyFunction, Replacement = never>(
    fn: Callable<F>,
    elements: Elements<Parameters<F>[0]>,
    options?: PmapOptions<Parameters<F>[0], Replacement, RestOf<F>>,
  ): Promise<(Awaited<ReturnType<F>> | Replacement)[]> {
    return pmap(this.#member, fn, elements, options);
  }

  /** The same as an async iterable, which reads no more elements than its consumer keeps up with. */
  imap<F extends AnyFunction, Replacement = never>(
    fn: Callable<F>,
    elements: Elements<Parameters<F>[0]>,
    options?: ImapOptions<Parameters<F>[0], Replacement, RestOf<F>>,
  ): AsyncGenerator<Awaited<ReturnType<F>> | Replacement, void, undefined> {
    return imap(this.#member, fn, elements, options);
  }

  /** Calls a function for each number of a range, or each element, and reduces what it gives at each worker first. */
  distributed<F extends AnyFunction>(
    over: RangeOrElements<Parameters<F>[0]>,
    fn: Callable<F>,
    reducer: Callable<Reducer<Awaited<ReturnType<F>>>>,
    options?: DistributedOptions<Awaited<ReturnType<F>>, RestOf<F>>,
  ): Promise<Awaited<ReturnType<F>>>;
  distributed<F extends AnyFunction>(
    over: RangeOrElements<Parameters<F>[0]>,
    fn: Callable<F>,
    reducer?: undefined,
    options?: DistributedOptions<never, RestOf<F>>,
  ): Promise<void>;
  distributed(
    over: RangeOrElements<never>,
    fn: Callable<AnyFunction>,
    reducer?: Callable<AnyFunction>,
    options?: DistributedOptions<never, never>,
  ): Promise<unknown> {
    return distributed(this.#member, over, fn, reducer as undefined, options);
  }

  /**
   * Adds workers, as process 1 does it for whoever asks: so many on its host, or as a list of machines says; see
   * `Cluster`. Rejects with AddProcsError, which has all failures; those that came stay.
   */
  addProcs(target: AddProcsTarget = 'auto', options: AddProcsOptions = {}): PromiseLike<number[]> {
    return this.#requests.addProcs(target, options);
  }

  /**
   * Removes workers: their sites are ended, killed if they do not. Resolves when all are gone. Rejects with
   * NoProcessError, and with TimeoutError if some are not gone after `waitfor` ms.
   */
  rmProcs(ids: number | readonly number[], { waitfor, callbackTimeout }: RmProcsOptions = {}): Promise<void> {
    const timeout = waitfor === 0 ? undefined : waitfor;
    return this.#requests.rmProcs([ids].flat() as number[], { timeout, callbackTimeout });
  }

  /**
   * Gives up what runs in workers for others: those calls reject with RemoteException, whose cause is an
   * InterruptedError, and their `callSignal()` is aborted if they have a bound. The processes go on; code that never
   * waits runs on too.
   */
  interrupt(ids: number | readonly number[] = this.workers): Promise<void> {
    return this.#requests.interruptProcs([ids].flat() as number[]);
  }

  /**
   * Says what this process is doing, as data; the last word of one that dies is told with the event `leave`. Resolves
   * when process 1 knows. DistributedNext's `setstatus!`.
   */
  setStatus(status: unknown): Promise<void> {
    return this.#requests.setStatus(this.myid, status);
  }

  /** What a process has said last that it is doing. Rejects with NoProcessError, and ProcessExitedException. */
  getStatus(id: number = this.myid): Promise<unknown> {
    return this.#requests.getStatus(id);
  }
}
