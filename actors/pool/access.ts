import type { Member } from '../../lib/cluster/member.ts';
import type { Remote } from '../../lib/module/remote.ts';
import { OptionError } from '../../lib/wire/errors.ts';
import { referenceOf } from '../../lib/wire/reference/reference.ts';
import { type Lessee, WorkerPool } from './worker-pool.ts';

/** A pool, or what stands here for one of another process. */
export type AnyWorkerPool = WorkerPool | Remote<WorkerPool>;

/** What a map needs of a pool, wherever that is. */
export interface PoolAccess {
  /** How many processes are in it, or `undefined` if it has none and gets none. */
  size(): Promise<number | undefined>;
  /** A free worker; an abort leaves all workers where they are. */
  lease(signal: AbortSignal): Promise<number>;
  put(id: number): void;
  /** Gives back a worker that seems to be dead. */
  lost(id: number): void;
  /** Whether whoever has this worker may go on with it, as far as is known. */
  mayKeep(id: number): boolean;
}

/** How old an answer may be on which a worker is kept, in milliseconds: others wait that much longer for it. */
const KEEP_FOR = 50;

let tickets = 0;

/** Nobody waits for these; where the pool is gone they have no meaning. */
const send = (call: unknown): void => {
  (call as PromiseLike<unknown>).then(
    () => {},
    () => {},
  );
};

/**
 * Waits for a worker until the signal is aborted. A call that is given up would lose the worker that is on its way. So
 * the wish is withdrawn at the pool, and what had been given before that is put back from here.
 */
const lease = async (
  given: Promise<number>,
  signal: AbortSignal,
  { withdraw, put }: { withdraw: () => void; put: (id: number) => void },
): Promise<number> => {
  let abort!: () => void;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => {
      withdraw();
      given.then(put, () => {});
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', abort, { once: true });
  });
  try {
    return await Promise.race([given, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
};

/** A pool of this process. */
class NearPool implements PoolAccess {
  readonly #pool: WorkerPool;
  readonly #lessee: Lessee;

  constructor(pool: WorkerPool, holder: number) {
    this.#pool = pool;
    this.#lessee = { holder, ticket: ++tickets };
  }

  async size(): Promise<number | undefined> {
    return this.#pool.canServe ? this.#pool.length : undefined;
  }

  lease(signal: AbortSignal): Promise<number> {
    return lease(this.#pool.lease(this.#lessee), signal, {
      withdraw: () => this.#pool.withdraw(this.#lessee),
      put: (id) => this.put(id),
    });
  }

  put(id: number): void {
    this.#pool.put(id);
  }

  lost(id: number): void {
    this.#pool.lost(id);
  }

  mayKeep(id: number): boolean {
    return this.#pool.mayKeep(id, this.#lessee);
  }
}

/** A pool of another process. */
class FarPool implements PoolAccess {
  readonly #pool: Remote<WorkerPool>;
  readonly #lessee: Lessee;
  readonly #asked = new Map<number, { at: number; may: boolean }>();

  constructor(pool: Remote<WorkerPool>, holder: number) {
    this.#pool = pool;
    this.#lessee = { holder, ticket: ++tickets };
  }

  async size(): Promise<number | undefined> {
    const [canServe, length] = await Promise.all([this.#pool.canServe, this.#pool.length]);
    return canServe ? length : undefined;
  }

  lease(signal: AbortSignal): Promise<number> {
    // What is awaited is the promise of the call, and not the call, which could be used further.
    const given = Promise.resolve(this.#pool.lease(this.#lessee) as PromiseLike<number>);
    return lease(given, signal, {
      withdraw: () => send(this.#pool.withdraw(this.#lessee)),
      put: (id) => this.put(id),
    });
  }

  put(id: number): void {
    this.#asked.delete(id);
    send(this.#pool.put(id));
  }

  lost(id: number): void {
    this.#asked.delete(id);
    send(this.#pool.lost(id));
  }

  mayKeep(id: number): boolean {
    const now = performance.now();
    const known = this.#asked.get(id);
    if (!known) {
      this.#asked.set(id, { at: now, may: true });
      return true;
    }
    if (now - known.at >= KEEP_FOR) {
      known.at = now;
      (this.#pool.mayKeep(id, this.#lessee) as PromiseLike<boolean>).then(
        (may) => {
          known.may = may;
        },
        () => {},
      );
    }
    return known.may;
  }
}

/** The way to a pool for a map that runs in `member`. Throws OptionError for what is no pool. */
export const accessTo = (pool: AnyWorkerPool, member: Member): PoolAccess => {
  if (pool instanceof WorkerPool) return new NearPool(pool, member.id);
  if (referenceOf(pool)) return new FarPool(pool, member.id);
  throw new OptionError(
    'pool',
    'The option pool is a WorkerPool, or the reference to one of another process.',
  );
};
