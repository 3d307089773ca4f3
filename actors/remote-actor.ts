import { type Actor, type AnyActorLogic, type AnyActorRef, createActor, type Snapshot } from 'xstate';
import { OptionError } from '../lib/wire/errors.ts';
import { logicOf, noteTaken, TAKEN } from './remote-actor/logic.ts';
import { checkCreateOptions, checkPlan } from './remote-actor/options.ts';
import { RemoteActorRef } from './remote-actor/remote-actor-ref.ts';
import { type Plan, standInOf } from './remote-actor/stand-in.ts';
import type {
  ActorSiteSource,
  CreateRemoteActorOptions,
  LogicName,
  LogicOf,
  OneName,
  RemoteActorLogic,
  RemoteActorOptions,
} from './remote-actor/types.ts';
import type { ModuleTarget } from './remote-manager/module-target.ts';

export type { DeadLetter, DeadLetterListener } from './remote-actor/dead-letters.ts';
export { ActorLogicError, DeadLetterError, MailboxFullError } from './remote-actor/errors.ts';
export type {
  ActorSite,
  ActorSiteSource,
  CreateRemoteActorOptions,
  LogicName,
  LogicOf,
  OneName,
  RemoteActorLogic,
  RemoteActorOptions,
  RemoteSnapshot,
} from './remote-actor/types.ts';

/** An actor that runs in another site, as `createRemoteActor` gives it: an XState actor. */
export type RemoteActor<L extends AnyActorLogic> = Actor<RemoteActorLogic<L>>;

const planOf = (
  site: ActorSiteSource,
  url: ModuleTarget,
  exportName: string,
  options: RemoteActorOptions,
): Plan => {
  const plan = { site, url, exportName, options };
  checkPlan(plan);
  return plan;
};

/**
 * XState actor logic that runs in another site: the logic that a module exports under a name. A machine can invoke or
 * spawn it as a local one; `site` is where, or a function that says so each time an actor starts. Throws OptionError.
 */
export const fromSite = <M extends object, K extends LogicName<M> = LogicName<M>>(
  site: ActorSiteSource,
  url: ModuleTarget,
  exportName: OneName<K>,
  options: RemoteActorOptions = {},
): RemoteActorLogic<LogicOf<M, K>> =>
  logicOf(planOf(site, url, exportName as string, options)) as unknown as RemoteActorLogic<LogicOf<M, K>>;

/**
 * Starts an actor in another site: the logic that a module exports under a name. What is returned runs, and is an XState
 * actor: it is sent events, subscribed to and stopped as a local one. Throws OptionError.
 */
export const createRemoteActor = <M extends object, K extends LogicName<M> = LogicName<M>>(
  site: ActorSiteSource,
  url: ModuleTarget,
  exportName: OneName<K>,
  options: CreateRemoteActorOptions<LogicOf<M, K>> = {},
): RemoteActor<LogicOf<M, K>> => {
  checkCreateOptions(options);
  const { mailbox, snapshots, onDeadLetter } = options;
  return create(
    planOf(site, url, exportName as string, { mailbox, snapshots, onDeadLetter }),
    options,
  ) as RemoteActor<LogicOf<M, K>>;
};

const create = (
  plan: Plan,
  { input, snapshot, id, systemId, inspect }: CreateRemoteActorOptions<AnyActorLogic>,
): unknown => {
  const actor = createActor(logicOf(plan), {
    input,
    id,
    systemId,
    inspect,
    ...(snapshot && {
      snapshot: { status: 'active', output: undefined, error: undefined, input, [TAKEN]: snapshot },
    }),
  } as object);
  return actor.start();
};

/**
 * The state of an actor, wherever it runs, to start another one with (`createRemoteActor(…, { snapshot })`). Events that
 * were sent before have been taken by then. Rejects as a call does, and with what the actor's logic throws.
 */
export const persist = async (actor: AnyActorRef): Promise<Snapshot<unknown>> => {
  const standIn = standInOf(actor);
  if (standIn) {
    const taken = await standIn.persist();
    noteTaken(actor, taken);
    return taken;
  }
  if ((actor as unknown) instanceof RemoteActorRef) return (actor as unknown as RemoteActorRef).persist();
  return actor.getPersistedSnapshot();
};

/**
 * Moves an actor that `createRemoteActor` has made to another site, with its state: it ends where it is, and the one that
 * is returned goes on. Events that are sent to the old one meanwhile go to the new one; it is an error if that can't start.
 * Throws OptionError for an actor that a machine has started, because that machine holds it.
 */
export const moveActor = async <A extends AnyActorRef>(actor: A, site: ActorSiteSource): Promise<A> => {
  const standIn = standInOf(actor);
  const { status } = actor.getSnapshot() as Snapshot<unknown>;
  if (!standIn || actor._parent || status !== 'active') {
    throw new OptionError(
      'actor',
      'Only an actor that createRemoteActor has made, and that runs, can be moved.',
    );
  }
  const { plan } = standIn;
  const { snapshot, sendOn } = await standIn.takeAway();
  const { id, options } = actor as unknown as {
    id: string;
    options: { inspect?: () => void; input: unknown };
  };
  const { systemId } = actor as { systemId?: string };
  actor.stop();
  const { inspect, input } = options;
  const moved = create({ ...plan, site }, { id, systemId, inspect, input, snapshot }) as A;
  sendOn((event) => moved.send(event));
  return moved;
};
