import { afterEach, describe, expect, test } from 'vitest';
import { Cluster } from '../../../actors/cluster.ts';
import { BroadcastError } from '../../../lib/cluster/broadcast/broadcast.ts';
import { rejection } from '../../support/sites.ts';
import { tasks } from './members.ts';

const clusters: Cluster[] = [];

const clusterOf = async (count: number, fork: string): Promise<Cluster> => {
  const cluster = new Cluster();
  clusters.push(cluster);
  if (count > 0) await cluster.addProcs(count, { fork });
  return cluster;
};

afterEach(async () => {
  await Promise.all(clusters.splice(0).map((cluster) => cluster.close()));
});

describe.each(['virtual', 'sh'])('over %s sites', (fork) => {
  test('maps, loops and pools are reached through the cluster', async () => {
    const cluster = await clusterOf(2, fork);
    const input = Array.from({ length: 2_000 }, (_, x) => x);
    const doubled = input.map((x) => x * 2);
    expect(await cluster.pmap(tasks.double, input)).toEqual(doubled);
    const streamed: number[] = [];
    for await (const x of cluster.imap(tasks.double, input)) streamed.push(x);
    expect(streamed).toEqual(doubled);
    expect(await cluster.distributed([0, 26], tasks.letter, tasks.concat)).toBe('abcdefghijklmnopqrstuvwxyz');
    expect(await cluster.defaultWorkerPool.remotecallFetch(tasks.double, 4)).toBe(8);
    expect(await cluster.remotecallFetch(tasks.double, cluster.workerPool(), 4)).toBe(8);
  });

  test('109. a worker that exits in the midst of a map is done without', async () => {
    const cluster = await clusterOf(3, fork);
    const [first] = cluster.workers;
    let killed = false;
    const kill = (x: number) => {
      if (x === 20 && !killed) {
        killed = true;
        cluster.remoteDo(tasks.die, first!);
      }
      return x;
    };
    const input = Array.from({ length: 300 }, (_, x) => x);
    const options = { args: [kill] as [typeof kill], batchSize: 3, retry: { delays: [0, 0, 0] } };
    expect(await cluster.pmap(tasks.ask, input, options)).toEqual(input);
    expect(killed).toBe(true);
  });

  test('a broadcast is in all workers, comes to those that join later, and is freed everywhere', async () => {
    const cluster = await clusterOf(2, fork);
    const factors = Float64Array.from({ length: 300_000 }, (_, index) => index % 10);
    const big = await cluster.broadcast(factors);
    const text = await cluster.broadcast('x'.repeat(1_000));
    expect(big.value).toBe(factors);
    const input = [1, 12, 123];
    expect(await cluster.pmap(tasks.scaled, input, { args: [big] })).toEqual([1, 24, 369]);
    const [late] = await cluster.addProcs(1, { fork });
    expect(await cluster.remotecallFetch(tasks.lengthOf, late!, text)).toBe(1_000);
    // One that is part of another value is there if it was sent, and can be waited for if not.
    const [first] = cluster.workers;
    const other = await cluster.broadcast('other', [first!]);
    expect(await cluster.remotecallFetch(tasks.within, first!, { held: other })).toEqual([true, 'other']);
    expect(await cluster.remotecallFetch(tasks.within, late!, { held: other })).toEqual([false, 'other']);
    await text.free();
    expect(() => text.value).toThrow(BroadcastError);
    const freed = await rejection(cluster.remotecallFetch(tasks.lengthOf, first!, text));
    expect(freed.cause).toMatchObject({ code: 'ERR_OFFSITE_BROADCAST' });
    await text.free();
  });

  test('100. a caching pool sends an argument to each worker once, until it is cleared', async () => {
    const cluster = await clusterOf(2, fork);
    const pool = cluster.cachingPool([2]);
    const rows = [1, 2, 3];
    const calls = async () => {
      const before: boolean[] = [];
      for (let x = 1; x <= 3; x++) before.push(await pool.remotecallFetch(tasks.seen, x, rows));
      return before;
    };
    expect(await calls()).toEqual([false, true, true]);
    expect(await cluster.pmap(tasks.seen, [1, 2], { pool, args: [rows] })).toEqual([true, true]);
    await pool.clear();
    expect(await calls()).toEqual([false, true, true]);
    // A pool without a memory sends it with each call.
    const plain = cluster.workerPool([2]);
    expect(await plain.call(tasks.seen, 1, rows)).toBe(false);
    expect(await plain.call(tasks.seen, 2, rows)).toBe(false);
  });
});

test('a cluster has pools that add their workers when they are wanted, and remove them', async () => {
  const cluster = await clusterOf(0, 'virtual');
  const pool = cluster.elasticPool({ max: 2 }, { fork: 'virtual' });
  expect(await cluster.pmap(tasks.double, [1, 2, 3], { pool })).toEqual([2, 4, 6]);
  expect(pool.length).toBeGreaterThan(0);
  await pool.close();
  expect(cluster.procs).toEqual([1]);
});
