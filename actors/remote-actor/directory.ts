import type { AnyActorRef } from 'xstate';

/** The parts of an XState system by which actors get their system ids. */
interface System {
  get(systemId: string): AnyActorRef | undefined;
  getAll(): Record<string, AnyActorRef>;
  _set(systemId: string, actor: AnyActorRef): void;
  _unregister(actor: AnyActorRef): void;
}

/** Another site of the tree, as far as system ids go. */
export interface Neighbour {
  /** Tells it of a system id; without an actor it is free again. Never throws. */
  announce(systemId: string, actor: AnyActorRef | undefined): void;
}

const duplicate = (systemId: string): Error =>
  new Error(`Actor with system ID '${systemId}' already exists.`);

/**
 * The system ids of a tree of sites, as one of its sites knows them: those of its own XState system, and those that its
 * neighbours (the site that started it, and those that it has started) have announced. What is here is found first. Each
 * passes on what it hears, so that all know the same soon after.
 */
export class Directory {
  readonly #system: System;
  readonly #getHere: System['get'];
  readonly #neighbours = new Set<Neighbour>();
  readonly #elsewhere = new Map<string, { actor: AnyActorRef; from: Neighbour }>();
  readonly #names = new WeakMap<AnyActorRef, string>();

  constructor(system: AnyActorRef['system']) {
    const { get, getAll, _set, _unregister } = system as unknown as System;
    this.#system = system as unknown as System;
    this.#getHere = get;
    for (const [systemId, actor] of Object.entries(getAll())) this.#names.set(actor, systemId);
    // The system is an object of XState's without a class: this is how another can stand in for its parts.
    Object.assign(system, {
      get: (systemId: string) => get(systemId) ?? this.#elsewhere.get(systemId)?.actor,
      _set: (systemId: string, actor: AnyActorRef) => {
        const known = this.#elsewhere.get(systemId)?.actor;
        if (known && known !== actor) throw duplicate(systemId);
        const isNew = get(systemId) !== actor;
        _set(systemId, actor);
        if (!isNew) return;
        this.#names.set(actor, systemId);
        this.#tell(systemId, actor);
      },
      _unregister: (actor: AnyActorRef) => {
        const systemId = this.#names.get(actor);
        const holds = systemId !== undefined && get(systemId) === actor;
        _unregister(actor);
        if (!holds) return;
        this.#names.delete(actor);
        this.#tell(systemId, this.#elsewhere.get(systemId)?.actor);
      },
    });
  }

  /** All that is known, for a site that is new in the tree. */
  get entries(): (readonly [string, AnyActorRef])[] {
    const elsewhere = [...this.#elsewhere].map(([systemId, { actor }]) => [systemId, actor] as const);
    return [...new Map([...elsewhere, ...Object.entries(this.#system.getAll())])];
  }

  /** A site has joined the tree here. */
  join(neighbour: Neighbour): void {
    this.#neighbours.add(neighbour);
  }

  /** A site has left, and with it all that was known through it. */
  leave(neighbour: Neighbour): void {
    this.#neighbours.delete(neighbour);
    for (const [systemId, { from }] of [...this.#elsewhere]) {
      if (from === neighbour) this.hear(systemId, undefined, neighbour);
    }
  }

  /** A neighbour announces a system id. */
  hear(systemId: string, actor: AnyActorRef | undefined, from: Neighbour): void {
    const known = this.#elsewhere.get(systemId);
    if (!actor) {
      if (known?.from !== from) return;
      this.#elsewhere.delete(systemId);
      if (!this.#getHere(systemId)) this.#tell(systemId, undefined, from);
      return;
    }
    const here = this.#getHere(systemId);
    const other = here ?? (known && known.from !== from ? known.actor : undefined);
    if (other === actor) return;
    if (other) {
      // Two sites gave it at the same moment. Each finds its own, the others what they heard of first.
      process.emitWarning(
        `Actor with system ID '${systemId}' exists in two sites of one tree (${other.id} and ${actor.id}); each site finds its own. Give them different ids.`,
        { type: 'DuplicateSystemIdWarning' },
      );
      if (known) return;
    }
    this.#elsewhere.set(systemId, { actor, from });
    if (!here) this.#tell(systemId, actor, from);
  }

  #tell(systemId: string, actor: AnyActorRef | undefined, except?: Neighbour): void {
    for (const neighbour of this.#neighbours) if (neighbour !== except) neighbour.announce(systemId, actor);
  }
}

const directories = new WeakMap<object, Directory>();

/** The directory of an XState system; made at the first wish. */
export const directoryOf = (system: AnyActorRef['system']): Directory => {
  let directory = directories.get(system);
  if (!directory) {
    directory = new Directory(system);
    directories.set(system, directory);
  }
  return directory;
};
