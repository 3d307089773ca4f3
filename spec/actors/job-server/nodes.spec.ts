import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { Daemon, type DaemonOptions, type JobServer, type NodeView } from '../../../lib/index.ts';
import { closeJobs, openJobs, work } from '../../support/jobs.ts';
import { rejection } from '../../support/sites.ts';

/** Resolves when a node is as it should be. */
const nodeIs = (jobs: JobServer, holds: (node: NodeView) => boolean): Promise<NodeView> =>
  new Promise((resolve) => {
    const known = jobs.nodes.find(holds);
    if (known) return resolve(known);
    const listener = (node: NodeView) => {
      if (!holds(node)) return;
      jobs.off('node', listener);
      resolve(node);
    };
    jobs.on('node', listener);
  });

describe('nodes of a job server', () => {
  closeJobs();
  const daemons = new Set<Daemon>();
  afterEach(async () => {
    const all = [...daemons];
    daemons.clear();
    await Promise.all(all.map((daemon) => daemon.stop({ now: true })));
  });
  const serve = async (options: DaemonOptions = {}) => {
    const daemon = await Daemon.open({ port: 0, host: ['127.0.0.1'], cpus: 2, ...options });
    daemons.add(daemon);
    return { daemon, server: `127.0.0.1:${daemon.status().addresses[0]!.port}` };
  };
  const local = (name: string, more = {}) => ({ name, fork: 'virtual' as const, cpus: 1, ...more });

  test('jobs run at a daemon, which tells its name, its labels and its slots', async () => {
    const { server } = await serve({ name: 'bamse', labels: { gpu: 'yes' } });
    const jobs = await openJobs({ ncpus: 0, servers: [server] });
    const job = jobs.submit(work.about, [], { data: 1 });
    expect((await job).node).toBe('bamse');
    expect(jobs.nodes.find(({ name }) => name === 'bamse')).toMatchObject({
      server,
      labels: { gpu: 'yes' },
      cpus: 2,
      state: 'serving',
    });
    expect(jobs.getActiveNodes()).toEqual({ bamse: 2 });
  });

  test('a daemon that has gone loses its jobs, and takes new ones when it is back', async () => {
    const { daemon, server } = await serve({ name: 'n1' });
    const port = daemon.status().addresses[0]!.port;
    const jobs = await openJobs({ ncpus: 0, servers: [server] });
    const job = jobs.submit(work.announce);
    for await (const _ of job.provisional) break;
    await daemon.stop({ now: true });
    expect(await rejection(job.result)).toMatchObject({ code: 'ERR_OFFSITE_JOB_LOST', node: 'n1' });
    await nodeIs(jobs, ({ state }) => state === 'lost');
    const next = jobs.submit(work.add, [1, 2]);
    await serve({ name: 'n1', port });
    expect(await next).toBe(3);
    expect(jobs.nodes.map(({ name }) => name)).toEqual(['local', 'n1']);
  });

  test('daemons are found where a word says', async () => {
    const { server } = await serve({ name: 'first' });
    const list = join(mkdtempSync(join(tmpdir(), 'jobs-nodes-')), 'list');
    writeFileSync(list, `${server} # the first one`);
    const jobs = await openJobs({ ncpus: 0, servers: [`@${list}`] });
    expect((await jobs.submit(work.about)).node).toBe('first');
    // Those that are found can be like a server that is named.
    const labelled = { host: `@${list}`, fork: 'daemon', labels: { found: 'yes' }, cpus: 1 };
    const others = await openJobs({ ncpus: 0, servers: [labelled] });
    expect((await others.submit(work.about, [], { placement: { labels: { found: 'yes' } } })).node).toBe(
      'first',
    );
    expect(others.getActiveNodes()).toEqual({ first: 1 });
    rmSync(dirname(list), { recursive: true });
  });

  test('D4: a daemon that does not let this program in, or is not there, is named in the error', async () => {
    const jobs = await openJobs({ ncpus: 0, servers: ['127.0.0.1:1'], nodeTimeout: 300 });
    const error = await rejection(jobs.submit(work.nothing).result);
    expect(error).toMatchObject({ code: 'ERR_OFFSITE_JOB_NO_NODE' });
    expect((error as Error).message).toMatch(/127\.0\.0\.1:1: .*ECONNREFUSED|127\.0\.0\.1:1: .*listens/);
  });

  test('jobs are placed by a pinned name, by rules, and by a function of the node', async () => {
    const jobs = await openJobs({
      ncpus: 0,
      nodeTimeout: 200,
      servers: [local('a', { labels: { disk: 'ssd' } }), local('b', { labels: { disk: 'hdd' } })],
    });
    const at = async (options: object) => (await jobs.submit(work.about, [], options)).node;
    expect(await at({ node: 'b' })).toBe('b');
    expect(await at({ placement: { labels: { disk: 'ssd' }, platform: process.platform } })).toBe('a');
    expect(await at({ placement: ({ name }: NodeView) => name === 'b' })).toBe('b');
    expect(await rejection(jobs.submit(work.nothing, [], { node: 'c' }).result)).toMatchObject({
      code: 'ERR_OFFSITE_JOB_NO_NODE',
      message: expect.stringContaining('a: the job is for the node c'),
    });
    expect(
      await rejection(jobs.submit(work.nothing, [], { placement: { arch: 'none' } }).result),
    ).toMatchObject({
      code: 'ERR_OFFSITE_JOB_NO_NODE',
    });
  });

  test('a placement that throws suits no node, and the error says so', async () => {
    const jobs = await openJobs({ ncpus: 1, nodeTimeout: 50 });
    const placement = () => {
      throw new Error('no idea');
    };
    expect(await rejection(jobs.submit(work.nothing, [], { placement }).result)).toMatchObject({
      message: expect.stringContaining('no idea'),
    });
  });

  test('a job for a node that is not there says which one that was', async () => {
    const jobs = await openJobs({ ncpus: 1, nodeTimeout: 50 });
    expect(await rejection(jobs.submit(work.nothing, [], { node: 'bamse' }).result)).toMatchObject({
      code: 'ERR_OFFSITE_JOB_NO_NODE',
      message: expect.stringContaining('local: the job is for the node bamse'),
    });
  });

  test('jobs of a higher priority are begun first', async () => {
    const jobs = await openJobs({ ncpus: 0, servers: [local('a')] });
    const order: number[] = [];
    const first = jobs.submit(work.rest, [30]);
    const priorities = [0, 5, -1, 5, 1];
    const all = priorities.map((priority, i) =>
      jobs.submit(work.add, [i, 0], { priority, callback: ({ value }) => order.push(value!) }),
    );
    await Promise.all([first, ...all]);
    expect(order).toEqual([1, 3, 4, 0, 2]);
  });

  test('B3: the number of workers changes while jobs run, and results stay right', async () => {
    const jobs = await openJobs({ ncpus: 1, fork: 'virtual' });
    for (const ncpus of [1, 2, 4, 1]) {
      jobs.setNcpus(ncpus);
      expect(jobs.ncpus).toBe(ncpus);
      const all = Array.from({ length: 8 }, (_, i) => jobs.submit(work.rest, [i]));
      expect(await Promise.all(all)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    }
  });

  test('a node is drained, comes back, is added and dropped while jobs run', async () => {
    const jobs = await openJobs({ ncpus: 0, servers: [local('a')] });
    const long = jobs.submit(work.rest, [50]);
    await new Promise<void>((resolve) => jobs.on('job', ({ status }) => status === 'running' && resolve()));
    const drained = jobs.drainNode('a');
    const waiting = jobs.submit(work.about);
    jobs.addServer(local('b'));
    expect((await waiting).node).toBe('b');
    await drained;
    expect(long.status).toBe('finished');
    jobs.resumeNode('a');
    await jobs.dropNode('b');
    expect((await jobs.submit(work.about)).node).toBe('a');
    expect(jobs.getActiveNodes()).toEqual({ a: 1 });
  });

  test('each node has its own arguments for setup, and a fresh site for each job if that is wished', async () => {
    const jobs = await openJobs({
      ncpus: 0,
      servers: [local('a', { setupArgs: ['for a'] }), local('b')],
      setup: { run: work.setup, args: ['for all'] },
      restartWorkers: true,
    });
    const dataOf = async (node: string) => (await jobs.submit(work.about, [], { node })).nodeData;
    expect(await dataOf('a')).toEqual({ setups: 1, args: ['for a'] });
    expect(await dataOf('b')).toEqual({ setups: 1, args: ['for all'] });
    expect(await dataOf('b')).toEqual({ setups: 1, args: ['for all'] });
  });

  test('A1: the tables list every node with its jobs, under their heads', async () => {
    const jobs = await openJobs({ ncpus: 0, servers: [local('a'), local('long-name')] });
    await Promise.all(['a', 'a', 'long-name'].map((node) => jobs.submit(work.add, [1, 2], { node })));
    const printed: string[] = [];
    const text = jobs.printStats({ write: (text) => printed.push(text) });
    expect(printed).toEqual([text]);
    const [, head, , local0, a, long] = text.split('\n');
    expect(head).toBe('job count | % of all jobs | job time sum | time per job | job server');
    expect([local0, a, long].map((line) => line!.split('|').map((cell) => cell.trim()))).toMatchObject([
      ['0', '0.00', {}, {}, 'local'],
      ['2', '66.67', {}, {}, 'a'],
      ['1', '33.33', {}, {}, 'long-name'],
    ]);
    expect(a!.indexOf('|')).toBe(head!.indexOf('|'));
    expect(text).toMatch(/Node +\| CPUs \| Jobs \| Sec\/Job \| Node Time Sec \| Sent \| Rcvd/);
    expect(text).toMatch(
      /Jobs pending: 0\nTotal job time: [\d.]+ s, wall time: [\d.]+ s, speed-up: [\d.]+\n$/,
    );
  });
});
