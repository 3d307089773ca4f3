import type { AnyActorRef, EventObject, Snapshot } from 'xstate';
import { callSignal } from '../../lib/wire/call/scope.ts';
import { release } from '../../lib/wire/reference/handle.ts';
import { type Releasable, RemoteTarget, referenceOf } from '../../lib/wire/reference/reference.ts';
import { pack, unpack } from './crossing.ts';
import { InOrder } from './in-order.ts';
import { MAILBOX } from './mailbox.ts';
import type { InletService, ObserverService, PortService, Report } from './protocol.ts';
import { type Reported, Reports } from './reports.ts';
import { reportOf } from './snapshot.ts';

/** Whether an actor still takes events. */
export const isActive = (actor: AnyActorRef): boolean =>
  (actor.getSnapshot() as Snapshot<unknown>).status === 'active';

/** One sender's way into an actor of this site. */
class Inlet extends RemoteTarget implements InletService {
  readonly #actor: AnyActorRef;
  readonly #order = new InOrder();

  constructor(actor: AnyActorRef) {
    super();
    this.#actor = actor;
  }

  /** See InletService. */
  deliver(number: number, events: readonly unknown[], references: boolean): Promise<number> {
    return Promise.resolve(this.#order.take(number, () => this.#take(references ? unpack(events) : events)));
  }

  #take(events: readonly unknown[]): number {
    let taken = 0;
    for (const event of events) {
      if (!isActive(this.#actor)) break;
      this.#actor.send(event as EventObject);
      taken++;
    }
    return taken;
  }
}

/** What other sites reach of an actor of this one: all that an actor reference can be asked, and no more. */
export class ActorPort extends RemoteTarget implements PortService {
  readonly #actor: AnyActorRef;

  constructor(actor: AnyActorRef) {
    super();
    this.#actor = actor;
  }

  /** See PortService. */
  inlet(): InletService {
    return new Inlet(this.#actor);
  }

  /** See PortService. */
  watch(observer: ObserverService): Promise<void> {
    const of = { id: this.#actor.id, site: 'its site', bound: MAILBOX, snapshots: 'all' } as const;
    // As of now, because the observer can't look at it as one here could.
    return watchUntilEnd(this.#actor, observer, of, (reports) => {
      reports.snapshot(this.#actor.getSnapshot());
      return undefined;
    });
  }

  /** See PortService. */
  look(): Promise<Report> {
    return Promise.resolve(pack(['snapshot', reportOf(this.#actor.getSnapshot())]).value as Report);
  }

  /** See PortService. */
  persist(): Promise<Snapshot<unknown>> {
    return Promise.resolve(this.#actor.getPersistedSnapshot());
  }
}

/**
 * Tells an observer of all that an actor does, until it ends (rejecting with its error) or this call is given up.
 * `begin` is called when the observer hears everything.
 */
export const watchUntilEnd = async (
  actor: AnyActorRef,
  observer: ObserverService,
  of: Reported,
  begin: (reports: Reports) => (() => void) | undefined = () => undefined,
): Promise<void> => {
  const signal = callSignal();
  let reports!: Reports;
  let givenUp = false;
  let failure: { readonly error: unknown } | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      reports = new Reports(of, observer, (error) => {
        // It may come when the actor has ended already, and only its output can't be told.
        failure = { error };
        reject(error);
      });
      const subscriptions = [
        actor.subscribe({
          // The error is told by the rejection.
          next: (snapshot: Snapshot<unknown>) => reports.snapshot(snapshot),
          error: reject,
          complete: resolve,
        }),
        actor.on('*', (event: EventObject) => reports.emitted(event)),
      ];
      const giveUp = () => {
        givenUp = true;
        for (const subscription of subscriptions) subscription.unsubscribe();
        resolve();
      };
      signal?.addEventListener('abort', giveUp, { once: true });
      const end = begin(reports);
      if (end) subscriptions.push({ unsubscribe: end });
      if (signal?.aborted) giveUp();
    });
  } finally {
    if (!givenUp) await reports.drained();
    // It was made for this alone; whoever made it waits for no collector here.
    if (referenceOf(observer)) release(observer as unknown as Releasable);
  }
  if (failure) throw failure.error;
};
