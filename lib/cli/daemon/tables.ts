import type { ClientLine, DaemonStatus } from '../../../actors/daemon/status.ts';
import { written } from '../../cluster/direct/address.ts';
import { durationText } from '../detached/table.ts';
import { bytesText } from '../tree/render.ts';
import { columns, printable } from './columns.ts';

const RIGHT = new Set(['SINCE', 'PID', 'RUNS']);

/** The clients as lines: one for each site, with a head; one who has no site has a line too. */
export const clientTable = (clients: readonly ClientLine[], now: number): string[] =>
  columns(
    [
      ['USER', 'FROM', 'SINCE', 'SITE', 'PID', 'RUNS'],
      ...clients.flatMap(({ user, from, since, sites }) => {
        const client = [user, from, durationText(now - since)];
        if (sites.length === 0) return [[...client, '-', '-', '-']];
        return sites.map((site) => [...client, site.name, String(site.pid), durationText(now - site.since)]);
      }),
    ],
    RIGHT,
  );

const clock = (at: number): string => new Date(at).toISOString().slice(0, 16).replace('T', ' ');

const nextText = ({ next }: DaemonStatus, now: number): string => {
  if (!next) return '';
  return `, ${next.state} in ${durationText(next.at - now)} (${clock(next.at)} UTC)`;
};

const freeOf = ({ free, total }: { free: number; total: number }): string =>
  `${bytesText(free)} of ${bytesText(total)} free`;

/** How a daemon does, as lines for people; the clients follow if there are any. */
export const statusTable = (status: DaemonStatus, now: number): string[] => {
  const { name, host, pid, addresses, cpus, free, state, clients, labels } = status;
  const labelled = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  const running = clients.reduce((sum, { sites }) => sum + sites.length, 0);
  const facts: [string, string][] = [
    ['name', name === host ? name : `${name} on ${host}`],
    ['pid', String(pid)],
    ['at', addresses.map(written).join(' ')],
    ['state', `${state}${nextText(status, now)}`],
    ['since', durationText(now - status.since)],
    ['cpus', `${cpus}, ${free} free`],
    ['sites', `${running} now, ${status.started} in all`],
    ['clients', `${clients.length} now, ${status.served} in all`],
    ['load', `${Math.round(status.load * 100)} %`],
    ['memory', freeOf(status.memory)],
    ...(status.disk ? [['disk', freeOf(status.disk)] as [string, string]] : []),
    ...(status.maxFileSize === undefined
      ? []
      : [['files', `up to ${bytesText(status.maxFileSize)}`] as [string, string]]),
    ...(labelled.length > 0 ? [['labels', labelled.join(' ')] as [string, string]] : []),
    ['runs', `Offsite ${status.version}, Node.js ${status.node}, ${status.platform} ${status.arch}`],
  ];
  const lines = facts.map(([fact, text]) => `${fact.padEnd(7)}  ${printable(text)}`);
  return clients.length > 0 ? [...lines, '', ...clientTable(clients, now)] : lines;
};
