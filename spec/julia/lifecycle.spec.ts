import { afterEach, describe, expect, test, vi } from 'vitest';
import { Cluster, functionsOf } from '../../lib/index.ts';
import { fixture, LineBox, rejection } from '../support/sites.ts';
import { isAlive } from './alive.ts';
import { julia, overSites } from './over-sites.ts';

const { nest } = functionsOf<typeof import('../support/fixtures/nested-cluster.js')>(
  fixture('nested-cluster.js'),
);

afterEach(() => {
  vi.restoreAllMocks();
});

/** The next warning of this process that contains the text. */
const warning = (text: string): Promise<string> =>
  new Promise((resolve) => {
    const heard = ({ message }: Error) => {
      if (!message.includes(text)) return;
      process.off('warning', heard);
      resolve(message);
    };
    process.on('warning', heard);
  });

overSites('interrupt, output, nesting and lifecycle', (bench) => {
  bench.chosen(
    '146. An interrupt ends the call that waits, twice in a row, and the worker answers after it',
    async () => {
      const cluster = await bench.shared();
      for (let time = 0; time < 2; time++) {
        let call!: Promise<Error>;
        await new Promise<void>((heard) => {
          call = rejection(cluster.remotecallFetch(julia.wait, 2, heard));
        });
        await cluster.interrupt(2);
        const error = await call;
        expect(error).toMatchObject({ code: 'ERR_OFFSITE_REMOTE', id: 2 });
        expect(error.cause).toMatchObject({ code: 'ERR_OFFSITE_INTERRUPTED' });
      }
      expect(await cluster.remotecallFetch(julia.myid, 2)).toBe(2);
      await cluster.interrupt();
      expect(await cluster.remotecallFetch(julia.myid, 2)).toBe(2);
    },
  );

  bench.test('146. A loop that looks at callSignal() now and then ends by an interrupt', async () => {
    const cluster = await bench.shared();
    let call!: Promise<Error>;
    await new Promise<void>((heard) => {
      call = rejection(cluster.within({ timeout: 600_000 }).remotecallFetch(julia.compute, 3, heard));
    });
    await cluster.interrupt(3);
    expect((await call).cause).toMatchObject({ code: 'ERR_OFFSITE_INTERRUPTED' });
    // Had the loop gone on, its process would be busy; that it is not is for the next case of this worker to see.
    expect(await cluster.remotecallFetch(julia.myid, 3)).toBe(3);
  });

  bench.chosen(
    '148. What workers print has their id in front of each line, stdout and stderr apart',
    async () => {
      const seen = { stdout: new LineBox(), stderr: new LineBox() };
      for (const stream of ['stdout', 'stderr'] as const) {
        vi.spyOn(process[stream], 'write').mockImplementation((text) => {
          for (const line of String(text).split('\n').filter(Boolean)) seen[stream].sink(line);
          return true;
        });
      }
      await using cluster = new Cluster();
      await cluster.addProcs(bench.workers(1));
      await cluster.remotecallFetch(julia.print, 2, 'one\ntwo', 'oh\nno');
      const lines = ['one', 'two'].map((line) => seen.stdout.line(line));
      const errors = ['oh', 'no'].map((line) => seen.stderr.line(line));
      expect(await Promise.all(lines)).toEqual(['      From worker 2:\tone', '      From worker 2:\ttwo']);
      expect(await Promise.all(errors)).toEqual(['      From worker 2:\toh', '      From worker 2:\tno']);
    },
  );

  bench.test('148. What a worker prints can be left as it is, and read by whoever added it', async () => {
    const [stdout, stderr] = [new LineBox(), new LineBox()];
    const cluster = await bench.fresh(0);
    await cluster.addProcs(bench.workers(1, {}, { stdout: stdout.sink, stderr: stderr.sink }));
    await cluster.remotecallFetch(julia.print, 2, 'one\ntwo', 'oh');
    expect(await stdout.line('two')).toBe('two');
    expect(stdout.lines).toEqual(['one', 'two']);
    expect(await stderr.line('oh')).toBe('oh');
  });

  bench.test('149. A worker starts, uses and stops workers of its own, two levels deep', async () => {
    const cluster = await bench.shared();
    const levels = await cluster.remotecallFetch(nest, 3, 2);
    expect(levels.map(({ id }) => id)).toEqual([3, 2, 2]);
    expect(new Set(levels.map(({ pid }) => pid)).size).toBe(3);
    for (const { pid } of levels.slice(1)) expect(isAlive(pid)).toBe(false);
    expect(cluster.nprocs).toBe(4);
  });

  bench.test('151. All that becomes of a worker is told, in its order and with its id', async () => {
    const cluster = await bench.fresh(0);
    const told: string[] = [];
    cluster.on('starting', (id) => told.push(`starting ${id} of ${cluster.nprocs}`));
    cluster.on('join', (id) => told.push(`join ${id} of ${cluster.nprocs}`));
    cluster.on('leaving', (id) => told.push(`leaving ${id} of ${cluster.nprocs}`));
    cluster.on('leave', (id, reason) => told.push(`leave ${id} of ${cluster.nprocs}, ${reason}`));
    await cluster.addProcs(bench.workers(1));
    await cluster.rmProcs(2);
    expect(told).toEqual(['starting 2 of 1', 'join 2 of 2', 'leaving 2 of 2', 'leave 2 of 1, removed']);
  });

  bench.chosen(
    '152. One that died is told apart from one that was removed, with its last status',
    async () => {
      const cluster = await bench.fresh(2);
      const left: unknown[] = [];
      const gone = new Promise<void>((resolve) => {
        cluster.on('leave', (...event) => left.push(event) === 2 && resolve());
      });
      await cluster.remotecallFetch(julia.setStatus, 2, { reading: 'a.csv', row: 7 });
      await cluster.remotecallFetch(julia.setStatus, 3, 'idle');
      expect(await cluster.getStatus(2)).toEqual({ reading: 'a.csv', row: 7 });
      expect(await cluster.remotecallFetch(julia.getStatus, 2, 3)).toBe('idle');
      await rejection(cluster.remotecallFetch(julia.die, 2));
      await cluster.rmProcs(3);
      await gone;
      expect(left).toEqual([
        [2, 'crashed', { reading: 'a.csv', row: 7 }],
        [3, 'removed', 'idle'],
      ]);
      expect((await rejection(cluster.getStatus(2))).code).toBe('ERR_OFFSITE_PROCESS_EXITED');
    },
  );

  bench.test(
    '155. A graph whose workers die in the middle ends on those that are left, and again with new ones',
    async () => {
      const cluster = await bench.fresh(2);
      const retry = { delays: [0, 0, 0] };
      const numbers = Array.from({ length: 40 }, (_, n) => n);
      const twice = async (dying: readonly number[]) => {
        const first = await cluster.pmap(julia.layer, numbers, { args: [dying], batchSize: 1, retry });
        return cluster.pmap(julia.layer, first, { args: [[]], retry });
      };
      expect(await twice([3])).toEqual(numbers.map((n) => n + 2));
      expect(cluster.workers).toEqual([2]);
      await cluster.addProcs(bench.workers(1));
      expect(await twice([2])).toEqual(numbers.map((n) => n + 2));
      expect(cluster.workers).toEqual([4]);
    },
  );
});

describe('listeners', () => {
  test('151. An error of who listens to starting or join fails that addition, and nothing is left of it', async () => {
    for (const event of ['starting', 'join'] as const) {
      await using cluster = new Cluster();
      const refuse = async (id: number) => {
        if (id === 3) throw new Error(`not ${id}`);
      };
      cluster.on(event, refuse);
      const error = await rejection(
        cluster.addProcs({ launch: () => [{ site: { fork: 'virtual' } }, { site: { fork: 'virtual' } }] }),
      );
      expect(error).toMatchObject({ code: 'ERR_OFFSITE_ADD_PROCS', ids: [2] });
      expect((error.errors as Error[]).map(({ message }) => message)).toEqual(['not 3']);
      expect(cluster.workers).toEqual([2]);
      cluster.off(event, refuse);
    }
  });

  test('151. A removal waits for who listens to leaving, and no longer than it may', async () => {
    await using cluster = new Cluster();
    await cluster.addProcs({ launch: () => [{ site: { fork: 'virtual' } }] });
    const order: string[] = [];
    let finish!: () => void;
    cluster.on('leaving', async (id) => {
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      order.push(`let go of ${id}`);
    });
    cluster.on('leave', (id) => order.push(`${id} is gone`));
    const removal = cluster.rmProcs(2);
    // Until it is let go it does its work.
    expect(await cluster.remotecallFetch(julia.myid, 2)).toBe(2);
    finish();
    await removal;
    expect(order).toEqual(['let go of 2', '2 is gone']);

    await cluster.addProcs({ launch: () => [{ site: { fork: 'virtual' } }] });
    const warned = warning('"leaving" of process 3');
    await cluster.rmProcs(3, { callbackTimeout: 1 });
    expect(cluster.workers).toEqual([1]);
    expect(await warned).toContain('longer than 1 ms');
  });
});
