import { randomUUID } from 'node:crypto';
import type { AnyActorRef } from 'xstate';
import { shared } from '../../lib/wire/shared.ts';

/**
 * Which actor is which, for all copies of this code in one thread: an actor that comes home is the same object again,
 * and one of another site is always the same reference.
 */

/** What stands for an actor on the wire: a port that is here, or the proxy of one in another site. */
export type Port = object;

const ports = shared('actorPorts', () => new WeakMap<object, Port>());
const actors = shared('actorsOfPorts', () => new WeakMap<Port, object>());
const realm = shared('actorRealm', () => ({ id: randomUUID().slice(0, 8) }));

/** The port of an actor, if it has one by now. */
export const portOf = (actor: object): Port | undefined => ports.get(actor);

/** The actor behind a port, if it is known here. */
export const actorOf = (port: Port): AnyActorRef | undefined => actors.get(port) as AnyActorRef | undefined;

/** From now on a port stands for an actor. */
export const identify = (actor: object, port: Port): void => {
  ports.set(actor, port);
  actors.set(port, actor);
};

/** The port of an actor, without the way back: for one that is another's stand-in, as long as it has nothing better. */
export const nameBy = (actor: object, port: Port): void => {
  ports.set(actor, port);
};

/** The port of an actor that has ended is not held for its sake any more. */
export const unname = (actor: object): void => {
  ports.delete(actor);
};

/** A session id that is unique among all sites; XState's own counts from 0 in each. */
export const everywhere = (sessionId: string): string =>
  sessionId.includes('@') ? sessionId : `${sessionId}@${realm.id}`;
