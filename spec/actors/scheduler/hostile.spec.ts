import { afterEach, describe, expect, test } from 'vitest';
import { Scheduler, type SchedulerOptions } from '../../../actors/scheduler.ts';
import { dial } from '../../../lib/access/dial.ts';
import type { NodeState } from '../../../lib/fork/daemon/node-state.ts';
import { visit } from '../daemon/support.ts';

const open: AsyncDisposable[] = [];
const lines: string[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]();
  lines.length = 0;
});

const startScheduler = async (options: SchedulerOptions = {}): Promise<Scheduler> => {
  const scheduler = await Scheduler.open({ port: 0, ...options }, (line) => lines.push(line));
  open.push(scheduler);
  return scheduler;
};

const stateOf = (name: string, more: Partial<NodeState> = {}): { node: NodeState } => ({
  node: {
    name,
    host: 'host',
    version: '0',
    node: '20',
    platform: 'linux',
    arch: 'x64',
    labels: {},
    cpus: 1,
    free: 1,
    state: 'serving',
    load: 0,
    memory: { total: 1, free: 1 },
    ...more,
  },
});

const names = (scheduler: Scheduler) => scheduler.status().nodes.map(({ name, cpus }) => `${name} ${cpus}`);

describe('A scheduler', () => {
  test('does not take a node that has the name of another, and keeps that one', async () => {
    const scheduler = await startScheduler();
    const own = await visit(scheduler, '/join?client=own');
    own.say(stateOf('one', { cpus: 2 }));
    await expect.poll(() => names(scheduler)).toEqual(['one 2']);
    const thief = await visit(scheduler, '/join?client=thief');
    thief.say(stateOf('one', { cpus: 64 }));
    await thief.closed();
    expect(names(scheduler)).toEqual(['one 2']);
    expect(lines.at(-1)).toContain('another node has this name');
    // The same one comes again, because its line was cut without its being noticed here.
    const again = await visit(scheduler, '/join?client=own');
    again.say(stateOf('one', { cpus: 3 }));
    await expect.poll(() => names(scheduler)).toEqual(['one 3']);
    own.hangUp();
    await expect.poll(() => lines.at(-1)).toContain('is gone');
    expect(names(scheduler)).toEqual(['one 3']);
  });

  test('is not kept busy by a node that says that it has more slots than there can be', async () => {
    const scheduler = await startScheduler();
    const node = await visit(scheduler, '/join?client=node');
    node.say(stateOf('one', { cpus: 2 ** 40, free: 2 ** 40 }));
    const client = await visit(scheduler, '/node?client=greedy');
    client.say({ demand: { wants: 2 ** 50 } });
    await expect.poll(() => scheduler.status().clients.map(({ wants }) => wants)).toEqual([2 ** 50]);
    for (let share = -1; share <= 0; ) share = (await client.next('node')).share as number;
  });

  test('sends a node away that says what no node says', async () => {
    const scheduler = await startScheduler();
    for (const wrong of [{ cpus: -1 }, { free: -5 }, { cpus: 0.5 }, { state: 'mine' }]) {
      const node = await visit(scheduler, '/join?client=node');
      node.say(stateOf('one', wrong as Partial<NodeState>));
      await node.closed();
    }
    expect(names(scheduler)).toEqual([]);
  });

  test('keeps nothing for a client that is gone without a word', async () => {
    const scheduler = await startScheduler({ zombieInterval: 1_000 });
    const { socket } = await dial(scheduler.addresses[0]!, { path: '/node?client=frozen' });
    socket.send(Buffer.from('{"demand":{"wants":5}}'), { binary: false }, () => {});
    await expect.poll(() => scheduler.status().clients.map(({ wants }) => wants)).toEqual([5]);
    // It is never resumed: it answers nothing.
    await expect.poll(() => scheduler.status().clients, { timeout: 5_000 }).toEqual([]);
    socket.terminate();
  });

  test('sends a client away that does not take what it is told, and gathers none of that', async () => {
    const scheduler = await startScheduler();
    const { socket } = await dial(scheduler.addresses[0]!, { path: '/node?client=deaf' });
    await expect.poll(() => scheduler.status().clients.length).toBe(1);
    const node = await visit(scheduler, '/join?client=node');
    const padding = 'x'.repeat(60_000);
    // More than the kernel takes and what may wait.
    for (let count = 0; count < 400 && scheduler.status().clients.length > 0; count++) {
      node.say(stateOf('one', { labels: { count: `${count}`, padding } }));
      await expect.poll(() => scheduler.status().nodes[0]?.labels.count, { interval: 1 }).toBe(`${count}`);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await expect.poll(() => scheduler.status().clients).toEqual([]);
    socket.terminate();
  });
});
