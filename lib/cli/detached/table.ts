import type { DetachedSite } from '../../ticket/site-folder.ts';

const UNITS = [
  ['d', 86_400],
  ['h', 3_600],
  ['m', 60],
  ['s', 1],
] as const;

/** A time as people say it: its two largest units. */
export const durationText = (ms: number): string => {
  let rest = Math.max(0, Math.floor(ms / 1000));
  const parts: string[] = [];
  for (const [unit, seconds] of UNITS) {
    const count = Math.floor(rest / seconds);
    rest -= count * seconds;
    if (count > 0 || (unit === 's' && parts.length === 0)) parts.push(`${count}${unit}`);
  }
  return parts.slice(0, 2).join(' ');
};

/** Control characters in a name must not reach the terminal. */
const printable = (text: string): string => text.replace(/\p{Cc}/gu, '?');

/** The sites as lines whose columns stand under each other, with a head. */
export const siteTable = (sites: readonly DetachedSite[], now: number): string[] => {
  const rows = [
    ['NAME', 'PID', 'AGE', 'IDLE', 'CLIENTS', 'CALLS', 'NODE'],
    ...sites.map(({ name, pid, since, idle, clients, calls, node }) => [
      printable(name),
      String(pid),
      durationText(now - since),
      clients > 0 ? '-' : durationText(idle),
      String(clients),
      String(calls),
      node,
    ]),
  ];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 || column === 6 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!),
      )
      .join('  ')
      .trimEnd(),
  );
};
