import { expect } from 'vitest';
import { rejection } from '../support/sites.ts';
import { isAlive } from './alive.ts';
import { julia, overSites } from './over-sites.ts';

overSites('removing', (bench) => {
  bench.test('31. A worker that does not end when it is asked to is killed', async () => {
    const cluster = await bench.fresh(2);
    const pid = await cluster.remotecallFetch(julia.pid, 2);
    await cluster.remotecallFetch(julia.sabotage, 2);
    // Computing, it hears nothing at all.
    await new Promise<void>((heard) => cluster.remoteDo(julia.loop, 2, heard));
    const late = await rejection(cluster.rmProcs(2, { waitfor: 20 }));
    expect(late).toMatchObject({ code: 'ERR_OFFSITE_TIMEOUT' });
    expect(late.message).toContain('The processes 2 had not ended');
    await cluster.rmProcs(2);
    expect(cluster.workers).toEqual([3]);
    if (bench.kind !== 'virtual') expect(isAlive(pid)).toBe(false);
  });

  bench.test('32. A removal that is not awaited goes on; when it is over, all others answer', async () => {
    const cluster = await bench.fresh(3);
    const removal = cluster.rmProcs(3, { waitfor: 0 });
    expect(await cluster.remotecallFetch(julia.myid, 2)).toBe(2);
    await removal;
    expect(cluster.nprocs).toBe(3);
    for (const id of cluster.procs) expect(await cluster.remotecallFetch(julia.myid, id)).toBe(id);
  });

  bench.test('34. Workers can be added while a busy one is being removed, five times over', async () => {
    const cluster = await bench.fresh(1);
    for (let busy = 2; busy <= 6; busy++) {
      await new Promise<void>((heard) => {
        cluster.remotecallFetch(julia.wait, busy, heard).catch(() => {});
      });
      const removal = cluster.rmProcs(busy, { waitfor: 0 });
      expect(await cluster.addProcs(bench.workers(1))).toEqual([busy + 1]);
      await removal;
      expect(cluster.workers).toEqual([busy + 1]);
      expect(await cluster.remotecallFetch(julia.myid, busy + 1)).toBe(busy + 1);
    }
  });

  bench.test('35. After each of several removals all that remain count the same', async () => {
    const cluster = await bench.fresh(3);
    for (const id of [3, 2]) {
      await cluster.rmProcs(id);
      const seen = await cluster.everywhere(julia.seen);
      expect(seen.size).toBe(cluster.nprocs);
      for (const { procs, workers, nprocs, nworkers } of seen.values()) {
        expect(procs).toEqual(cluster.procs);
        expect(workers).toEqual(cluster.workers);
        expect([nprocs, nworkers]).toEqual([cluster.nprocs, cluster.nworkers]);
      }
    }
    expect(cluster.workers).toEqual([4]);
  });

  bench.test(
    '37. After its close a cluster has no workers, their processes are gone, and calls say so',
    async () => {
      const cluster = await bench.fresh(2);
      const pids = await cluster.everywhere(julia.pid, { procs: [2, 3] });
      await cluster.close();
      expect(cluster.procs).toEqual([1]);
      if (bench.kind !== 'virtual') for (const pid of pids.values()) expect(isAlive(pid)).toBe(false);
      const error = await rejection(cluster.remotecallFetch(julia.myid, 2));
      expect(error.code).toBe('ERR_OFFSITE_CLUSTER_CLOSED');
      expect((await rejection(cluster.addProcs(1))).message).toContain('closed');
    },
  );

  bench.test('a worker adds and removes workers, which in Julia only process 1 can', async () => {
    const cluster = await bench.fresh(1);
    expect(await cluster.remotecallFetch(julia.addHere, 2, 1)).toEqual([3]);
    expect(await cluster.remotecallFetch(julia.callFrom, 3, julia.myid, 2)).toBe(2);
    await cluster.remotecallFetch(julia.removeHere, 2, [3]);
    expect(cluster.workers).toEqual([2]);
  });
});
