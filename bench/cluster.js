// What a cluster costs: a call, a parallel map of trivial and of uneven elements, a start, a broadcast, and memory.
import { readFileSync } from 'node:fs';
import { Cluster, functionsOf } from 'offsite';
import { awaited, collector, timed } from './harness.js';
import { erlang, hasErlang } from './peers/erlang.js';
import { hasDask, hasPython, python } from './peers/python.js';

const CALLS = 1_000;
const ELEMENTS = 100_000;
const WORKERS = 2;
/** The element's time in milliseconds: most are short, some are fifty times as long, in no order. */
const UNEVEN = Array.from({ length: 400 }, (_, i) => ((i * 7919) % 20 === 0 ? 50 : 1));
const BIG = 10_000_000;
const MEMBERS = 8;
/** How many sites share the memory that is measured. */
const IDLE = 8;

/** @type {import('offsite').FunctionsOf<typeof import('./cluster-work.js')>} */
const work = functionsOf(new URL('./cluster-work.js', import.meta.url));

/**
 * A cluster with so many workers.
 * @param {number} count
 * @param {string} fork
 */
const clusterOf = async (count, fork) => {
  const cluster = new Cluster();
  await cluster.addProcs(count, { fork });
  return cluster;
};

/** What the elements take on so many workers at best, in microseconds: the longest first, each to who is free first. */
const idealOf = (/** @type {readonly number[]} */ elements, /** @type {number} */ workers) => {
  const busy = Array.from({ length: workers }, () => 0);
  for (const each of [...elements].sort((a, b) => b - a)) {
    const least = busy.indexOf(Math.min(...busy));
    busy[least] += each;
  }
  return Math.max(...busy) * 1_000;
};

/** Private memory of a process in bytes. @param {number | 'self'} pid */
const memoryOf = (pid) => {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const kilobytes = [...rollup.matchAll(/^Private_(?:Clean|Dirty):\s+(\d+)/gm)].map(([, n]) => Number(n));
  return kilobytes.reduce((sum, n) => sum + n, 0) * 1024;
};

/** @param {import('./harness.js').Harness} harness */
const calls = async (harness) => {
  const nodes = hasErlang() ? harness.own(await erlang()) : undefined;
  const dask = hasDask() ? harness.own(await python('dask', 1)) : undefined;
  const pool = hasPython() ? harness.own(await python('pool', 1)) : undefined;
  for (const fork of ['virtual', 'sh']) {
    const cluster = harness.own(await clusterOf(1, fork));
    const count = 100;
    await harness.compare(`remotecallFetch, ${fork}`, {
      offsite: () => awaited(CALLS, () => cluster.remotecallFetch(work.add, 2, 1, 2)),
      'erpc between two nodes': nodes ? () => nodes.awaited(CALLS) : 'not here',
      'multiprocessing.Pool, apply': pool
        ? async () => (await pool.round({ do: 'apply', count })) / count
        : 'not here',
      'dask, submit': dask ? async () => (await dask.round({ do: 'apply', count })) / count : 'not here',
    });
  }
};

/** @param {import('./harness.js').Harness} harness */
const maps = async (harness) => {
  const dask = hasDask() ? harness.own(await python('dask', WORKERS)) : undefined;
  const pool = hasPython() ? harness.own(await python('pool', WORKERS)) : undefined;
  const elements = Array.from({ length: ELEMENTS }, (_, i) => i);
  for (const fork of ['virtual', 'sh']) {
    const cluster = harness.own(await clusterOf(WORKERS, fork));
    await harness.compare(
      `pmap of ${ELEMENTS} trivial elements, each, ${fork}`,
      {
        offsite: () =>
          timed(async () => {
            const results = await cluster.pmap(work.twice, elements);
            if (results[ELEMENTS - 1] !== 2 * (ELEMENTS - 1)) throw new Error('A result is wrong.');
          }, ELEMENTS),
        'multiprocessing.Pool, map': pool
          ? async () => (await pool.round({ do: 'map', count: ELEMENTS })) / ELEMENTS
          : 'not here',
        'dask, map of 2,000': dask
          ? async () => (await dask.round({ do: 'map', count: 2_000 })) / 2_000
          : 'not here',
      },
      { rounds: 5, warmUp: 1 },
    );
    await harness.compare(
      `pmap of ${UNEVEN.length} uneven elements, ${fork}`,
      {
        offsite: () => timed(() => cluster.pmap(work.compute, UNEVEN)),
        'the ideal schedule': () => idealOf(UNEVEN, WORKERS),
        'multiprocessing.Pool, chunks of 1': pool
          ? () => pool.round({ do: 'uneven', elements: UNEVEN })
          : 'not here',
      },
      { rounds: 5, warmUp: 1 },
    );
  }
};

/** @param {import('./harness.js').Harness} harness */
const starts = async (harness) => {
  for (const fork of ['virtual', 'sh']) {
    for (const count of [2, 8, 32]) {
      await harness.compare(
        `${count} workers added to a cluster, ${fork}`,
        {
          offsite: async () => {
            const cluster = new Cluster();
            const took = await timed(() => cluster.addProcs(count, { fork }));
            await cluster.close();
            return took;
          },
        },
        { rounds: 3, warmUp: 1 },
      );
    }
  }
};

/** @param {import('./harness.js').Harness} harness */
const broadcasts = async (harness) => {
  const value = new Float64Array(BIG).fill(1);
  for (const fork of ['virtual', 'sh']) {
    const cluster = harness.own(await clusterOf(MEMBERS, fork));
    const { workers } = cluster;
    await harness.compare(
      `broadcast of 80 MB to ${MEMBERS} workers, ${fork}`,
      {
        offsite: () =>
          timed(async () => {
            const big = await cluster.broadcast(value);
            await big.free();
          }),
        'sent to each by itself': () =>
          timed(() => Promise.all(workers.map((id) => cluster.remotecallFetch(work.lengthOf, id, value)))),
      },
      { rounds: 3, warmUp: 1 },
    );
  }
};

/** @param {import('./harness.js').Harness} harness */
const memory = async (harness) => {
  const collect = collector();
  for (const fork of ['virtual', 'sh']) {
    const measure = `memory of an idle worker, ${fork}`;
    try {
      collect();
      const before = memoryOf('self');
      const cluster = await clusterOf(IDLE, fork);
      const all =
        fork === 'sh'
          ? cluster.workers.reduce((sum, id) => sum + memoryOf(cluster.site(id)?.pid ?? 0), 0)
          : memoryOf('self') - before;
      await cluster.close();
      harness.level(measure, all / IDLE, 'bytes');
    } catch {
      // Only Linux tells.
      harness.level(measure, 'not here', 'bytes');
    }
  }
};

/** @param {import('./harness.js').Harness} harness */
export const bench = async (harness) => {
  for (const part of [calls, maps, starts, broadcasts, memory]) {
    await part(harness);
    await harness.close();
  }
};
