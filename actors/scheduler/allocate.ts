/** How slots are shared out among clients. */
export type SharePolicy =
  /** Each gets as much as its weight says, as far as it has use for that (weighted max-min fairness). */
  | 'fair'
  /** The one whose first job has waited longest is served first, as far as it has use for that. */
  | 'fifo'
  /** One client has all; the next one begins when it has nothing more to do. */
  | 'exclusive';

/** A node's slots. */
export interface SharedNode {
  readonly name: string;
  /** How many sites may run there; 0 while it takes nothing. */
  readonly slots: number;
}

/** A client, as far as sharing out depends on it. */
export interface Claimant {
  readonly id: string;
  /** How many slots it could use now. */
  readonly wants: number;
  /** The priority of its first job: a higher one is served first, whatever the policy. */
  readonly priority: number;
  /** Its weight, 1 for all if nobody says otherwise. */
  readonly weight: number;
  /** Since when its first job has waited, in milliseconds since 1970. */
  readonly since: number;
  /** How many slots it has now, by the node's name. */
  readonly holds: ReadonlyMap<string, number>;
}

/** How many slots each client may have, by its id and the node's name. */
export type Shares = ReadonlyMap<string, ReadonlyMap<string, number>>;

const held = ({ holds }: Claimant): number => [...holds.values()].reduce((sum, count) => sum + count, 0);

/** Gives each of a group of equals its part of `slots` by weight; what one has no use for the others get. */
const fairly = (group: readonly Claimant[], slots: number, targets: Map<string, number>): number => {
  let left = slots;
  // One slot after another goes to whoever has least for its weight: exact for whole slots, and there are few.
  const open = new Set(group.filter(({ wants }) => wants > 0));
  while (left > 0 && open.size > 0) {
    let next: Claimant | undefined;
    let least = Infinity;
    for (const claimant of open) {
      const has = (targets.get(claimant.id)! + 1) / claimant.weight;
      // Who has waited longer comes first among equals.
      if (has < least || (has === least && claimant.since < next!.since)) {
        next = claimant;
        least = has;
      }
    }
    const count = targets.get(next!.id)! + 1;
    targets.set(next!.id, count);
    left--;
    if (count >= next!.wants) open.delete(next!);
  }
  return left;
};

const inTurn = (group: readonly Claimant[], slots: number, targets: Map<string, number>): number => {
  let left = slots;
  for (const { id, wants } of [...group].sort((one, other) => one.since - other.since)) {
    const count = Math.min(wants, left);
    targets.set(id, count);
    left -= count;
  }
  return left;
};

/** The one that has all: who has it already keeps it as long as it has use for it. */
const alone = (claimants: readonly Claimant[]): Claimant | undefined => {
  const busy = claimants.filter(({ wants }) => wants > 0);
  return (
    busy.find((claimant) => held(claimant) > 0) ??
    busy.sort((one, other) => other.priority - one.priority || one.since - other.since)[0]
  );
};

const targetsOf = (
  claimants: readonly Claimant[],
  slots: number,
  policy: SharePolicy,
): Map<string, number> => {
  const targets = new Map(claimants.map(({ id }) => [id, 0]));
  if (policy === 'exclusive') {
    const one = alone(claimants);
    // As long as somebody else's sites have not ended, it is not alone.
    const others = claimants.some((claimant) => claimant !== one && held(claimant) > 0);
    if (one && !others) targets.set(one.id, Math.min(one.wants, slots));
    return targets;
  }
  const share = policy === 'fair' ? fairly : inTurn;
  let left = slots;
  const priorities = [...new Set(claimants.map(({ priority }) => priority))].sort(
    (one, other) => other - one,
  );
  for (const priority of priorities)
    left = share(
      claimants.filter((claimant) => claimant.priority === priority),
      left,
      targets,
    );
  return targets;
};

/**
 * Shares the slots of nodes out among clients. What a client holds it keeps where it is, as far as its share goes; nobody
 * is given a slot that somebody else still holds, so shares may be less than the policy says until those end.
 */
export const allocate = (
  nodes: readonly SharedNode[],
  claimants: readonly Claimant[],
  policy: SharePolicy,
): Shares => {
  const slots = nodes.reduce((sum, node) => sum + node.slots, 0);
  const targets = targetsOf(claimants, slots, policy);
  const free = new Map(nodes.map(({ name, slots: count }) => [name, count]));
  for (const { holds } of claimants)
    for (const [name, count] of holds) if (free.has(name)) free.set(name, free.get(name)! - count);
  const shares = new Map<string, Map<string, number>>();
  for (const { id, holds } of claimants) {
    const share = new Map<string, number>();
    let left = targets.get(id)!;
    for (const { name } of nodes) {
      const kept = Math.min(holds.get(name) ?? 0, left);
      share.set(name, kept);
      left -= kept;
    }
    targets.set(id, left);
    shares.set(id, share);
  }
  // What is free goes to those who miss most, from the nodes that have most, so that load spreads.
  const missing = (): Claimant | undefined => {
    const open = claimants.filter(({ id }) => targets.get(id)! > 0);
    return open.sort(
      (one, other) => other.priority - one.priority || targets.get(other.id)! - targets.get(one.id)!,
    )[0];
  };
  for (let next = missing(); next; next = missing()) {
    const [name, count] = [...free].reduce((best, entry) => (entry[1] > best[1] ? entry : best), ['', 0]);
    if (count <= 0) break;
    free.set(name, count - 1);
    targets.set(next.id, targets.get(next.id)! - 1);
    const share = shares.get(next.id)!;
    share.set(name, share.get(name)! + 1);
  }
  return shares;
};
