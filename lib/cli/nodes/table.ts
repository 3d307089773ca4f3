import { written } from '../../cluster/direct/address.ts';
import type { FoundNode } from '../../discovery/node.ts';
import type { NodeState } from '../../fork/daemon/node-state.ts';

/** Control characters in a name must not reach the terminal. */
const printable = (text: string): string => text.replace(/\p{C}/gu, '?');

/** The columns whose cells are numbers. */
const NUMBERS = [3, 4];

/** Nodes as lines whose columns stand under each other, with a head. */
export const nodeTable = (nodes: readonly FoundNode<NodeState>[]): string[] => {
  const rows = [
    ['NAME', 'ADDRESS', 'STATE', 'CPUS', 'FREE', 'VERSION', 'BY'],
    ...nodes.map(({ address, by, interface: heardOn, state }) => [
      printable(state.name),
      written(address),
      printable(state.state),
      String(state.cpus),
      String(state.free),
      printable(state.version),
      heardOn === undefined ? by : `${by} ${heardOn}`,
    ]),
  ];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row
      .map((cell, column) =>
        NUMBERS.includes(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
      )
      .join('  ')
      .trimEnd(),
  );
};
