import type {
  ActorLogic,
  AnyActorLogic,
  AnyActorRef,
  AnyMachineSnapshot,
  EmittedFrom,
  EventFromLogic,
  InputFrom,
  InspectionEvent,
  Snapshot,
  SnapshotFrom,
} from 'xstate';
import type { RemoteReference } from '../../lib/module/remote.ts';
import type { ModuleTarget } from '../remote-manager/module-target.ts';
import type { DeadLetterListener } from './dead-letters.ts';

/** Where actors can be started: a RemoteManager, or whatever links modules as it does. */
export interface ActorSite {
  /** In messages. */
  readonly name?: string;
  link<M extends object>(target: ModuleTarget): RemoteReference<M>;
}

/** A site, or a function that gives the one to use, which is asked each time an actor is started. */
export type ActorSiteSource = ActorSite | (() => ActorSite);

/** How an actor of another site is run; everything has a default. */
export interface RemoteActorOptions {
  /** How many events may wait for the actor's acknowledgement; one more throws MailboxFullError. @default 10000 */
  mailbox?: number;
  /** Whether every snapshot comes, or only the last of each turn of the site. @default 'all' */
  snapshots?: 'all' | 'latest';
  /** Is told of events that did not reach the actor. @default a warning of the process */
  onDeadLetter?: DeadLetterListener;
  /** Whether inspection events come. @default whether the root actor was given the option `inspect` */
  inspect?: boolean;
}

/** How `createRemoteActor` makes an actor: as XState's createActor, and as it is run. */
export interface CreateRemoteActorOptions<L extends AnyActorLogic>
  extends Omit<RemoteActorOptions, 'inspect'> {
  /** What the logic begins with; it crosses. */
  input?: InputFrom<L>;
  /** A state that `persist` gave, to go on with. */
  snapshot?: Snapshot<unknown>;
  /** The actor's id. @default one that XState chooses */
  id?: string;
  /** A name under which `system.get` finds it in all sites of the tree. */
  systemId?: string;
  /** Is told of everything that happens in the tree, in all its sites. */
  inspect?: (event: InspectionEvent) => void;
}

/** The names under which a module exports actor logic. */
export type LogicName<M> = { [K in keyof M]: M[K] extends AnyActorLogic ? K : never }[keyof M] & string;

type IsUnion<T, U = T> = T extends unknown ? ([U] extends [T] ? false : true) : never;

/** A name alone: if a module exports several logics, TypeScript must be told which one is meant. */
export type OneName<K extends string> =
  true extends IsUnion<K>
    ? { 'The module exports several logics: give the name as a type argument too': K }
    : K;

/** The logic that a module exports under a name. */
export type LogicOf<M, K extends string> = K extends keyof M ? Extract<M[K], AnyActorLogic> : never;

/** The parts of a machine's snapshot that work without the machine, which stays in its site. */
type MachinePart =
  | 'status'
  | 'output'
  | 'error'
  | 'value'
  | 'context'
  | 'tags'
  | 'children'
  | 'matches'
  | 'hasTag';

/** What is known of an actor from which nothing has been heard. */
type Unheard = Extract<Snapshot<unknown>, { status: 'active' | 'error' | 'stopped' }>;

type UnheardMachine<S extends AnyMachineSnapshot> = Unheard & {
  value: undefined;
  context: undefined;
  tags?: undefined;
  children?: undefined;
} & Pick<S, 'matches' | 'hasTag'>;

type Other<S> = S extends unknown
  ? Omit<S, 'context' | '_subscription'> &
      (S extends { context: infer C } ? { context: C | undefined } : unknown)
  : never;

/**
 * A snapshot S as it arrives from another site. A machine's has no `can`, `getMeta` and `machine`, because the machine
 * is not here; `context` (and a machine's `value`) is `undefined` until the first snapshot has come.
 */
export type RemoteSnapshot<S> = S extends AnyMachineSnapshot
  ? Pick<S, MachinePart> | UnheardMachine<S>
  : Other<S>;

/** Actor logic L that runs in another site. */
export type RemoteActorLogic<L extends AnyActorLogic> = ActorLogic<
  RemoteSnapshot<SnapshotFrom<L>> & Snapshot<unknown>,
  EventFromLogic<L>,
  InputFrom<L>,
  AnyActorRef['system'],
  EmittedFrom<L>
>;
