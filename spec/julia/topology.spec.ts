import { expect } from 'vitest';
import type { Cluster } from '../../lib/index.ts';
import { rejection } from '../support/sites.ts';
import { julia, overSites } from './over-sites.ts';

/** How many connections between workers there are. */
const links = async (cluster: Cluster): Promise<number> =>
  [...(await cluster.connections()).values()].reduce((sum, made) => sum + made, 0);

/** A call from one worker to another. */
const call = (cluster: Cluster, from: number, to: number): Promise<unknown> =>
  cluster.remotecallFetch(julia.callFrom, from, julia.myid, to);

overSites('topology', (bench) => {
  // Threads have their process in common, which is the shortest way between them.
  const each = bench.kind === 'virtual' ? 0 : 1;

  bench.test('134. With master_worker a call between workers fails, and process 1 calls each', async () => {
    const cluster = await bench.fresh(2, { topology: 'master_worker' });
    const error = await rejection(call(cluster, 2, 3));
    expect(error).toMatchObject({ code: 'ERR_OFFSITE_REMOTE', id: 2 });
    expect(error.cause).toMatchObject({ code: 'ERR_OFFSITE_TOPOLOGY' });
    expect((error.cause as Error).message).toContain('Process 3 is not connected to process 2');
    expect(await call(cluster, 2, 1)).toBe(1);
    expect(await cluster.remotecallFetch(julia.myid, 3)).toBe(3);
  });

  bench.test(
    '136. A worker connects to another when it first calls it, and once for both of them',
    async () => {
      const cluster = await bench.shared();
      let made = await links(cluster);
      expect(made).toBe(0);
      for (const [from, to, isNew] of [
        [2, 3, true],
        [2, 3, false],
        [3, 2, false],
        [3, 4, true],
        [4, 2, true],
        [2, 1, false],
      ] as const) {
        expect(await call(cluster, from, to)).toBe(to);
        if (isNew) made += each;
        expect(await links(cluster), `after a call from ${from} to ${to}`).toBe(made);
      }
    },
  );

  bench.test('137. With lazy: false all workers are connected when they have joined', async () => {
    const cluster = await bench.fresh(3, { lazy: false });
    expect(await links(cluster)).toBe(3 * each);
    expect(await call(cluster, 2, 4)).toBe(4);
    expect(await links(cluster)).toBe(3 * each);
  });

  bench.test('custom: workers call those whom their manager has named, and no others', async () => {
    const cluster = await bench.fresh(0, { topology: 'custom' });
    const [hub] = await cluster.addProcs(bench.workers(1, { ident: 'hub' }));
    const [spoke] = await cluster.addProcs(bench.workers(1, { ident: 'a', connectIdents: ['hub'] }));
    const [other] = await cluster.addProcs(bench.workers(1, { ident: 'b', connectIdents: ['hub'] }));
    expect(await call(cluster, spoke!, hub!)).toBe(hub);
    expect(await call(cluster, hub!, other!)).toBe(other);
    const error = await rejection(call(cluster, spoke!, other!));
    expect(error.cause).toMatchObject({ code: 'ERR_OFFSITE_TOPOLOGY' });
  });
});
