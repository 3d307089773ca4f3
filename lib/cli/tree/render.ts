import type { TreeNode } from '../../engine/tree.ts';

const BYTES = 1024;
const SECOND = 1_000;

/** Bytes for people: three digits and a unit. */
export const bytesText = (bytes: number): string => {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let [value, unit] = [bytes, 0];
  while (value >= 1_000 && unit < units.length - 1) {
    value /= BYTES;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
};

/** A time for people: its two largest units. */
export const durationText = (ms: number): string => {
  const seconds = Math.floor(ms / SECOND);
  const [minutes, hours, days] = [60, 3_600, 86_400].map((unit) => Math.floor(seconds / unit)) as [
    number,
    number,
    number,
  ];
  if (days > 0) return `${days}d ${hours % 24}h`;
  if (hours > 0) return `${hours}h ${minutes % 60}m`;
  if (minutes > 0) return `${minutes}m ${seconds % 60}s`;
  return ms < 10 * SECOND ? `${(ms / SECOND).toFixed(1)}s` : `${seconds}s`;
};

const HEAD = [
  'NAME',
  'KIND',
  'STATE',
  'HOST',
  'FORK',
  'PID',
  'RESTARTS',
  'CALLS',
  'MEMORY',
  'UPTIME',
] as const;
/** Columns of numbers stand on the right. */
const RIGHT = new Set<string>(['PID', 'RESTARTS', 'CALLS', 'MEMORY', 'UPTIME']);

/** Control characters of a name, which comes from another process, must not reach a terminal. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is taken out
const clean = (text: string): string => text.replace(/[\u0000-\u001f\u007f-\u009f]/g, '?');

const cells = (node: TreeNode, prefix: string): string[] => {
  const { kind, name, state, strategy, host, fork, pid, restarts, inFlight, memory, uptime, unanswered } =
    node;
  return [
    prefix + clean(name),
    strategy ? `${kind} ${strategy}` : kind,
    unanswered === undefined ? state : `${state}, no answer`,
    host ?? '',
    fork ?? '',
    pid === undefined ? '' : String(pid),
    restarts === undefined ? '' : String(restarts),
    inFlight === undefined ? '' : String(inFlight),
    memory === undefined ? '' : bytesText(memory),
    uptime === undefined ? '' : durationText(uptime),
  ].map((cell, column) => (column === 0 ? cell : clean(cell)));
};

const rowsOf = (node: TreeNode, first: string, rest: string): string[][] => [
  cells(node, first),
  ...node.children.flatMap((child, index) => {
    const last = index === node.children.length - 1;
    return rowsOf(child, `${rest}${last ? '└─ ' : '├─ '}`, `${rest}${last ? '   ' : '│  '}`);
  }),
];

/** A tree as aligned lines, a heading first, none longer than `columns`. */
export const treeText = (trees: readonly TreeNode[], columns = Infinity): string => {
  const rows: (readonly string[])[] = [HEAD, ...trees.flatMap((tree) => rowsOf(tree, '', ''))];
  const widths = HEAD.map((_name, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) =>
        RIGHT.has(HEAD[column]!) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
      )
      .join('  ')
      .trimEnd()
      .slice(0, columns);
  return `${rows.map(line).join('\n')}\n`;
};
