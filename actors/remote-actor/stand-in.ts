import type { ActorScope, AnyActorRef, EventObject, Snapshot } from 'xstate';
import { release, withOptions } from '../../lib/wire/reference/handle.ts';
import { type Releasable, referenceOf } from '../../lib/wire/reference/reference.ts';
import type { ModuleTarget } from '../remote-manager/module-target.ts';
import { actorAt, pack } from './crossing.ts';
import { bury } from './dead-letters.ts';
import { type Directory, directoryOf, type Neighbour } from './directory.ts';
import { identify, nameBy } from './identity.ts';
import { isInspected, reinspect } from './inspection.ts';
import { MAILBOX, Mailbox } from './mailbox.ts';
import type { ActorAddress, HostedService, HostService, HostWish, OwnerService, Report } from './protocol.ts';
import { Observing } from './remote-actor-ref.ts';
import { snapshotOf } from './snapshot.ts';
import type { ActorSite, ActorSiteSource, RemoteActorOptions } from './types.ts';

/** What an actor is made of, and where. */
export interface Plan {
  readonly site: ActorSiteSource;
  readonly url: ModuleTarget;
  readonly exportName: string;
  readonly options: RemoteActorOptions;
}

/** What the actor in the other site did, as its stand-in's own machinery is told of it. */
export type Told =
  | { readonly type: 'offsite.snapshot'; readonly snapshot: Snapshot<unknown> }
  | { readonly type: 'offsite.error'; readonly error: unknown };

const TOLD = new Set(['offsite.snapshot', 'offsite.error', 'xstate.stop']);

/** The module that runs in the site: the built one beside built code, the source beside sources. */
const HOST = new URL(`./host${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);

/** An actor as it is inside: its way in, which all senders use. */
interface Inside {
  _send(event: EventObject): void;
}

type Scope = ActorScope<Snapshot<unknown>, EventObject>;

/** The owner as its actor's site sees it. */
class Owner extends Observing implements OwnerService {
  #announced: ((systemId: string, actor: AnyActorRef | undefined) => void) | undefined;
  /** Resolves when the actor is known by what it calls itself; before, its own reference would mean another. */
  #known: Promise<unknown> | undefined;

  constructor(
    take: (report: Report) => void,
    announced: (systemId: string, actor: AnyActorRef | undefined) => void,
    known: Promise<unknown>,
  ) {
    super(take);
    this.#announced = announced;
    const forget = () => {
      this.#known = undefined;
    };
    this.#known = known.then(forget, forget);
  }

  override close(): void {
    super.close();
    this.#announced = undefined;
  }

  override async receive(number: number, reports: readonly Report[], references: boolean): Promise<void> {
    if (this.#known) await this.#known;
    await super.receive(number, reports, references);
  }

  /** See OwnerService. */
  announce(systemId: string, address: ActorAddress | undefined): Promise<void> {
    this.#announced?.(systemId, address && actorAt(address));
    return Promise.resolve();
  }
}

const connections = new WeakMap<object, StandIn>();

/** What connects an actor here with the one it stands for; `undefined` if it stands for none or has not started. */
export const standInOf = (actor: object): StandIn | undefined => connections.get(actor);

/**
 * What stands here for an actor that runs in another site: events go there, and what it does comes back, until either
 * has ended. One call is open as long as the actor lives, so the end of its site is that call's error, and giving the
 * call up stops the actor.
 */
export class StandIn {
  readonly plan: Plan;
  readonly #self: AnyActorRef;
  readonly #scope: Scope;
  readonly #name: string;
  readonly #hosted: HostedService;
  readonly #mailbox: Mailbox;
  readonly #directory: Directory;
  readonly #neighbour: Neighbour;
  readonly #running = new AbortController();
  readonly #input: unknown;
  /** Its way in before this stood in it. */
  readonly #sendHere: (event: EventObject) => void;
  #ended = false;
  #held: EventObject[] | undefined;

  /** Starts the actor over there; `snapshot` is the state to begin with. */
  constructor(plan: Plan, scope: Scope, input: unknown, snapshot: Snapshot<unknown> | undefined) {
    const { site: source, url, exportName, options } = plan;
    const site: ActorSite = typeof source === 'function' ? source() : source;
    const self = scope.self as unknown as AnyActorRef & Inside;
    this.plan = plan;
    this.#scope = scope;
    this.#self = self;
    this.#input = input;
    this.#name = site.name ?? 'another site';
    this.#directory = directoryOf(scope.system);
    const wish: HostWish = {
      id: self.id,
      site: this.#name,
      input,
      snapshot,
      url: url instanceof URL ? url.href : typeof url === 'string' ? url : undefined,
      mailbox: options.mailbox ?? MAILBOX,
      snapshots: options.snapshots ?? 'all',
      inspect: options.inspect ?? isInspected(self),
      parent: self._parent,
      known: this.#directory.entries.filter(([, actor]) => actor !== self),
    };
    const host = site.link<HostService & object>(HOST) as unknown as HostService & Releasable;
    const module = site.link<object>(url) as unknown as Releasable;
    this.#hosted = host.host(module, exportName, pack(wish).value);
    this.#neighbour = {
      announce: (systemId, actor) => {
        // A site that is gone needs to know nothing.
        const address = actor && (pack(actor).value as ActorAddress);
        this.#hosted.know(systemId, address).then(undefined, () => {});
      },
    };
    const addressee = { id: self.id, site: this.#name, onDeadLetter: options.onDeadLetter };
    const inlet = this.#hosted.inlet();
    this.#mailbox = new Mailbox(addressee, inlet, wish.mailbox);
    this.#sendHere = self._send.bind(self);
    Object.assign(self, { _send: (event: EventObject) => this.#onSend(event) });
    connections.set(self, this);
    nameBy(self, this.#hosted);
    const { systemId } = self as { systemId?: string };
    if (systemId !== undefined) this.#neighbour.announce(systemId, self);
    this.#directory.join(this.#neighbour);
    void this.#run().finally(() => {
      // Whoever else links may give what goes back in its own way.
      for (const each of [host, module, this.#hosted, inlet]) {
        if (referenceOf(each)) release(each as unknown as Releasable);
      }
    });
  }

  /** Sends an event; throws MailboxFullError, and UnserializableError for one that can't cross. */
  post(event: EventObject): void {
    this.#mailbox.post(event);
  }

  /** Asks for the actor's state, as of when all that was sent before has arrived. */
  async persist(): Promise<Snapshot<unknown>> {
    await this.#mailbox.taken();
    return this.#hosted.persist();
  }

  /** Ends the actor and gives its state; events that are sent meanwhile are kept, and `release` gives them out. */
  async takeAway(): Promise<{
    snapshot: Snapshot<unknown>;
    sendOn: (to: (event: EventObject) => void) => void;
  }> {
    const held: EventObject[] = [];
    this.#held = held;
    const sendOn = (to: (event: EventObject) => void) => {
      this.#held = undefined;
      for (const event of held.splice(0)) to(event);
    };
    try {
      await this.#mailbox.taken();
      const snapshot = await this.#hosted.takeAway();
      return { snapshot, sendOn };
    } catch (cause) {
      sendOn((event) => this.#mailbox.post(event));
      throw cause;
    }
  }

  /** The actor here was stopped, so the one over there is. */
  stop(): void {
    if (!this.#ended) this.#mailbox.close();
    this.#end();
    this.#running.abort(new Error('The actor was stopped.'));
  }

  async #run(): Promise<void> {
    const hosted = this.#hosted as unknown as HostedService & Releasable;
    const known = Promise.resolve(hosted as unknown as PromiseLike<object>).then((port) => {
      if (!this.#ended) identify(this.#self, port);
    });
    const owner = new Owner(
      (report) => this.#take(report),
      (systemId, actor) => this.#ended || this.#directory.hear(systemId, actor, this.#neighbour),
      known,
    );
    try {
      // In this turn, so that no round trip lies between.
      await Promise.all([known, withOptions(hosted, { signal: this.#running.signal }).run(owner)]);
      this.#tell({ type: 'xstate.stop' });
    } catch (error) {
      // Who closes a site ends what runs in it; a machine is told, because it waits for an end.
      const { code } = (error ?? {}) as { code?: unknown };
      if (code === 'ERR_OFFSITE_CLOSED' && !this.#self._parent) this.#tell({ type: 'xstate.stop' });
      else this.#tell({ type: 'offsite.error', error });
    } finally {
      this.#end();
      // It may be only the way back that failed.
      this.#running.abort(new Error('The actor has ended.'));
      owner.close();
    }
  }

  #tell(told: Told | { readonly type: 'xstate.stop' }): void {
    if (!this.#ended) this.#sendHere(told);
  }

  #take(report: Report): void {
    if (this.#ended) return;
    const [kind, what, why] = report;
    if (kind === 'snapshot') {
      const snapshot = snapshotOf(what as object, this.#input);
      // Its end is not the end of what was sent before it: that was acknowledged, or will be told.
      this.#sendHere({ type: 'offsite.snapshot', snapshot } as Told);
      if (snapshot.status !== 'active') this.#end();
    } else if (kind === 'emitted') {
      (this.#scope.emit as (event: EventObject) => void)(what as EventObject);
    } else if (kind === 'sentUp') {
      const { _relay } = this.#scope.system as unknown as {
        _relay(source: AnyActorRef, target: AnyActorRef, event: EventObject): void;
      };
      if (this.#self._parent) _relay(this.#self, this.#self._parent, what as EventObject);
    } else if (kind === 'inspected') {
      reinspect(this.#scope.system, what);
    } else {
      const addressee = { id: this.#self.id, site: this.#name, onDeadLetter: this.plan.options.onDeadLetter };
      bury(addressee, [{ type: what as string }], 'the actor emitted it, and it can not be sent.', why);
    }
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#directory.leave(this.#neighbour);
  }

  #onSend(event: EventObject): void {
    if (TOLD.has(event.type)) this.#sendHere(event);
    else if (this.#held) this.#held.push(event);
    else if (this.#ended) {
      const addressee = { id: this.#self.id, site: this.#name, onDeadLetter: this.plan.options.onDeadLetter };
      bury(addressee, [event], 'it had ended before.');
    } else this.post(event);
  }
}
