import { ProcessExitedException } from '../../lib/cluster/errors.ts';
import { type AnyFunction, type Callable, nameOf } from '../../lib/cluster/functions.ts';
import type { Member } from '../../lib/cluster/member.ts';
import { within } from '../../lib/cluster/within.ts';
import { type CallOptions, checkCallOptions } from '../../lib/wire/call/options.ts';
import { callSignal } from '../../lib/wire/call/scope.ts';
import { OptionError } from '../../lib/wire/errors.ts';
import { RemoteTarget } from '../../lib/wire/reference/reference.ts';
import { NoWorkerError, PoolFullError } from './errors.ts';

/** What a pool is made with; everything has a default. */
export interface WorkerPoolOptions {
  /** How many may wait for a worker; one more is refused with PoolFullError. @default 100000 */
  readonly maxQueued?: number;
  /** Whether workers that join the cluster later join the pool. @default false */
  readonly follow?: boolean;
}

/** How many wait at most, so that a caller that never stops is told before memory is full of its wishes. */
const MAX_QUEUED = 100_000;
/**
 * How long a worker that was reported lost, but is still in the cluster, is left alone, in milliseconds: word of its end
 * is usually on its way.
 */
const LOST_FOR = 1_000;

/** Who takes workers of a pool for a while, perhaps in another process: its process, and what tells it from others there. */
export interface Lessee {
  readonly holder: number;
  readonly ticket: number;
}

/** Somebody who waits for a worker. */
interface Waiter {
  readonly holder: number;
  readonly ticket: number | undefined;
  readonly resolve: (id: number) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Workers of which each is given to one at a time, first come, first served: Julia's `WorkerPool`. Other processes get a
 * reference to it, so all share the one pool.
 */
export class WorkerPool extends RemoteTarget {
  readonly maxQueued: number;
  readonly #member: Member;
  readonly #follows: boolean;
  readonly #workers = new Set<number>();
  /** In the order in which they are given out. */
  readonly #free = new Set<number>();
  /** Who has those that are not free. */
  readonly #holders = new Map<number, number>();
  /** Those that a pool which follows is not to have again. */
  readonly #removed = new Set<number>();
  readonly #waiters = new Set<Waiter>();
  #unlisten: (() => void) | undefined;

  /** A pool of these processes, or of all workers that there are now. Throws OptionError, NoProcessError. */
  constructor(
    member: Member,
    ids: readonly number[] = member.ids.filter((id) => id !== 1),
    { maxQueued = MAX_QUEUED, follow = false }: WorkerPoolOptions = {},
  ) {
    super();
    if (!(maxQueued >= 0)) {
      throw new OptionError('maxQueued', `maxQueued is a number from 0 on, not ${String(maxQueued)}.`);
    }
    this.maxQueued = maxQueued;
    this.#member = member;
    this.#follows = follow;
    for (const id of ids) this.push(id);
  }

  /** The processes in the pool, free or not. */
  get workers(): number[] {
    this.#refresh();
    return [...this.#workers];
  }

  /** How many processes are in the pool, free or not. */
  get length(): number {
    this.#refresh();
    return this.#workers.size;
  }

  /** Whether it has workers, or gets some when they are wanted. */
  get canServe(): boolean {
    return this.length > 0 || this.expectsWorkers;
  }

  /** How many wait for a worker. */
  get queued(): number {
    return this.#waiters.size;
  }

  /** Whether a worker is free. */
  isReady(): boolean {
    this.#refresh();
    return this.#free.size > 0;
  }

  has(id: number): boolean {
    this.#refresh();
    return this.#workers.has(id);
  }

  /** Adds a process. Throws NoProcessError, ProcessExitedException. */
  push(id: number): void {
    this.#member.check(id);
    this.#removed.delete(id);
    if (this.#workers.has(id)) return;
    this.#workers.add(id);
    this.#release(id);
  }

  /** Takes a process out of the pool; whoever has it now may finish. */
  remove(id: number): void {
    this.#removed.add(id);
    this.#forget(id);
    this.#rejectIfEmpty();
  }

  /**
   * Waits for a free worker, which is then the caller's until `put`. Rejects with NoWorkerError, PoolFullError,
   * TimeoutError, or the signal's reason; then no worker was taken.
   */
  take(options: CallOptions = {}): Promise<number> {
    return this.#take(this.#member.id, undefined, options);
  }

  /** Gives a worker back. One that is not in the pool any more, or is free already, is passed over. */
  put(id: number): void {
    if (!this.#holders.delete(id)) return;
    this.#refresh();
    if (this.#workers.has(id)) this.#release(id);
  }

  /** Resolves when a worker is free. Rejects with NoWorkerError, TimeoutError, or the signal's reason. */
  async wait(options: CallOptions = {}): Promise<void> {
    this.put(await this.take(options));
  }

  /**
   * Calls a function on a free worker and gives what it returns; the worker is free again when it has. Rejects as `take`
   * and as calls of the cluster do.
   */
  async remotecallFetch<F extends AnyFunction>(
    fn: Callable<F>,
    ...args: Parameters<F>
  ): Promise<Awaited<ReturnType<F>>> {
    const name = nameOf(fn);
    return (await this.use((id) => this.#member.call(name, id, args))) as Awaited<ReturnType<F>>;
  }

  /** The same as `remotecallFetch`. */
  call<F extends AnyFunction>(fn: Callable<F>, ...args: Parameters<F>): Promise<Awaited<ReturnType<F>>> {
    return this.remotecallFetch(fn, ...args);
  }

  /** Lets `work` have a free worker until what it returns has settled. */
  async use<T>(work: (id: number) => PromiseLike<T>, options: CallOptions = {}): Promise<T> {
    const id = await this.take(options);
    try {
      const value = await work(id);
      this.put(id);
      return value;
    } catch (error) {
      if (error instanceof ProcessExitedException && error.id === id) this.lost(id);
      else this.put(id);
      throw error;
    }
  }

  /** Whether this lessee may go on with its worker: it is still in the pool, and nobody else waits. */
  mayKeep(id: number, lessee: Lessee): boolean {
    if (!this.#workers.has(id)) return false;
    for (const { holder, ticket } of this.#waiters) {
      if (holder !== lessee.holder || ticket !== lessee.ticket) return false;
    }
    return true;
  }

  /** Gives back a worker that seems to be dead: it is free again only if it is still there after a moment. */
  lost(id: number): void {
    this.#refresh();
    if (!this.#holders.has(id)) return;
    setTimeout(() => this.put(id), LOST_FOR).unref();
  }

  /** `take` for what gives up by `withdraw` and never wants process 1 in place of a worker; for this package alone. */
  lease({ holder, ticket }: Lessee): Promise<number> {
    return this.#take(holder, ticket, {});
  }

  /** A lessee does not wait any more; if it was given a worker meanwhile, that is on its way to it. */
  withdraw(lessee: Lessee): void {
    for (const waiter of this.#waiters) {
      if (waiter.holder !== lessee.holder || waiter.ticket !== lessee.ticket) continue;
      this.#waiters.delete(waiter);
      waiter.reject(new NoWorkerError());
    }
    this.#listen();
    this.onDemand();
  }

  /** A pool that may get workers later keeps those who wait although it has none. */
  protected get expectsWorkers(): boolean {
    return false;
  }

  /** Somebody waits, or a worker was taken or given back; told after the fact. */
  protected onDemand(): void {}

  /** Those that nobody has. */
  protected get free(): readonly number[] {
    return [...this.#free];
  }

  /** Tells all who wait that they wait for nothing. */
  protected rejectWaiters(): void {
    for (const { reject } of this.#waiters) reject(new NoWorkerError());
    this.#waiters.clear();
    this.#listen();
  }

  async #take(holder: number, ticket: number | undefined, options: CallOptions): Promise<number> {
    const { timeout, signal = callSignal() } = checkCallOptions(options);
    signal?.throwIfAborted();
    this.#refresh();
    this.#reclaim();
    if (this.#workers.size === 0 && !this.expectsWorkers) throw new NoWorkerError();
    const [free] = this.#free;
    if (free !== undefined) {
      this.#free.delete(free);
      this.#holders.set(free, holder);
      this.onDemand();
      return free;
    }
    if (this.#waiters.size >= this.maxQueued) throw new PoolFullError(this.maxQueued);
    let waiter!: Waiter;
    const taken = new Promise<number>((resolve, reject) => {
      waiter = { holder, ticket, resolve, reject };
      this.#waiters.add(waiter);
    });
    this.#listen();
    this.onDemand();
    try {
      return await within(taken, 'Waiting for a free worker of the pool', {
        ...(timeout !== undefined && { timeout }),
        ...(signal && { signal }),
      });
    } catch (error) {
      // The two may meet: then the worker that came too late is nobody's.
      if (!this.#waiters.delete(waiter)) void taken.then((id) => this.put(id)).catch(() => {});
      this.#listen();
      this.onDemand();
      throw error;
    }
  }

  /** A worker is free: the first who waits has it. */
  #release(id: number): void {
    const [first] = this.#waiters;
    if (first) {
      this.#waiters.delete(first);
      this.#holders.set(id, first.holder);
      first.resolve(id);
      this.#listen();
    } else {
      this.#free.add(id);
    }
    this.onDemand();
  }

  #forget(id: number): void {
    this.#workers.delete(id);
    this.#free.delete(id);
    this.#holders.delete(id);
  }

  /** Brings the pool up to date with the cluster. */
  #refresh(): void {
    for (const id of this.#workers) if (!this.#member.has(id)) this.#forget(id);
    if (!this.#follows) return;
    for (const id of this.#member.ids) {
      if (id !== 1 && !this.#workers.has(id) && !this.#removed.has(id)) this.push(id);
    }
  }

  /** What a process had that is gone is nobody's. */
  #reclaim(): void {
    for (const [id, holder] of this.#holders) if (!this.#member.has(holder)) this.put(id);
  }

  #rejectIfEmpty(): void {
    if (this.#workers.size === 0 && !this.expectsWorkers) this.rejectWaiters();
  }

  /** Only who waits has to be told at once who comes and goes; so a pool that nobody uses is held by nobody. */
  #listen(): void {
    if (this.#waiters.size === 0) {
      this.#unlisten?.();
      this.#unlisten = undefined;
      return;
    }
    if (this.#unlisten) return;
    const changed = () => {
      this.#refresh();
      this.#reclaim();
      this.#rejectIfEmpty();
    };
    const offs = [this.#member.onLeave(changed), this.#member.onJoin(changed)];
    this.#unlisten = () => {
      for (const off of offs) off();
    };
  }
}
