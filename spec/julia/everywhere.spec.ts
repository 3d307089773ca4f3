import { expect } from 'vitest';
import { functor } from '../../lib/index.ts';
import { rejection } from '../support/sites.ts';
import { julia, overSites } from './over-sites.ts';

overSites('everywhere', (bench) => {
  bench.chosen(
    '118. What was run in one process or in several gives what each returned, process 1 here',
    async () => {
      const cluster = await bench.shared();
      expect([...(await cluster.everywhere(julia.square, { args: [3], procs: [3] }))]).toEqual([[3, 9]]);
      expect([...(await cluster.everywhere(julia.myid, { procs: [4, 2] }))]).toEqual([
        [2, 2],
        [4, 4],
      ]);
      expect((await cluster.everywhere(julia.pid, { procs: [1] })).get(1)).toBe(process.pid);
    },
  );

  bench.test('119. A process that is named twice runs it twice', async () => {
    const cluster = await bench.shared();
    const before = await cluster.remotecallFetch(julia.howOften, 2);
    await cluster.everywhere(julia.again, { procs: [2, 2] });
    expect(await cluster.remotecallFetch(julia.howOften, 2)).toBe(before + 2);
  });

  bench.chosen(
    '121. Errors of one process or of several are one AggregateError, and each says whose it is',
    async () => {
      const cluster = await bench.shared();
      const one = await rejection(cluster.everywhere(julia.failIn, { args: [[3], 'not in'], procs: [3] }));
      expect(one).toBeInstanceOf(AggregateError);
      expect(one.errors).toMatchObject([
        { code: 'ERR_OFFSITE_REMOTE', id: 3, cause: { message: 'not in 3' } },
      ]);
      const several = await rejection(cluster.everywhere(julia.failIn, { args: [[2, 4], 'not in'] }));
      expect(several.message).toContain('failed on 2 of 4 processes (2, 4)');
      expect((several.errors as { id: number }[]).map(({ id }) => id).sort()).toEqual([2, 4]);
    },
  );

  bench.test('122. A module that the workers have not seen can run something everywhere', async () => {
    const cluster = await bench.fresh(1);
    const ids = functor(
      { import: { site: 'node:os' } },
      ({ site }) =>
        (x: number) =>
          x + site.EOL.length,
    );
    expect([...(await cluster.everywhere(ids, { args: [1] })).values()]).toEqual([2, 2]);
    expect(await cluster.remotecallFetch(julia.callFrom, 2, julia.square, 1, 3)).toBe(9);
  });

  bench.chosen('124. Imports within blocks are found', async () => {
    const cluster = await bench.shared();
    expect([...(await cluster.everywhere(julia.importNested)).values()]).toEqual([49, 49, 49, 49]);
  });

  bench.test(
    'who joins later has run what was run everywhere, in its order; in Julia it has not',
    async () => {
      const cluster = await bench.fresh(1);
      await cluster.everywhere(julia.again);
      await cluster.everywhere(julia.again);
      await cluster.everywhere(julia.again, { procs: [2] });
      await cluster.addProcs(bench.workers(1));
      expect(await cluster.remotecallFetch(julia.howOften, 3)).toBe(2);
    },
  );

  bench.test('who joins while something is run everywhere has run it once all the same', async () => {
    const cluster = await bench.fresh(0);
    const adding = cluster.addProcs(bench.workers(3));
    const running = [cluster.everywhere(julia.againIfWorker)];
    for await (const _ of adding) running.push(cluster.everywhere(julia.againIfWorker));
    await Promise.all(running);
    const times = await cluster.everywhere(julia.howOften, { procs: cluster.workers });
    expect([...times.values()]).toEqual([4, 4, 4]);
  });

  bench.test('what has failed everywhere is not run in those that join later', async () => {
    const cluster = await bench.fresh(1);
    await rejection(cluster.everywhere(julia.failIn, { args: [[1, 2, 3], 'never in'] }));
    expect(await cluster.addProcs(bench.workers(1))).toEqual([3]);
  });
});
