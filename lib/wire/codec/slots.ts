import { isCount, listFrom, objectFrom } from './checks.ts';
import { type ErrorNode, type Node, Tag } from './graph.ts';

/** The node that an object in a slot's place leads to, `undefined` for `[]`; throws if it is no slot. */
export const refersTo = (slot: object, nodes: number): number | undefined => {
  if (Array.isArray(slot)) {
    if (slot.length === 0) return undefined;
    const [index] = slot as unknown[];
    if (slot.length === 1 && isCount(index) && index < nodes) return index;
  }
  throw new TypeError('A slot leads nowhere.');
};

/** The slots of a structure, among which may be numbers that are none; nothing for a node that is whole. */
export const slotsOf = (node: Node): unknown[] => {
  if (!Array.isArray(node)) return Object.values(node);
  switch (node[0]) {
    case Tag.bare:
      return Object.values(objectFrom(node[1]));
    case Tag.instance:
      return Object.values(objectFrom(node[2]));
    case Tag.error: {
      const { own, cause, errors } = objectFrom(node[1]) as unknown as ErrorNode;
      return [...Object.values(objectFrom(own)), cause, ...(errors ? listFrom(errors) : [])];
    }
    case Tag.array:
    case Tag.sparse:
    case Tag.map:
    case Tag.set:
      return node.slice(1);
    case Tag.live:
      return node.slice(4);
    default:
      return [];
  }
};

/** Throws if a graph that may be hostile has a structure that is deeper than `depth`, on the shortest way to it. */
export const assertShallow = (root: unknown, nodes: readonly Node[], depth: number): void => {
  // So few can't be deep.
  if (nodes.length <= depth) return;
  const met = new Uint8Array(nodes.length);
  let level: number[] = [];
  const meet = (slot: unknown, next: number[]) => {
    if (typeof slot !== 'object' || slot === null) return;
    const index = refersTo(slot, nodes.length);
    if (index === undefined || met[index]) return;
    met[index] = 1;
    next.push(index);
  };
  meet(root, level);
  for (let at = 1; level.length > 0; at++) {
    const next: number[] = [];
    for (const index of level) {
      const node = nodes[index]!;
      if (at > depth && isStructure(node)) throw new RangeError(`it is nested deeper than ${depth} levels.`);
      for (const slot of slotsOf(node)) meet(slot, next);
    }
    level = next;
  }
};

const isStructure = (node: Node): boolean =>
  !Array.isArray(node) || (node[0] !== Tag.leaf && node[0] !== Tag.bytes && node[0] !== Tag.live);
