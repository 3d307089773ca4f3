import type { AnyActorRef } from 'xstate';
import { ActorPort } from './actor-port.ts';
import { actorOf, everywhere, identify, portOf } from './identity.ts';
import type { ActorAddress } from './protocol.ts';
import { RemoteActorRef } from './remote-actor-ref.ts';

const KEY = 'offsite.actor';

/** A value as it can cross, and what was found in it. */
export interface Packed {
  /** The value itself, or a copy with addresses in place of actors. */
  readonly value: unknown;
  /** Whether there are actors in it. */
  readonly references: boolean;
  /** Whether it is nothing but plain data, so that it can surely be sent. */
  readonly plain: boolean;
}

/** Whether a value is an actor: as XState itself asks. */
const isActor = (value: object): value is AnyActorRef =>
  'sessionId' in value && 'send' in value && 'ref' in value;

const isAddress = (value: object): value is ActorAddress => Object.hasOwn(value, KEY);

/** How an actor crosses: what is sent home is the actor itself again, and a third site reaches it through this one. */
export const addressOf = (actor: AnyActorRef): ActorAddress => {
  let port = portOf(actor);
  if (!port) {
    port = new ActorPort(actor);
    identify(actor, port);
  }
  const { systemId } = actor as { systemId?: string };
  return {
    [KEY]: port,
    id: actor.id,
    sessionId: everywhere(actor.sessionId),
    ...(systemId !== undefined && { systemId }),
  };
};

/** The actor that an address means: itself if it is at home here, else what stands for it. */
export const actorAt = (address: ActorAddress): AnyActorRef => {
  const port = address[KEY];
  const known = actorOf(port);
  if (known) return known;
  const reference = new RemoteActorRef(port, address) as unknown as AnyActorRef;
  identify(reference, port);
  return reference;
};

/** What is not looked into: it is a leaf of plain data, or the codec's matter. */
const isLeaf = (value: unknown): boolean => typeof value !== 'object' || value === null;

/** Finds out what there is in a value, without changing it. */
const survey = (value: unknown): { references: boolean; plain: boolean } => {
  const found = { references: false, plain: true };
  const seen = new Set<object>();
  const look = (each: unknown): void => {
    if (isLeaf(each)) {
      if (typeof each === 'function' || typeof each === 'symbol') found.plain = false;
      return;
    }
    if (seen.has(each as object)) return;
    seen.add(each as object);
    todo.push(each as object);
  };
  const todo: object[] = [];
  look(value);
  for (let at = todo.pop(); at; at = todo.pop()) {
    const prototype: unknown = Object.getPrototypeOf(at);
    if (Array.isArray(at)) for (const each of at) look(each);
    else if (prototype === Object.prototype || prototype === null)
      for (const each of Object.values(at)) look(each);
    else if (isActor(at)) found.references = true;
    else {
      found.plain = false;
      if (at instanceof Map) for (const [key, each] of at) look([key, each]);
      else if (at instanceof Set) for (const each of at) look(each);
    }
  }
  return found;
};

/** Copies the structure of a value as far as there may be actors in it, cycles too. */
const copy = (value: unknown, copies: Map<object, unknown>): unknown => {
  if (isLeaf(value)) return value;
  const from = value as object;
  if (copies.has(from)) return copies.get(from);
  const note = <T extends object>(made: T): T => {
    copies.set(from, made);
    return made;
  };
  if (Array.isArray(from)) {
    const made = note([] as unknown[]);
    for (const each of from) made.push(copy(each, copies));
    return made;
  }
  const prototype: unknown = Object.getPrototypeOf(from);
  if (prototype === Object.prototype || prototype === null) {
    const made = note(Object.create(prototype) as Record<string, unknown>);
    for (const [key, each] of Object.entries(from)) {
      Object.defineProperty(made, key, {
        value: copy(each, copies),
        enumerable: true,
        writable: true,
        configurable: true,
      });
    }
    return made;
  }
  if (isActor(from)) return note(addressOf(from));
  if (from instanceof Map) {
    const made = note(new Map<unknown, unknown>());
    for (const [key, each] of from) made.set(copy(key, copies), copy(each, copies));
    return made;
  }
  if (from instanceof Set) {
    const made = note(new Set<unknown>());
    for (const each of from) made.add(copy(each, copies));
    return made;
  }
  return from;
};

/** Puts the addresses of actors in their place. */
export const pack = (value: unknown): Packed => {
  const { references, plain } = survey(value);
  return { value: references ? copy(value, new Map()) : value, references, plain };
};

/** Puts actors in the place of their addresses; the value is one that has arrived, and is changed. */
export const unpack = <T>(value: T): T => {
  const seen = new Set<object>();
  const mend = (each: unknown): unknown => {
    if (isLeaf(each)) return each;
    const at = each as object;
    if (isAddress(at)) return actorAt(at);
    if (seen.has(at)) return at;
    seen.add(at);
    if (at instanceof Map) {
      const entries = [...at];
      at.clear();
      for (const [key, inner] of entries) at.set(mend(key), mend(inner));
    } else if (at instanceof Set) {
      const members = [...at];
      at.clear();
      for (const member of members) at.add(mend(member));
    } else if (!Object.isFrozen(at) && !ArrayBuffer.isView(at)) {
      for (const key of Object.keys(at)) {
        const inner = (at as Record<string, unknown>)[key];
        const mended = mend(inner);
        if (mended !== inner) (at as Record<string, unknown>)[key] = mended;
      }
    }
    return at;
  };
  return mend(value) as T;
};
