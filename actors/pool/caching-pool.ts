import type { Broadcast } from '../../lib/cluster/broadcast/broadcast.ts';
import type { AnyFunction, Callable } from '../../lib/cluster/functions.ts';
import type { Member } from '../../lib/cluster/member.ts';
import { isByReference } from '../../lib/wire/reference/reference.ts';
import { WorkerPool, type WorkerPoolOptions } from './worker-pool.ts';

/**
 * A pool that sends each object which is an argument of its calls, or in `args` of its maps, to a worker once: Julia's
 * `CachingPool`. Objects are told apart by their identity, so one that was changed is not sent again before `clear()`.
 */
export class CachingPool extends WorkerPool {
  readonly #member: Member;
  readonly #lent = new Map<object, Broadcast>();

  constructor(member: Member, ids?: readonly number[], options?: WorkerPoolOptions) {
    super(member, ids, options);
    this.#member = member;
  }

  /** See WorkerPool. */
  override remotecallFetch<F extends AnyFunction>(
    fn: Callable<F>,
    ...args: Parameters<F>
  ): Promise<Awaited<ReturnType<F>>> {
    return super.remotecallFetch(fn, ...(args.map((arg) => this.cached(arg)) as Parameters<F>));
  }

  /** What crosses in place of an argument; primitives, and what stays where it is, are left alone. */
  cached(arg: unknown): unknown {
    if (typeof arg !== 'object' || arg === null || isByReference(arg)) return arg;
    let lent = this.#lent.get(arg);
    if (!lent) {
      lent = this.#member.broadcasts.lend<unknown>(arg);
      this.#lent.set(arg, lent);
    }
    return lent;
  }

  /** Drops all that was sent, here and at the workers; what is an argument again is sent again. Never rejects. */
  async clear(): Promise<void> {
    const lent = [...this.#lent.values()];
    this.#lent.clear();
    await Promise.all(lent.map((broadcast) => broadcast.free()));
  }
}
