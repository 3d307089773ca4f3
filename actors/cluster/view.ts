import { type AnyFunction, type Callable, FunctionName, nameOf, plain } from '../../lib/cluster/functions.ts';
import type { Member } from '../../lib/cluster/member.ts';
import type { CallBounds, FunctionText, RemoveBounds } from '../../lib/cluster/protocol.ts';
import type { Functor } from '../../lib/module/functor-text.ts';
import { isFunctor } from '../../lib/module/functor-text.ts';
import type { Given, Received } from '../../lib/module/remote.ts';
import { type CallOptions, checkCallOptions } from '../../lib/wire/call/options.ts';
import type { AddProcsOptions, AddProcsTarget } from './manager-of.ts';

/** What may be given to a function in another process of the cluster. */
export type ArgsFor<F extends AnyFunction> = GivenAll<Parameters<F>>;

type GivenAll<A extends readonly unknown[]> = { [K in keyof A]: Given<A[K]> };

/** What arrives of what a function returns in another process of the cluster. */
export type ResultOf<F extends AnyFunction> = Received<Awaited<ReturnType<F>>>;

/** What has processes to lend: a worker pool. */
export interface Lender {
  /** Lends a free process, as soon as there is one. */
  take(options?: CallOptions): Promise<number>;
  /** Takes it back. */
  put(id: number): unknown;
}

/** Where something is called: in the process of that id, or in one that a pool lends. */
export type Where = number | Lender;

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

/** The calls of a cluster, under Julia's names; each may be bounded. */
export class ClusterCalls {
  readonly #member: Member;
  readonly #options: CallOptions;

  constructor(member: Member, options: CallOptions) {
    this.#member = member;
    this.#options = checkCallOptions(options);
  }

  /**
   * Calls a function in a process and gives what it returns. Rejects with RemoteException, whose cause is what the
   * function threw; ProcessExitedException; NoProcessError; TopologyError; UnserializableError; TimeoutError, or the
   * signal's reason.
   */
  async remotecallFetch<F extends AnyFunction>(
    fn: Callable<F>,
    where: Where,
    ...args: ArgsFor<F>
  ): Promise<ResultOf<F>> {
    const name = nameOf(fn);
    return lent(where, this.#options, (id) => this.#member.call(name, id, args, this.#options)) as Promise<
      ResultOf<F>
    >;
  }

  /**
   * Calls a function in a process and does not look back: what it throws is printed over there. Throws what can be known
   * at once; a process that is gone before it begins says nothing.
   */
  remoteDo<F extends AnyFunction>(fn: Callable<F>, where: Where, ...args: ArgsFor<F>): void {
    const name = nameOf(fn);
    if (typeof where === 'number') this.#member.check(where);
    lent(where, this.#options, (id) =>
      this.#member.ask(id, {}, (peer) => Promise.resolve(peer.run(plain(name), args))),
    ).catch((cause: unknown) => {
      process.emitWarning(`remoteDo could not call ${name}: ${String(cause)}`);
    });
  }
}

/** Does something with a process: that one, or one that a pool lends for as long as it takes. */
export const lent = async <T>(
  where: Where,
  options: CallOptions,
  use: (id: number) => Promise<T>,
): Promise<T> => {
  if (typeof where === 'number') return use(where);
  const id = await where.take(options);
  try {
    return await use(id);
  } finally {
    await where.put(id);
  }
};

/** A cluster as any of its processes sees it: who is there, and all that can be called. */
export class ClusterView extends ClusterCalls {
  readonly #member: Member;
  readonly #requests: ClusterRequests;

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
    { args = [], procs, timeout }: EverywhereOptions = {},
  ): Promise<ReadonlyMap<number, unknown>> {
    const name =
      isFunctor(what) || what instanceof FunctionName
        ? nameOf(what as Callable<AnyFunction>)
        : new FunctionName(String(what), '');
    return this.#requests.everywhere(plain(name), args, procs, { timeout });
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
