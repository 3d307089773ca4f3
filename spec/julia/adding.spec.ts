import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { Cluster } from '../../lib/index.ts';
import { rejection } from '../support/sites.ts';
import { julia, overSites } from './over-sites.ts';

describe('a cluster with no workers', () => {
  test('2. With no workers a call is made by process 1, which is the worker then', async () => {
    await using cluster = new Cluster();
    expect(cluster.workers).toEqual([1]);
    expect(cluster.nworkers).toBe(1);
    expect(await cluster.remotecallFetch(julia.myid, cluster.workers[0]!)).toBe(1);
  });

  test('4. With no workers a distributed sum of a hundred ones is 100', async () => {
    await using cluster = new Cluster();
    expect(await cluster.distributed([0, 100], julia.one, julia.sum)).toBe(100);
  });

  test('5. With no workers there are no others, and no other workers', async () => {
    await using cluster = new Cluster();
    expect(cluster.otherProcs).toEqual([]);
    expect(cluster.otherWorkers).toEqual([]);
  });

  test('17. An option that a cluster does not know is refused, and names itself', async () => {
    expect(() => new Cluster({ topologie: 'all_to_all' } as object)).toThrow(/"topologie"/);
  });
});

test('16. A program that adds workers, prepares all and calls each ends by itself, with 0', async () => {
  const index = JSON.stringify(new URL('../../dist/lib/index.js', import.meta.url).href);
  const program = `
    import { Cluster, functor } from ${index};
    await using_(new Cluster(), async (cluster) => {
      await cluster.addProcs({ launch: () => [{ site: { fork: 'sh' } }] });
      const double = functor(() => (x) => 2 * x);
      await cluster.everywhere(double, { args: [1] });
      for (const id of cluster.workers) console.log(await cluster.remotecallFetch(double, id, 21));
    });
    async function using_(cluster, use) { try { await use(cluster); } finally { await cluster.close(); } }`;
  const words = ['--input-type=module', '-e', program];
  const { stdout } = await promisify(execFile)(process.execPath, words, { timeout: 15_000 });
  expect(stdout).toBe('42\n');
});

overSites('adding and counting', (bench) => {
  bench.chosen(
    '5. Others are all that were added, and for a worker process 1 and its colleagues',
    async () => {
      const cluster = await bench.shared();
      expect(cluster.otherProcs).toEqual([2, 3, 4]);
      expect(cluster.otherWorkers).toEqual([2, 3, 4]);
      expect(await cluster.remotecallFetch(julia.others, 3)).toEqual({
        otherProcs: [1, 2, 4],
        otherWorkers: [2, 4],
      });
    },
  );

  bench.chosen('7. Process 1 is the master, every other a worker', async () => {
    const cluster = await bench.shared();
    expect(cluster.role).toBe('master');
    const roles = await cluster.everywhere(julia.role);
    expect([...roles]).toEqual([
      [1, 'master'],
      [2, 'worker'],
      [3, 'worker'],
      [4, 'worker'],
    ]);
  });

  bench.chosen('8. A module can be loaded in all processes, twice at once and twice in a row', async () => {
    const cluster = await bench.shared();
    const url = new URL('../support/fixtures/calc.js', import.meta.url);
    await Promise.all([cluster.everywhere(url), cluster.everywhere(url)]);
    const loaded = await cluster.everywhere(url);
    expect([...loaded.keys()]).toEqual([1, 2, 3, 4]);
  });

  bench.test(
    '13. A worker that is there does not see what changes in the environment of process 1',
    async () => {
      const cluster = await bench.fresh(0);
      process.env.OFFSITE_SPEC_JULIA = 'before';
      try {
        await cluster.addProcs(bench.workers(1));
        process.env.OFFSITE_SPEC_JULIA = 'after';
        await cluster.addProcs(bench.workers(1));
        const seen = await cluster.everywhere(julia.variable, { args: ['OFFSITE_SPEC_JULIA'] });
        expect([...seen.values()]).toEqual(['after', 'before', 'after']);
      } finally {
        delete process.env.OFFSITE_SPEC_JULIA;
      }
    },
  );

  bench.test(
    '14. What is said of the environment and of Node’s flags goes before what would be inherited',
    async () => {
      const cluster = await bench.fresh(0);
      process.env.OFFSITE_SPEC_JULIA = 'inherited';
      try {
        const site = { env: { OFFSITE_SPEC_JULIA: 'said' }, execArgv: ['--no-deprecation'] };
        await cluster.addProcs(bench.workers(1, {}, site));
        expect(await cluster.remotecallFetch(julia.variable, 2, 'OFFSITE_SPEC_JULIA')).toBe('said');
        expect(await cluster.remotecallFetch(julia.flags, 2)).toContain('--no-deprecation');
      } finally {
        delete process.env.OFFSITE_SPEC_JULIA;
      }
    },
  );

  bench.test('counts are the same in all processes, and each knows its own id', async () => {
    const cluster = await bench.shared();
    const seen = await cluster.everywhere(julia.seen);
    for (const each of seen.values()) {
      expect(each).toEqual({ procs: [1, 2, 3, 4], workers: [2, 3, 4], nprocs: 4, nworkers: 3 });
    }
    const ids = await cluster.everywhere(julia.myid);
    expect([...ids]).toEqual([1, 2, 3, 4].map((id) => [id, id]));
  });

  bench.test('procs(pid): the processes on one host are found from everywhere', async () => {
    const cluster = await bench.shared();
    expect(await cluster.procsBeside(2)).toEqual([1, 2, 3, 4]);
    expect(await cluster.remotecallFetch(julia.procsBeside, 3, 4)).toEqual([1, 2, 3, 4]);
    expect((await rejection(cluster.procsBeside(99))).code).toBe('ERR_OFFSITE_NO_PROCESS');
  });

  bench.test('an id is never used again, and a call to one that is gone says so', async () => {
    const cluster = await bench.fresh(1);
    await cluster.rmProcs(2);
    expect(await cluster.addProcs(bench.workers(1))).toEqual([3]);
    const gone = await rejection(cluster.remotecallFetch(julia.myid, 2));
    expect(gone).toMatchObject({ code: 'ERR_OFFSITE_PROCESS_EXITED', id: 2, reason: 'removed' });
    const never = await rejection(cluster.remotecallFetch(julia.myid, 9));
    expect(never.code).toBe('ERR_OFFSITE_NO_PROCESS');
    expect(never.message).toContain('No process with the id 9 exists');
  });
});
