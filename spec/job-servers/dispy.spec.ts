import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Job, JobServer, NodeView } from '../../lib/index.ts';
import { closeJobs, openJobs } from '../support/jobs.ts';
import { freePort, startSshd } from '../support/sshd.ts';
import { chance, served, serverOf, tasks } from './served.ts';
import { Program } from './tasks.ts';

describe('the examples of dispy, at two nodes with keys', () => {
  const hosts = served(['--name', 'first', '--cpus', '2'], ['--name', 'second', '--cpus', '2']);
  closeJobs();
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'offsite-dispy-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const open = (options: object = {}, more: (name: string) => object = () => ({})): Promise<JobServer> =>
    openJobs({
      ncpus: 0,
      servers: hosts.map((host, at) => serverOf(host, more(['first', 'second'][at]!))),
      ...options,
    });

  /** Resolves when a node is as it should be. */
  const nodeIs = (jobs: JobServer, holds: (node: NodeView) => boolean): Promise<void> =>
    new Promise((resolve) => {
      const look = () => jobs.nodes.some(holds) && resolve();
      jobs.on('node', look);
      look();
    });

  test('A1. ten jobs of lengths by chance at nodes that are found each give their node and argument, and the tables list every node', async () => {
    const random = chance();
    const list = join(folder, 'nodes');
    writeFileSync(list, hosts.map(({ host }, at) => `${host} # the node ${at}\n`).join(''));
    const jobs = await openJobs({ ncpus: 0, servers: [`@${list}`], secret: hosts[0]!.secret });
    await nodeIs(jobs, ({ name }) => name === 'first');
    await nodeIs(jobs, ({ name }) => name === 'second');
    const lengths = Array.from({ length: 10 }, () => 20 + random(80));
    const results = await Promise.all(lengths.map((ms) => jobs.submit(tasks.sleepAt, [ms])));
    expect(results.map(([, ms]) => ms)).toEqual(lengths);
    expect(new Set(results.map(([node]) => node))).toEqual(new Set(['first', 'second']));
    const text = jobs.printStats({ write: () => {} });
    for (const node of ['first', 'second']) {
      const count = results.filter(([name]) => name === node).length;
      expect(text).toMatch(new RegExp(`^ *${count} \\|.*\\| ${node}$`, 'm'));
      expect(text).toMatch(new RegExp(`^${node} +\\| +2 \\| +${count} \\|`, 'm'));
    }
  });

  test('A2. an instance of a class as argument works there, and what its method prints is the output of the job', async () => {
    const jobs = await open();
    const programs = [1, 2, 3].map((steps) => new Program(`program ${steps}`, steps));
    const all = programs.map((program) => jobs.submit(tasks.runProgram, [program]));
    expect(await Promise.all(all)).toEqual(programs.map(({ steps }) => [true, steps]));
    expect(all.map(({ stdout }) => stdout)).toEqual(
      programs.map(({ name, steps }) =>
        Array.from({ length: steps }, (_, at) => `${name}: step ${at + 1}\n`).join(''),
      ),
    );
  });

  test('A3. each node gets its own data and arguments, its jobs read what setup has loaded once, and cleanup removes it', async () => {
    const data = { first: 'a b c', second: 'x y z' };
    const fileOf = (name: string) => join(folder, `${name}.data`);
    const jobs = await open({ setup: tasks.load, cleanup: tasks.unload }, (name) => ({
      cpus: 1,
      setupArgs: [fileOf(name), Buffer.from(data[name as 'first'])],
    }));
    const all = ['first', 'second'].flatMap((node) =>
      Array.from({ length: 6 }, (_, index) => jobs.submit(tasks.wordAt, [index], { node })),
    );
    const results = await Promise.all(all);
    for (const [node, text] of Object.entries(data)) {
      const here = results.filter((result) => result.node === node);
      expect(here.map(({ word }) => word).join(' ')).toBe(`${text} ${text}`);
      expect(here.every(({ file, times }) => file === fileOf(node) && times === 1)).toBe(true);
      expect(readFileSync(fileOf(node), 'utf8')).toBe(text);
    }
    await jobs.close();
    expect(['first', 'second'].filter((name) => existsSync(fileOf(name)))).toEqual([]);
  });

  test('A7. events of nodes and jobs drive one job at a node at a time, each with its own data file', async () => {
    const files = Array.from({ length: 8 }, (_, at) => join(folder, `part-${at}.bin`));
    for (const [at, file] of files.entries()) writeFileSync(file, `data ${at} `.repeat(100 + at));
    const left = [...files];
    const running = new Map<string, number>();
    const [hashes, begun] = [new Map<string, string>(), new Set<string>()];
    let most = 0;
    const jobs = await open();
    const done = new Promise<void>((resolve) => {
      const next = (node: string) => {
        const file = left.shift();
        if (!file) return hashes.size === files.length && resolve();
        jobs.submit(tasks.hashOfFile, [basename(file)], { node, depends: [file], data: file });
      };
      const onNode = ({ name, state }: NodeView) => {
        if (name === 'local' || state !== 'serving' || begun.has(name)) return;
        begun.add(name);
        next(name);
      };
      jobs.on('job', (job: Job) => {
        const node = job.node!;
        if (job.status === 'running') running.set(node, (running.get(node) ?? 0) + 1);
        most = Math.max(most, ...running.values());
        if (job.status !== 'finished') return;
        running.set(node, running.get(node)! - 1);
        hashes.set(job.data as string, job.value as string);
        next(node);
      });
      jobs.on('node', onNode);
      for (const node of jobs.nodes) onNode(node);
    });
    await done;
    expect(begun).toEqual(new Set(['first', 'second']));
    expect(most).toBe(1);
    for (const file of files) {
      expect(hashes.get(file)).toBe(createHash('sha256').update(readFileSync(file)).digest('hex'));
    }
  });

  test('A8. a function that is sent with one job can be used by that job only', async () => {
    const jobs = await openJobs({ ncpus: 0, servers: [serverOf(hosts[0]!, { cpus: 1 })] });
    const depends = [(x: number) => x * 2, (x: number) => x + 1];
    const [withBoth, without, withOne] = [depends, [], depends.slice(1)].map((depends) =>
      jobs.submit(tasks.useGiven, [20], { depends }),
    );
    expect(await withBoth).toEqual([40, 21]);
    expect(await without).toEqual([]);
    expect(await withOne).toEqual([21]);
    expect(await jobs.submit(tasks.useGiven, [20])).toEqual([]);
  });

  test('A12. a node that is reached only through an ssh tunnel runs jobs', async () => {
    const { access, close } = await startSshd({});
    const port = await freePort();
    const words = ['-L', `127.0.0.1:${port}:${hosts[1]!.host}`, '-o', 'ExitOnForwardFailure=yes'];
    const tunnel = spawn('ssh', [...access.options, ...words, access.host, 'echo open; cat'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const ended = once(tunnel, 'exit');
    try {
      await once(tunnel.stdout, 'data');
      const server = serverOf({ ...hosts[1]!, host: `127.0.0.1:${port}` });
      const jobs = await openJobs({ ncpus: 0, servers: [server] });
      const all = Array.from({ length: 10 }, (_, at) => jobs.submit(tasks.sleepAt, [at]));
      expect(await Promise.all(all)).toEqual(all.map((_, at) => ['second', at]));
      tunnel.kill();
      await ended;
      await nodeIs(jobs, ({ name, state }) => name === 'second' && state === 'lost');
    } finally {
      tunnel.kill();
      await ended;
      await close();
    }
  });
});
