import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { keyLine, newKey } from '../../lib/access/key-file.ts';
import { JobServer, RemoteManager } from '../../lib/index.ts';
import { offsite, type Running, start } from './cli.ts';

const folderOf = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'offsite-scheduler-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
};

const run = (words: string[], env: NodeJS.ProcessEnv = {}): Running => {
  const running = start(words, env);
  onTestFinished(async () => {
    running.child.kill('SIGKILL');
    await running.ended;
  });
  return running;
};

/** A scheduler with a key for a client and one for a node, and a node that has joined it. */
const setUp = async (...words: string[]) => {
  const folder = folderOf();
  const env = { XDG_RUNTIME_DIR: folder, OFFSITE_CONTROL: '1' };
  const [ada, node] = [keyLine(newKey('ada', 'use')), keyLine(newKey('node-1', 'node'))];
  const [keys, nodeKey] = [join(folder, 'keys'), join(folder, 'node.key')];
  writeFileSync(keys, `${ada}\n${node}\n`, { mode: 0o600 });
  writeFileSync(nodeKey, `${node}\n`, { mode: 0o600 });
  const scheduler = run(
    ['scheduler', '--host', '127.0.0.1', '--port', '0', '--json', '--secret-file', keys, ...words],
    env,
  );
  const [line] = await scheduler.until('stdout', /^.*\n/);
  const { addresses } = JSON.parse(line) as { addresses: { port: number }[] };
  const host = `127.0.0.1:${addresses[0]!.port}`;
  const rejoin = (name = 'behind') =>
    run(['join', `wss://${host}`, '--name', name, '--cpus', '2', '--secret-file', nodeKey], env);
  const joined = rejoin();
  await scheduler.until('stdout', /has joined/);
  return { env, host, ada, node, scheduler, joined, rejoin };
};

describe('offsite scheduler', () => {
  test('has jobs run on a node that dials it, and needs no open port', async () => {
    const { host, ada } = await setUp();
    const jobs = await JobServer.open({ ncpus: 0, servers: [host], secret: ada });
    onTestFinished(() => jobs.terminate());
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, index) => jobs.submit((x: number) => x * x, [index])),
    );
    expect(results).toEqual(Array.from({ length: 20 }, (_, index) => index * index));
    expect(jobs.getActiveNodes()).toEqual({ behind: 2 });
  });

  test('tells jobs of it when a node has gone, and takes it up again', async () => {
    const { host, ada, joined, rejoin } = await setUp();
    const jobs = await JobServer.open({ ncpus: 0, servers: [host], secret: ada });
    onTestFinished(() => jobs.terminate());
    expect(await jobs.submit(() => 1)).toBe(1);
    joined.child.kill('SIGKILL');
    await expect.poll(() => jobs.nodes.some(({ name }) => name === 'behind')).toBe(false);
    const later = jobs.submit(() => 2);
    rejoin();
    expect(await later).toBe(2);
  });

  test('gives a slot of the node that a job asks for, also to who has idle ones elsewhere', async () => {
    const { host, ada, rejoin, scheduler } = await setUp();
    const jobs = await JobServer.open({ ncpus: 0, servers: [host], secret: ada });
    onTestFinished(() => jobs.terminate());
    await Promise.all([1, 2].map((x) => jobs.submit((y: number) => y, [x], { node: 'behind' })));
    rejoin('other');
    await scheduler.until('stdout', /other has joined/);
    expect(await jobs.submit(() => 3, [], { node: 'other' })).toBe(3);
  });

  test('lets nobody join by the key of a client, nor have sites by that of a node', async () => {
    const { host, env, ada, node } = await setUp();
    await expect(
      new RemoteManager({ host, fork: 'daemon', credentials: { secret: node } }).ready,
    ).rejects.toThrow(/: the daemon at \S+ does not let node-1 ask for \/site, which/);
    const file = join(env.XDG_RUNTIME_DIR, 'ada.key');
    writeFileSync(file, `${ada}\n`, { mode: 0o600 });
    const stranger = run(['join', `wss://${host}`, '--secret-file', file], env);
    await stranger.until('stderr', /does not let ada ask for \/join/);
  });

  test('prints its nodes and clients at SIGUSR1, and ends in order at SIGTERM', async () => {
    const { host, ada, scheduler } = await setUp('--weight', 'ada=2');
    const site = new RemoteManager({ host, fork: 'daemon', credentials: { secret: ada } });
    onTestFinished(() => site.close());
    await site.ready;
    scheduler.child.kill('SIGUSR1');
    await scheduler.until('stderr', /ada .* 1 +1\n/);
    expect(scheduler.output.stderr).toMatch(/behind +127\.0\.0\.1:\d+ +joined +serving +2 +1/);
    await site.close();
    scheduler.child.kill('SIGTERM');
    expect(await scheduler.ended).toMatchObject({ code: 0 });
  });

  test.each([
    [['--policy', 'lottery'], 'must be fair, fifo or exclusive'],
    [['--weight', 'ada'], 'must be USER=N'],
    [['--weight', 'ada=0'], 'must be from 1 to 1000'],
    [['--host', '0.0.0.0'], 'offsite keygen'],
  ])('says what is wrong with %s', async (words, what) => {
    expect(await offsite(['scheduler', '--port', '0', ...words])).toMatchObject({
      code: 64,
      stderr: expect.stringContaining(what),
    });
  });
});
