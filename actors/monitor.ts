import type { AnyActorRef } from 'xstate';
import { watchReference } from '../lib/engine/watch.ts';
import { whenAborted } from '../lib/wire/call/when-aborted.ts';
import type { Releasable } from '../lib/wire/reference/reference.ts';
import { referenceOf } from '../lib/wire/reference/reference.ts';
import { deferred } from './remote-manager/deferred.ts';
import type { SiteExit } from './remote-manager/state.ts';
import { RemoteManager } from './remote-manager.ts';

/** What can be monitored: a manager, an XState actor, or a reference to what lives in another site. */
export type Monitored = RemoteManager | AnyActorRef | Releasable;

/**
 * Why something went down: as `SiteExit` says of a site; an actor is `done`, was `stopped`, or `failed` with what it
 * threw.
 */
export type DownReason = SiteExit['reason'] | 'done' | 'stopped' | 'failed';

/** That something went down, as Erlang's message of that name tells. */
export interface Down<T extends Monitored = Monitored> {
  readonly target: T;
  readonly reason: DownReason;
  /** What calls reject with from now on, or what an actor threw; none for an actor that ended in order. */
  readonly cause?: unknown;
}

type Tell = (reason: DownReason, cause?: unknown) => void;

const REASONS: Readonly<Record<string, DownReason>> = {
  ERR_OFFSITE_CLOSED: 'closed',
  ERR_OFFSITE_FORK: 'fork-failed',
};

const reasonOf = (cause: unknown): DownReason => {
  const { code, reason } = (cause ?? {}) as { code?: string; reason?: DownReason };
  return REASONS[code ?? ''] ?? reason ?? 'crashed';
};

const watchManager = (manager: RemoteManager, tell: Tell): (() => void) => {
  const onExit = async ({ reason }: SiteExit) => {
    const last = await manager.faults().next();
    tell(reason, last.value?.cause);
  };
  manager.on('exit', onExit);
  return () => manager.off('exit', onExit);
};

const watchActor = (actor: AnyActorRef, tell: Tell): (() => void) => {
  const look = (): void => {
    const { status, error } = actor.getSnapshot() as { status: string; error?: unknown };
    if (status === 'error') tell('failed', error);
    else if (status !== 'active') tell(status === 'done' ? 'done' : 'stopped');
  };
  const soon = () => queueMicrotask(look);
  const subscription = actor.subscribe({ complete: soon, error: soon });
  // One that has ended before does not say so again in all cases; who is told twice listens once.
  soon();
  return () => subscription.unsubscribe();
};

const notMonitored = () =>
  new TypeError('What is monitored or linked is a RemoteManager, an XState actor, or a remote reference.');

const watch = (target: Monitored, tell: Tell): (() => void) => {
  // First, because a reference has whatever property one asks for.
  if (referenceOf(target)) return watchReference(target, (cause) => tell(reasonOf(cause), cause))!;
  if (target instanceof RemoteManager) return watchManager(target, tell);
  if (typeof (target as Partial<AnyActorRef> | null)?.getSnapshot === 'function') {
    return watchActor(target as AnyActorRef, tell);
  }
  throw notMonitored();
};

/** Watches until it goes down or nobody wants to know any more; tells once, never within this call. */
const watchOnce = (target: Monitored, tell: Tell): (() => void) => {
  let wanted = true;
  const stopWatching = watch(target, (reason, cause) => {
    if (!wanted) return;
    stop();
    tell(reason, cause);
  });
  const stop = () => {
    wanted = false;
    stopWatching();
  };
  return stop;
};

/**
 * Resolves once the target goes down, soon if it has already; as Erlang's `monitor`. It does not hold the program. A
 * reference goes down with its site, and with a site on the way there. Rejects with the signal's reason when that is
 * aborted, and then leaves nothing behind; throws TypeError for what can't be monitored.
 */
export const monitor = <T extends Monitored>(
  target: T,
  { signal }: { signal?: AbortSignal } = {},
): Promise<Down<T>> => {
  const { promise, resolve, reject } = deferred<Down<T>>();
  if (signal?.aborted) {
    reject(signal.reason);
    return promise;
  }
  let unlisten: (() => void) | undefined;
  const stop = watchOnce(target, (reason, cause) => {
    unlisten?.();
    resolve({ target, reason, ...(cause !== undefined && { cause }) });
  });
  if (signal) {
    unlisten = whenAborted(signal, () => {
      stop();
      reject(signal.reason);
    });
  }
  return promise;
};

/** What ended in order takes nobody with it. */
const NORMAL: ReadonlySet<DownReason> = new Set(['closed', 'disconnected', 'done', 'stopped']);

/** What was ended by a link, which is no end in order, whatever its reason says: it takes its own others with it. */
const felled = new WeakSet<object>();

/** How a target is ended because another one failed; throws TypeError if it can't be. */
const endOf = (target: Monitored): ((cause: unknown) => void) => {
  const reference = referenceOf(target);
  if (reference) {
    if (reference.path.length > 0) {
      throw new TypeError('A whole reference can be linked, and not one of its properties.');
    }
    return () => (target as Releasable)[Symbol.dispose]();
  }
  if (target instanceof RemoteManager) return (cause) => void target.close({ cause });
  const actor = target as AnyActorRef & { stop?(): void };
  if (typeof (actor as Partial<AnyActorRef> | null)?.getSnapshot !== 'function') throw notMonitored();
  if (actor._parent || typeof actor.stop !== 'function') {
    throw new TypeError(
      'An actor can be linked that createActor() made; one with a parent is its parent\u2019s to end.',
    );
  }
  return () => actor.stop!();
};

/** That two fail together; `unlink`, and `using`, end that. */
export interface Bond extends Disposable {
  unlink(): void;
}

/**
 * Links two lives, as Erlang's `link`: if one fails, the other is ended, a manager by `close` with the failure as cause, an
 * actor by `stop`, a reference by `release`. What ends in order takes nobody with it. Throws TypeError for what can't
 * be ended.
 */
export const link = (a: Monitored, b: Monitored): Bond => {
  const [endA, endB] = [endOf(a), endOf(b)];
  const stops: (() => void)[] = [];
  const unlink = () => {
    for (const stop of stops.splice(0)) stop();
  };
  const bind = (target: Monitored, other: Monitored, endOther: (cause: unknown) => void) =>
    stops.push(
      watchOnce(target, (reason, cause) => {
        unlink();
        if (NORMAL.has(reason) && !felled.has(target)) return;
        felled.add(other);
        endOther(cause);
      }),
    );
  bind(a, b, endB);
  bind(b, a, endA);
  return { unlink, [Symbol.dispose]: unlink };
};
