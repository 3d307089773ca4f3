/**
 * How a rich value is written: as a table of nodes, one for each thing that has an identity, whose slots are values
 * of their own or lead to other nodes. So cycles and shared parts need no care, and nothing recurses. docs/protocol.md
 * has the whole form.
 */

/** What a place in a value holds: an immediate, `[]` for undefined, or `[n]` for the node n. */
export type Slot = string | number | boolean | null | readonly [] | readonly [number];

/** First elements of the nodes that are not plain objects; what follows each is told beside it. */
export const Tag = {
  /** A slot for each element. */
  array: 0,
  /** Its length, then index and slot of each element that is there. */
  sparse: 1,
  /** An object of slots; it has no prototype. */
  bare: 2,
  /** Slots of key and value by turns. */
  map: 3,
  /** A slot for each member. */
  set: 4,
  /** The registered name of the class, an object of slots. */
  instance: 5,
  /** An ErrorNode. */
  error: 6,
  /** The name of the view, an attachment, and of a view its offset in bytes and its length in elements. */
  bytes: 7,
  /** kind, id, home, and a slot if a value goes with it. */
  live: 8,
  /** An index among the leaves, which superjson carries. */
  leaf: 9,
  /** The slot of a boxed primitive. */
  boxed: 10,
} as const;

/** A node: an object of slots stands for a plain object, an array begins with its tag. */
export type Node = unknown[] | Record<string, Slot>;

/** An error as it crosses. */
export interface ErrorNode {
  /** Names of its class and that class's ancestors, nearest first. */
  classes: string[];
  name: string;
  message: string;
  stack: string;
  /** Own enumerable properties, `code` among them. */
  own: Record<string, Slot>;
  cause?: Slot;
  /** What an AggregateError gathers. */
  errors?: Slot[];
}

/**
 * Where the bytes of an attachment are: its size if it lies in the frame, number and size if it was carried beside it,
 * the number alone if it is shared memory.
 */
export type Place = number | readonly [number, number] | readonly [number];

/** What stands in a rich body before the attachments; what is empty at the end is left out. */
export type Graph = readonly [root: Slot, nodes?: Node[], places?: Place[], leaves?: unknown];

/** Sets a property of a fresh object, also one that is called `__proto__`, and never through a setter. */
export const define = (target: object, key: string, value: unknown): void => {
  Object.defineProperty(target, key, { value, configurable: true, enumerable: true, writable: true });
};

/** As `define`, and faster for a plain object or one without a prototype. */
export const put = (target: Record<string, unknown>, key: string, value: unknown): void => {
  if (key === '__proto__') define(target, key, value);
  else target[key] = value;
};
