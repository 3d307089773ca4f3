import type { FoundNode, NodeBasics } from './node.ts';

/** Whether two findings are the same node: it announces itself so, or they have an address in common. */
export const isSame = (a: FoundNode, b: FoundNode): boolean =>
  (a.id !== undefined && a.id === b.id) || a.aliases.some((alias) => b.aliases.includes(alias));

/** Each node once, as it was found first, with all addresses that it was found by. */
export const merged = <State extends NodeBasics>(nodes: readonly FoundNode<State>[]): FoundNode<State>[] => {
  const result: FoundNode<State>[] = [];
  for (const node of nodes) {
    const index = result.findIndex((one) => isSame(one, node));
    if (index < 0) {
      result.push(node);
      continue;
    }
    const known = result[index]!;
    // What was announced is known of it, also where another way was quicker.
    const { id = node.id, interface: heardOn = node.interface, secured = node.secured } = known;
    result[index] = {
      ...known,
      aliases: [...new Set([...known.aliases, ...node.aliases])],
      ...(id !== undefined && { id }),
      ...(heardOn !== undefined && { interface: heardOn }),
      ...(secured !== undefined && { secured }),
    };
  }
  return result;
};
