import type { SchedulerStatus } from '../../../actors/scheduler.ts';
import { columns } from '../daemon/columns.ts';
import { durationText } from '../detached/table.ts';

const RIGHT = new Set(['CPUS', 'FREE', 'SINCE', 'WANTS', 'HAS']);

/** The nodes and clients of a scheduler, as lines for people. */
export const schedulerTable = ({ nodes, clients, policy }: SchedulerStatus, now: number): string[] => {
  const nodeRows = nodes.map(({ name, at, by, state, cpus, free }) => [
    name,
    at,
    by,
    state,
    String(cpus),
    String(free),
  ]);
  const clientRows = clients.map(({ user, from, since, wants, holds }) => [
    user,
    from,
    durationText(now - since),
    String(wants),
    String(Object.values(holds).reduce((sum, count) => sum + count, 0)),
  ]);
  return [
    ...columns([['NODE', 'AT', 'BY', 'STATE', 'CPUS', 'FREE'], ...nodeRows], RIGHT),
    '',
    ...columns([['USER', 'FROM', 'SINCE', 'WANTS', 'HAS'], ...clientRows], RIGHT),
    '',
    `policy  ${policy}`,
  ];
};
