import { afterEach, describe, expect, it } from 'vitest';
import { Daemon } from '../../actors/daemon.ts';
import { RemoteManager } from '../../actors/remote-manager.ts';
import { Scheduler, type SchedulerOptions } from '../../actors/scheduler.ts';
import { followNodes, type NodeNews } from '../../lib/fork/daemon/node-feed.ts';
import { functor } from '../../lib/index.ts';

const open: AsyncDisposable[] = [];

afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]();
});

const keep = <T extends AsyncDisposable>(one: T): T => {
  open.push(one);
  return one;
};

const startNode = async (name: string, cpus: number): Promise<{ daemon: Daemon; at: string }> => {
  const daemon = keep(await Daemon.open({ host: ['127.0.0.1'], port: 0, name, cpus }));
  return { daemon, at: `127.0.0.1:${daemon.addresses[0]!.port}` };
};

/** A scheduler over two nodes of one slot each, when it knows both. */
const startBoth = async (options: SchedulerOptions = {}) => {
  const nodes = [await startNode('one', 1), await startNode('two', 1)];
  const scheduler = keep(await Scheduler.open({ port: 0, nodes: nodes.map(({ at }) => at), ...options }));
  const address = scheduler.addresses[0]!;
  const host = `127.0.0.1:${address.port}`;
  const heard = new Map<string, NodeNews>();
  const feed = await new Promise<Awaited<ReturnType<typeof followNodes>>>((resolve, reject) => {
    const following = followNodes(address, {}, (news) => {
      heard.set('node' in news ? news.node.name : news.gone, news);
      if (heard.size === 2) following.then(resolve, reject);
    });
    following.catch(reject);
  });
  open.push({ [Symbol.asyncDispose]: async () => feed.close() });
  return { nodes, scheduler, host, feed, heard };
};

const site = (host: string): RemoteManager =>
  keep(new RemoteManager({ host, fork: 'daemon', timeout: 20_000 }));

const whoAmI = functor({ import: { process: 'node:process' } }, ({ process }) => ({
  pid: () => process.pid,
}));

describe('a scheduler', () => {
  it('shows clients its nodes, and reaches a site on each through itself', async () => {
    const { host, heard, scheduler } = await startBoth();
    expect([...heard.keys()].sort()).toEqual(['one', 'two']);
    const sites = [site(host), site(host)];
    for (const each of sites) {
      const { pid } = await each.apply(whoAmI);
      expect(await pid()).toBe(each.pid);
    }
    const { clients, nodes } = scheduler.status();
    expect(clients).toHaveLength(1);
    expect(clients[0]!.holds).toEqual({ one: 1, two: 1 });
    expect(nodes.map(({ name, by }) => `${name} ${by}`).sort()).toEqual(['one dialled', 'two dialled']);
  });

  it('refuses who finds no slot free, and says why', async () => {
    const { host } = await startBoth();
    const sites = [site(host), site(host)];
    await Promise.all(sites.map(({ ready }) => ready));
    await expect(site(host).ready).rejects.toMatchObject({
      code: 'ERR_OFFSITE_FORK',
      step: 'busy',
      message: expect.stringContaining('all 2 slots of 2 nodes are taken'),
    });
  });

  it('has the slot of a site that has ended for the next one', async () => {
    const { host, scheduler } = await startBoth();
    const [first, second] = [site(host), site(host)];
    await Promise.all([first.ready, second.ready]);
    await first.close();
    await expect.poll(() => scheduler.status().clients[0]!.holds).not.toEqual({ one: 1, two: 1 });
    await site(host).ready;
  });

  it('tells that a node has left, and goes on with the others', async () => {
    const { host, heard, nodes } = await startBoth();
    await nodes[0]!.daemon.stop({ now: true });
    await expect.poll(() => heard.get('one')).toEqual({ gone: 'one' });
    await site(host).ready;
  });

  it('shares slots out as clients say what they could use', async () => {
    const { feed, heard } = await startBoth();
    const shares = () =>
      [...heard.values()].map((news) => ('node' in news ? news.node.share : undefined)).sort();
    expect(shares()).toEqual([0, 0]);
    feed.tell({ wants: 1 });
    await expect.poll(shares).toEqual([0, 1]);
    feed.tell({ wants: 5 });
    await expect.poll(shares).toEqual([1, 1]);
  });

  it('ends the sites of whoever is left when it is stopped at once', async () => {
    const { host, scheduler } = await startBoth();
    const manager = site(host);
    await manager.ready;
    await scheduler.stop({ now: true });
    await expect.poll(() => manager.state).toBe('crashed');
  });

  it('checks its options at the door', async () => {
    await expect(Scheduler.open({ weights: { ada: 0 } })).rejects.toMatchObject({ option: 'weights.ada' });
    await expect(Scheduler.open({ host: ['0.0.0.0'], port: 0 })).rejects.toThrow('offsite keygen');
  });
});
