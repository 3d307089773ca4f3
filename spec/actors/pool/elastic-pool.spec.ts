import { afterEach, describe, expect, test } from 'vitest';
import { SimulatedClock } from 'xstate';
import { ElasticPool, type ElasticPoolOptions } from '../../../actors/pool/elastic-pool.ts';
import { NoWorkerError } from '../../../actors/pool/errors.ts';
import { pmap } from '../../../actors/pool/pmap.ts';
import { rejection } from '../../support/sites.ts';
import { TestCluster, tasks } from './members.ts';

const settle = async () => {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
};

const pools: ElasticPool[] = [];
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
});

/** An elastic pool over a cluster in memory, by a simulated clock, and what it has done. */
const make = (options: Partial<ElasticPoolOptions> & { refuse?: () => boolean }) => {
  const { refuse = () => false, ...rest } = options;
  const cluster = new TestCluster(0);
  const clock = new SimulatedClock();
  const news: string[] = [];
  const source = {
    add: async (count: number) => {
      if (refuse()) throw new Error('no room');
      return Array.from({ length: count }, () => cluster.add());
    },
    remove: async (ids: readonly number[]) => {
      for (const id of ids) cluster.kill(id, 'removed');
    },
  };
  const pool = new ElasticPool(cluster.member, source, {
    max: 3,
    idleTimeout: 1_000,
    backoff: { initial: 100, factor: 2, max: 1_000, jitter: 0 },
    clock,
    onGrow: (ids) => news.push(`+${ids.join(',')}`),
    onShrink: (ids) => news.push(`-${ids.join(',')}`),
    onLost: (id) => news.push(`x${id}`),
    onFailure: () => news.push('!'),
    ...rest,
  });
  pools.push(pool);
  const pass = async (ms: number) => {
    clock.increment(ms);
    await settle();
  };
  return { cluster, pool, news, pass };
};

describe('an elastic pool', () => {
  test('grows when somebody waits, up to its bound, and shrinks when nobody does', async () => {
    const { pool, news, pass } = make({});
    const taken = [pool.take(), pool.take(), pool.take(), pool.take()];
    await settle();
    expect(pool.length).toBe(3);
    expect(pool.queued).toBe(1);
    const ids = await Promise.all(taken.slice(0, 3));
    pool.put(ids[0]!);
    expect(await taken[3]).toBe(ids[0]);
    for (const id of ids) pool.put(id);
    await pass(999);
    expect(pool.length).toBe(3);
    await pass(1_001);
    expect(pool.length).toBe(0);
    expect(news.at(-1)).toMatch(/^-/);
    expect(await pool.take()).toBeGreaterThan(4);
  });

  test('keeps its least number, also when idle, and replaces who dies', async () => {
    const { cluster, pool, news, pass } = make({ min: 2 });
    await settle();
    expect(pool.workers).toEqual([2, 3]);
    await pass(5_000);
    await pass(5_000);
    expect(pool.workers).toEqual([2, 3]);
    cluster.kill(2);
    await settle();
    expect(news).toEqual(['+2,3', 'x2']);
    await pass(99);
    expect(pool.length).toBe(1);
    await pass(1);
    expect(news).toEqual(['+2,3', 'x2', '+4']);
    expect(pool.workers).toEqual([3, 4]);
  });

  test('waits longer and longer for workers that die at once, and begins anew after a good time', async () => {
    const { cluster, pool, pass } = make({ min: 1 });
    await settle();
    for (const wait of [100, 200, 400]) {
      cluster.kill(pool.workers[0]!);
      await settle();
      await pass(wait - 1);
      expect(pool.length).toBe(0);
      await pass(1);
      expect(pool.length).toBe(1);
    }
    await pass(1_001);
    cluster.kill(pool.workers[0]!);
    await settle();
    await pass(100);
    expect(pool.length).toBe(1);
  });

  test('tells of workers that do not come, and tries again', async () => {
    let refused = 2;
    const { pool, news, pass } = make({ refuse: () => refused-- > 0 });
    const taken = pool.take();
    await settle();
    expect(news).toEqual(['!']);
    await pass(100);
    expect(news).toEqual(['!', '!']);
    await pass(200);
    expect(await taken).toBe(2);
  });

  test('serves a map, which ends though workers die', async () => {
    const { cluster, pool } = make({
      min: 1,
      backoff: { initial: 0, max: 1, factor: 1, jitter: 0 },
      clock: undefined as never,
    });
    await settle();
    let kills = 0;
    cluster.at(2).performer.before = () => {
      if (kills++ === 0) cluster.kill(2);
    };
    const input = Array.from({ length: 50 }, (_, x) => x);
    const options = { pool, batchSize: 5, retry: { delays: [0, 0] } };
    expect(await pmap(cluster.member, tasks.double, input, options)).toEqual(input.map((x) => x * 2));
    expect(kills).toBeGreaterThan(0);
  });

  test('is asked by a map though it has no worker yet', async () => {
    const { cluster, pool } = make({});
    expect(await pmap(cluster.member, tasks.double, [1, 2, 3], { pool })).toEqual([2, 4, 6]);
    expect(cluster.counts.get(1)).toBe(0);
  });

  test('removes what it has added when it is closed, and tells those who wait', async () => {
    const { cluster, pool } = make({ max: 1 });
    await pool.take();
    const waiting = rejection(pool.take());
    await pool.close();
    expect(await waiting).toBeInstanceOf(NoWorkerError);
    expect([...cluster.processes.keys()]).toEqual([1]);
    expect(await rejection(pool.take())).toBeInstanceOf(NoWorkerError);
  });

  test('refuses bounds that cannot be', () => {
    expect(() => make({ max: 0 })).toThrow(/max/);
    expect(() => make({ min: 4 })).toThrow(/max/);
    expect(() => make({ idleTimeout: Number.NaN })).toThrow(/idleTimeout/);
  });
});
