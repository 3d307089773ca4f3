import type { AnyActorRef, InspectionEvent, Snapshot } from 'xstate';
import { RemoteActorRef } from './remote-actor-ref.ts';
import { reportOf, snapshotOf } from './snapshot.ts';

type Fields = Record<string, unknown> & { actorRef: AnyActorRef };

/** An XState inspection event as it crosses: what works only in its own site is left out. */
export const inspected = (event: InspectionEvent): object => {
  const { _transitions, snapshot, ...rest } = event as unknown as Fields;
  return {
    ...rest,
    parent: rest.actorRef._parent,
    ...(snapshot !== undefined && { snapshot: reportOf(snapshot as Snapshot<unknown>) }),
    ...(Array.isArray(_transitions) && {
      _transitions: _transitions.map(({ eventType }) => ({ eventType })),
    }),
  };
};

/** Gives an inspection event of another site to the inspectors of this one's system, as if it had happened here. */
export const reinspect = (system: AnyActorRef['system'], event: unknown): void => {
  const { parent, snapshot, ...rest } = event as Fields;
  const { actorRef } = rest as Fields;
  if (actorRef instanceof RemoteActorRef) actorRef._parent ??= parent as AnyActorRef | undefined;
  const { _sendInspectionEvent } = system as unknown as { _sendInspectionEvent(event: object): void };
  _sendInspectionEvent({
    ...rest,
    ...(snapshot !== undefined && { snapshot: snapshotOf(snapshot as object, undefined) }),
  });
};

/** Whether somebody inspects the tree in which an actor is: its root was given an inspector. */
export const isInspected = (actor: AnyActorRef): boolean => {
  let root = actor;
  while (root._parent) root = root._parent;
  return (root as { options?: { inspect?: unknown } }).options?.inspect !== undefined;
};
