import { type AnyFunction, type Callable, nameOf, plain } from '../../lib/cluster/functions.ts';
import type { Member } from '../../lib/cluster/member.ts';
import type { Future } from '../../lib/cluster/references/future.ts';
import { startCall } from '../../lib/cluster/references/make.ts';
import type { Given, Received } from '../../lib/module/remote.ts';
import { type CallOptions, checkCallOptions } from '../../lib/wire/call/options.ts';
import { OptionError } from '../../lib/wire/errors.ts';

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
   * Calls a function in a process and gives a Future of what it returns at once; the value stays over there. From a pool
   * the process is lent until the value is made, and the Future comes when there is one. Throws NoProcessError,
   * ProcessExitedException, ClusterClosedError and OptionError; all else is told by the Future.
   */
  remotecall<F extends AnyFunction>(
    fn: Callable<F>,
    where: number,
    ...args: ArgsFor<F>
  ): Future<Awaited<ReturnType<F>>>;
  remotecall<F extends AnyFunction>(
    fn: Callable<F>,
    where: Lender,
    ...args: ArgsFor<F>
  ): Promise<Future<Awaited<ReturnType<F>>>>;
  remotecall<F extends AnyFunction>(
    fn: Callable<F>,
    where: Where,
    ...args: ArgsFor<F>
  ): Future<Awaited<ReturnType<F>>> | Promise<Future<Awaited<ReturnType<F>>>> {
    if (typeof where === 'number') return startCall(this.#member, fn, where, args);
    checkWhere(where);
    return (async () => {
      const id = await where.take(this.#options);
      try {
        const future = startCall(this.#member, fn, id, args);
        const giveBack = () => void where.put(id);
        future.wait().then(giveBack, giveBack);
        return future;
      } catch (error) {
        await where.put(id);
        throw error;
      }
    })();
  }

  /** The same, when the function is done: the value stays over there. Rejects as `remotecallFetch` does. */
  async remotecallWait<F extends AnyFunction>(
    fn: Callable<F>,
    where: Where,
    ...args: ArgsFor<F>
  ): Promise<Future<Awaited<ReturnType<F>>>> {
    return lent(where, this.#options, async (id) => {
      const future = startCall(this.#member, fn, id, args);
      await future.wait(this.#options);
      return future;
    });
  }

  /** `remotecall` in that process, or in the worker whose turn it is: Julia's `@spawnat`. */
  spawnAt<F extends AnyFunction>(
    where: number | 'any',
    fn: Callable<F>,
    ...args: ArgsFor<F>
  ): Future<Awaited<ReturnType<F>>> {
    return startCall(this.#member, fn, where === 'any' ? this.#member.nextWorker() : where, args);
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

/** The same; throws OptionError if it is neither the number of a process nor a pool. */
const checkWhere = (where: Where): Where => {
  if (typeof where === 'number') return where;
  // A pool of another process is a proxy, and that is a function.
  if (typeof (where as Partial<Lender> | null | undefined)?.take === 'function') return where;
  throw new OptionError(
    'where',
    `A function is called in a process, by its number, or in one of a pool, and not in ${String(where)}.`,
  );
};

/** Does something with a process: that one, or one that a pool lends for as long as it takes. */
export const lent = async <T>(
  where: Where,
  options: CallOptions,
  use: (id: number) => Promise<T>,
): Promise<T> => {
  if (typeof checkWhere(where) === 'number') return use(where as number);
  const lender = where as Lender;
  const id = await lender.take(options);
  try {
    return await use(id);
  } finally {
    await lender.put(id);
  }
};
