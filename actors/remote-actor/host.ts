import { createRequire } from 'node:module';
import type { AnyActorLogic, AnyActorRef, EventObject, InspectionEvent, Snapshot } from 'xstate';
import { ActorPort, isActive, watchUntilEnd } from './actor-port.ts';
import { actorAt, addressOf, unpack } from './crossing.ts';
import { type Directory, directoryOf, type Neighbour } from './directory.ts';
import { ActorLogicError } from './errors.ts';
import { identify, nameBy, unname } from './identity.ts';
import { inspected } from './inspection.ts';
import type { ActorAddress, HostedService, HostWish, OwnerService } from './protocol.ts';

/** What runs in a site that somebody starts actors in; it travels there as any module does. */

type XState = Pick<typeof import('xstate'), 'createActor'>;

/** XState's own name for an actor that ends, which a parent is told by events that nobody here waits for. */
const isEnd = ({ type }: EventObject): boolean => /^xstate\.(?:done|error)\.actor\./.test(type);

/** The XState that a module imports, so that there is one copy of it; or else the one that Offsite has. */
const xstateOf = async (url: string | undefined): Promise<XState> => {
  if (url?.startsWith('file:')) {
    try {
      return createRequire(url)('xstate') as XState;
    } catch {
      // The module has none of its own: its logic was made by hand, or lies in a bundle.
    }
  }
  return import('xstate');
};

const isLogic = (value: unknown): value is AnyActorLogic =>
  typeof value === 'object' &&
  value !== null &&
  typeof (value as AnyActorLogic).transition === 'function' &&
  typeof (value as AnyActorLogic).getInitialSnapshot === 'function';

/** Logic that does nothing: for the actor that stands for the owner's, above those of this site. */
const standing = {
  transition: (snapshot: Snapshot<unknown>) => snapshot,
  getInitialSnapshot: (): Snapshot<unknown> => ({ status: 'active', output: undefined, error: undefined }),
  getPersistedSnapshot: (snapshot: Snapshot<unknown>) => snapshot,
};

/** Whether the owner's inspectors hear of an event anyway: of the actor's stand-in, or of nobody. */
const isTwice = (event: InspectionEvent, actor: AnyActorRef, above: AnyActorRef): boolean => {
  const { actorRef } = event as { actorRef: unknown };
  if (actorRef === above) return true;
  if (actorRef !== actor) return false;
  if (event.type === '@xstate.event')
    return event.sourceRef === undefined || (event.sourceRef as unknown) === above;
  return event.type === '@xstate.actor' || event.type === '@xstate.snapshot';
};

/** Ends an actor that has a parent, and all below it. */
const stop = (actor: AnyActorRef): void => {
  const { children } = actor.getSnapshot() as { children?: Record<string, AnyActorRef | undefined> };
  // XState leaves those of a machine that has failed running.
  if (!isActive(actor)) for (const child of Object.values(children ?? {})) if (child) stop(child);
  (actor as unknown as { _stop?(): void })._stop?.();
};

/** What an actor does before its owner listens: it is told when the owner does. */
class Early<T> {
  #tell: ((what: T) => void) | undefined;
  #kept: T[] = [];

  readonly add = (what: T): void => {
    if (this.#tell) this.#tell(what);
    else this.#kept.push(what);
  };

  /** Tells nobody any more, and holds nobody. */
  close(): void {
    this.#tell = () => {};
  }

  /** From now on `tell` hears of all, and of what was kept first. */
  listen(tell: (what: T) => void): void {
    this.#tell = tell;
    for (const what of this.#kept.splice(0)) tell(what);
  }
}

/** What the actor of a hosted one needs from the making on. */
interface Surroundings {
  /** Stands for the owner's actor above those of this site; the system is its. */
  readonly above: AnyActorRef;
  readonly events: Early<InspectionEvent>;
  readonly names: Early<Parameters<Neighbour['announce']>>;
  /** What is sent to the parent. */
  readonly sentUp: Early<EventObject>;
  readonly directory: Directory;
  readonly upstream: Neighbour;
}

const surroundings = ({ createActor }: XState, { parent, inspect, known }: HostWish): Surroundings => {
  const events = new Early<InspectionEvent>();
  const names = new Early<Parameters<Neighbour['announce']>>();
  const sentUp = new Early<EventObject>();
  const above = createActor(standing, {
    id: parent?.id,
    ...(inspect && { inspect: events.add }),
  }) as unknown as AnyActorRef;
  // What is sent to the parent goes to the real one, in one row with all else that its stand-in is told.
  Object.assign(above, { _send: (event: EventObject) => isEnd(event) || sentUp.add(event) });
  if (parent) nameBy(above, addressOf(parent)['offsite.actor']);
  const directory = directoryOf(above.system);
  const upstream: Neighbour = { announce: (systemId, actor) => names.add([systemId, actor]) };
  for (const [systemId, actor] of known) directory.hear(systemId, actor, upstream);
  directory.join(upstream);
  return { above, events, names, sentUp, directory, upstream };
};

/** An actor that runs here for an owner in another site. */
class HostedActor extends ActorPort implements HostedService {
  readonly #actor: AnyActorRef;
  #wish: HostWish;
  readonly #around: Surroundings;

  /** Makes the actor, which does not run yet. */
  constructor(xstate: XState, logic: AnyActorLogic, name: string, wish: HostWish) {
    const around = surroundings(xstate, wish);
    const { id, input, snapshot } = wish;
    const options = { parent: around.above, id, src: name, input, snapshot };
    const actor = xstate.createActor(logic, options) as unknown as AnyActorRef;
    super(actor);
    // As without the site between: who sends to a parent that is not there is told by XState.
    if (!wish.parent) actor._parent = undefined;
    this.#actor = actor;
    this.#wish = wish;
    this.#around = around;
    identify(actor, this);
  }

  /** See HostedService. */
  async run(owner: OwnerService): Promise<void> {
    const { id, site, mailbox: bound, snapshots } = this.#wish;
    const { above, events, names, sentUp, directory, upstream } = this.#around;
    names.listen(([systemId, actor]) => {
      // The owner learns of it or is gone.
      owner.announce(systemId, actor && addressOf(actor)).then(undefined, () => {});
    });
    try {
      await watchUntilEnd(this.#actor, owner, { id, site, bound, snapshots }, (reports) => {
        sentUp.listen((event) => reports.sentUp(event));
        events.listen((event) => {
          if (!isTwice(event, this.#actor, above)) reports.inspected(inspected(event));
        });
        this.#actor.start();
        return undefined;
      });
    } finally {
      stop(this.#actor);
      directory.leave(upstream);
      // The owner may hold this for long, and what it has given to this would hold the owner.
      for (const each of [events, names, sentUp]) each.close();
      unname(above);
      this.#wish = { ...this.#wish, input: undefined, snapshot: undefined, parent: undefined, known: [] };
    }
  }

  /** See HostedService. */
  takeAway(): Promise<Snapshot<unknown>> {
    const snapshot = this.#actor.getPersistedSnapshot();
    stop(this.#actor);
    return Promise.resolve(snapshot);
  }

  /** See HostedService. */
  know(systemId: string, address: ActorAddress | undefined): Promise<void> {
    this.#around.directory.hear(systemId, address && actorAt(address), this.#around.upstream);
    return Promise.resolve();
  }
}

/** Makes an actor of what a module exports, for an owner in another site; rejects with ActorLogicError. */
export const host = async (module: object, name: string, wish: unknown): Promise<HostedService> => {
  const logic = (module as Record<string, unknown>)[name];
  const whole = unpack(wish as HostWish);
  if (!isLogic(logic)) {
    const found =
      logic === undefined ? 'nothing' : `a value of type ${typeof logic}, which is no actor logic,`;
    throw new ActorLogicError(
      `The module ${whole.url ?? 'that was linked'} exports ${found} under the name ${name}; export what setup().createMachine() or fromPromise() and the like give.`,
    );
  }
  return new HostedActor(await xstateOf(whole.url), logic, name, whole);
};
