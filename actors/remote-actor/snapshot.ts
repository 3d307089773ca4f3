import type { AnyActorRef, Snapshot, StateValue } from 'xstate';

/** A machine's snapshot without what only works beside its machine. */
interface MachineReport {
  readonly machine: true;
  readonly status: string;
  readonly output: unknown;
  readonly error: unknown;
  readonly value: StateValue;
  readonly context: unknown;
  readonly tags: readonly string[];
  readonly children: Readonly<Record<string, AnyActorRef | undefined>>;
  /** Why the context and the children are not here. */
  readonly refused?: Error;
}

interface MachineSnapshotLike extends Omit<MachineReport, 'machine' | 'tags'> {
  readonly machine: object;
  readonly tags: Set<string>;
}

const isMachineSnapshot = (snapshot: object): snapshot is MachineSnapshotLike =>
  'machine' in snapshot && 'value' in snapshot && 'tags' in snapshot;

/** What of a snapshot crosses: a machine's without the machine, another logic's without what it keeps for itself. */
export const reportOf = (snapshot: Snapshot<unknown>): object => {
  if (isMachineSnapshot(snapshot)) {
    const { status, output, error, value, context, tags, children } = snapshot;
    return { machine: true, status, output, error, value, context, tags: [...tags], children };
  }
  // What begins with a line is a subscription or the like; the owner has the input.
  return Object.fromEntries(
    Object.entries(snapshot).filter(([key]) => !key.startsWith('_') && key !== 'input'),
  );
};

/** The same without the parts that a user puts in, because one of them can't cross. */
export const reportWithout = (report: object, refused: Error): object => {
  const { context: _, children: __, ...rest } = report as Partial<MachineReport>;
  return { ...rest, refused };
};

/** A state value with its names as an object, `a.b` as XState reads it. */
const asValue = (value: StateValue): StateValue => {
  if (typeof value !== 'string' || !value.includes('.')) return value;
  const names = value.split('.');
  const last = names.pop()!;
  return names.reduceRight<StateValue>((inner, name) => ({ [name]: inner }), last);
};

/** Whether a machine that is in `value` is in `wanted` too, as XState's `matchesState`. */
export const matches = (wanted: StateValue, value: StateValue | undefined): boolean => {
  const tested = asValue(wanted);
  if (value === undefined) return false;
  if (typeof value === 'string') return tested === value;
  if (typeof tested === 'string') return tested in value;
  return Object.keys(tested).every(
    (key) => key in value && matches(tested[key] as StateValue, value[key] as StateValue),
  );
};

/** Makes reading a part throw the reason why it is not here. */
const refuse = (snapshot: object, key: string, refused: Error): void => {
  Object.defineProperty(snapshot, key, {
    enumerable: false,
    configurable: true,
    get: () => {
      throw refused;
    },
  });
};

/** The snapshot that a report tells of, with the methods of a machine's that work without the machine. */
export const snapshotOf = (report: object, input: unknown): Snapshot<unknown> => {
  const { machine, refused, tags, ...rest } = report as Partial<MachineReport>;
  const snapshot: Record<string, unknown> = { output: undefined, error: undefined, ...rest };
  if (!machine) snapshot.input = input;
  if (machine) {
    const held = new Set(tags);
    Object.assign(snapshot, { tags: held });
    const methods = {
      matches: (wanted: StateValue) => matches(wanted, rest.value),
      hasTag: (tag: string) => held.has(tag),
    };
    // As it prints, and as it is compared, it is data.
    for (const [name, value] of Object.entries(methods)) {
      Object.defineProperty(snapshot, name, { value, enumerable: false, configurable: true });
    }
  }
  if (refused)
    for (const key of machine ? ['context', 'children'] : ['context']) refuse(snapshot, key, refused);
  return snapshot as unknown as Snapshot<unknown>;
};

/** The snapshot of an actor from which nothing has been heard yet. */
export const unheard = (input: unknown): Snapshot<unknown> => {
  const snapshot = snapshotOf({ status: 'active', context: undefined }, input) as unknown as object;
  const methods = { matches: () => false, hasTag: () => false };
  for (const [name, value] of Object.entries(methods)) {
    Object.defineProperty(snapshot, name, { value, enumerable: false, configurable: true });
  }
  return snapshot as Snapshot<unknown>;
};
