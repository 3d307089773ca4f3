import { expect, test } from 'vitest';
import { imap } from '../../../actors/pool/pmap.ts';
import { WorkerPool } from '../../../actors/pool/worker-pool.ts';
import { TestCluster, tasks } from './members.ts';

/** A generator of numbers from 0 to 1 that repeats with its seed (mulberry32). */
const randomFrom = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
};

const ELEMENTS = 400;
const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));

test(`workers die at random during maps: all results are right, none that was acknowledged is repeated (SEED=${seed})`, async () => {
  const random = randomFrom(seed);
  for (let round = 0; round < 20; round++) {
    const cluster = new TestCluster(3);
    const pool = new WorkerPool(cluster.member);
    const acknowledged = new Set<number>();
    const repeated: number[] = [];
    let kills = 0;
    const watch = (id: number) => {
      cluster.at(id).performer.before = (element) => {
        if (acknowledged.has(element as number)) repeated.push(element as number);
        if (kills >= 12 || random() > 0.04) return;
        kills++;
        const successor = cluster.add();
        pool.push(successor);
        watch(successor);
        // In the midst of the batch, or when it has been done and its answer is on its way.
        if (random() < 0.5) cluster.kill(id);
        else queueMicrotask(() => cluster.kill(id));
      };
    };
    for (const id of pool.workers) watch(id);
    const results: number[] = [];
    const options = {
      pool,
      ordered: random() < 0.5,
      batchSize: random() < 0.5 ? ('auto' as const) : 1 + Math.floor(random() * 30),
      retry: { delays: Array<number>(20).fill(0) },
    };
    const input = Array.from({ length: ELEMENTS }, (_, x) => x);
    for await (const doubled of imap(cluster.member, tasks.double, input, options)) {
      acknowledged.add(doubled / 2);
      results.push(doubled);
    }
    const sorted = options.ordered ? results : results.sort((a, b) => a - b);
    expect(sorted, `round ${round} of seed ${seed}`).toEqual(input.map((x) => x * 2));
    expect(repeated, `round ${round} of seed ${seed}`).toEqual([]);
    expect(kills).toBeGreaterThan(0);
  }
});
