import { expect, test } from 'vitest';
import type { DaemonStatus } from '../../../actors/daemon/status.ts';
import { clientTable, statusTable } from '../../../lib/cli/daemon/tables.ts';

const now = Date.UTC(2026, 0, 2, 12);
const ago = (seconds: number): number => now - seconds * 1_000;

const status: DaemonStatus = {
  name: 'bamse',
  host: 'bamse',
  version: '0.1.0',
  node: '20.20.2',
  platform: 'linux',
  arch: 'x64',
  labels: {},
  cpus: 4,
  free: 3,
  state: 'serving',
  load: 0.123,
  memory: { total: 8 * 2 ** 30, free: 2 ** 31 },
  pid: 4711,
  addresses: [
    { host: '127.0.0.1', port: 35_000 },
    { host: '::1', port: 35_000 },
  ],
  since: ago(187_200),
  clients: [],
  started: 12,
  served: 3,
} as DaemonStatus;

test('a status has a line for each fact, and no line for what is not known', () => {
  expect(statusTable(status, now)).toEqual([
    'name     bamse',
    'pid      4711',
    'at       127.0.0.1:35000 [::1]:35000',
    'state    serving',
    'since    2d 4h',
    'cpus     4, 3 free',
    'sites    0 now, 12 in all',
    'clients  0 now, 3 in all',
    'load     12 %',
    'memory   2.0 GiB of 8.0 GiB free',
    'runs     Offsite 0.1.0, Node.js 20.20.2, linux x64',
  ]);
});

test('hours, labels, files and clients are in it where there are any', () => {
  const lines = statusTable(
    {
      ...status,
      host: 'host',
      next: { at: now + 3_600_000, state: 'draining' },
      labels: { gpu: 'a100', rack: '7' },
      maxFileSize: 10 * 2 ** 20,
      disk: { total: 2 ** 40, free: 2 ** 39 },
      clients: [{ user: 'ada', from: '10.0.0.3:51234', since: ago(62), sites: [] }],
    },
    now,
  );
  expect(lines).toEqual(
    expect.arrayContaining([
      'name     bamse on host',
      'state    serving, draining in 1h (2026-01-02 13:00 UTC)',
      'labels   gpu=a100 rack=7',
      'files    up to 10.0 MiB',
      'disk     512 GiB of 1.0 TiB free',
      'ada   10.0.0.3:51234  1m 2s  -       -     -',
    ]),
  );
});

test('clients have a line for each of their sites, columns stand under each other, and names can not steer a terminal', () => {
  const sites = [
    { name: 'bamse/1', pid: 4719, since: ago(58) },
    { name: '\u001b[31mred', pid: 5, since: ago(1) },
  ];
  expect(
    clientTable(
      [
        { user: 'ada', from: '10.0.0.3:51234', since: ago(62), sites },
        { user: 'grace', from: '[::1]:40000', since: ago(5), sites: [] },
      ],
      now,
    ),
  ).toEqual([
    'USER   FROM            SINCE  SITE       PID  RUNS',
    'ada    10.0.0.3:51234  1m 2s  bamse/1   4719   58s',
    'ada    10.0.0.3:51234  1m 2s  ?[31mred     5    1s',
    'grace  [::1]:40000        5s  -            -     -',
  ]);
});
