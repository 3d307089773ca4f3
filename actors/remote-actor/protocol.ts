import type { AnyActorRef, Snapshot } from 'xstate';

/** What sites with actors in them call of each other: types alone, which both ends import. */

/** How an actor crosses; `port` is an ActorPort, or the proxy of one. */
export interface ActorAddress {
  readonly 'offsite.actor': object;
  readonly id: string;
  /** Unique among all sites. */
  readonly sessionId: string;
  readonly systemId?: string | undefined;
}

/** One sender's way into an actor. */
export interface InletService {
  /**
   * Sends the actor a batch of events, `number` counting the batches of this sender; gives how many of them it took.
   */
  deliver(number: number, events: readonly unknown[], references: boolean): PromiseLike<number>;
}

/** What an actor can be asked from other sites. */
export interface PortService {
  /** A way in, for one sender. */
  inlet(): InletService;
  /** Tells of all that the actor does until it ends; rejects with its error. */
  watch(observer: ObserverService): PromiseLike<void>;
  /** Its snapshot as of now. */
  look(): PromiseLike<Report>;
  /** Its state, to start another one with. */
  persist(): PromiseLike<Snapshot<unknown>>;
}

/** What the owner of an actor can ask of it beside that. */
export interface HostedService extends PortService {
  /** Starts it and tells of all that it does until it ends; rejects with its error. It stops if this call is given up. */
  run(observer: OwnerService): PromiseLike<void>;
  /** Its state; it is stopped with that. */
  takeAway(): PromiseLike<Snapshot<unknown>>;
  /** An actor of the tree got a system id; without an address, it lost it. */
  know(systemId: string, address: ActorAddress | undefined): PromiseLike<void>;
}

/** What the module in a site does. */
export interface HostService {
  /** Makes an actor of what a module exports; `wish` is a HostWish with addresses in place of actors. */
  host(module: object, name: string, wish: unknown): HostedService;
}

/** How an actor is to be made. */
export interface HostWish {
  /** As its parent knows it. */
  readonly id: string;
  readonly site: string;
  readonly input: unknown;
  readonly snapshot: Snapshot<unknown> | undefined;
  /** Where the module lies, so that the same XState is found that it imports. */
  readonly url: string | undefined;
  readonly mailbox: number;
  /** Whether every snapshot is told of, or only the last of each turn. */
  readonly snapshots: 'all' | 'latest';
  readonly inspect: boolean;
  /** The actor that started it; `undefined` for one that has no parent. */
  readonly parent: AnyActorRef | undefined;
  /** The system ids that are known in the tree. */
  readonly known: readonly (readonly [systemId: string, actor: AnyActorRef])[];
}

/** Something that an actor did. */
export type Report =
  | readonly ['snapshot', unknown]
  | readonly ['emitted', unknown]
  /** It sent its parent an event. */
  | readonly ['sentUp', unknown]
  /** It emitted something that can't cross; the event's type, and why. */
  | readonly ['refused', string, Error]
  | readonly ['inspected', unknown];

/** Who watches an actor from another site. */
export interface ObserverService {
  /** Takes reports, `number` counting them; they are acknowledged with the answer. */
  receive(number: number, reports: readonly Report[], references: boolean): PromiseLike<void>;
}

/** Who has started an actor in another site. */
export interface OwnerService extends ObserverService {
  /** An actor of the site got a system id; without an address, it lost it. */
  announce(systemId: string, address: ActorAddress | undefined): PromiseLike<void>;
}
