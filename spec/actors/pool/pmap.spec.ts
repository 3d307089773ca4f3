import { describe, expect, test } from 'vitest';
import { NoWorkerError } from '../../../actors/pool/errors.ts';
import { pmap } from '../../../actors/pool/pmap.ts';
import type { Progress } from '../../../actors/pool/progress.ts';
import { WorkerPool } from '../../../actors/pool/worker-pool.ts';
import { ProcessExitedException, RemoteException } from '../../../lib/cluster/errors.ts';
import { OptionError, TimeoutError } from '../../../lib/wire/errors.ts';
import { rejection } from '../../support/sites.ts';
import { TestCluster, tasks } from './members.ts';

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

describe('pmap', () => {
  test('gives the results in the order of the elements, of arrays, iterables and async iterables', async () => {
    const { member } = new TestCluster(3);
    const input = numbers(1_000);
    const expected = input.map((x) => x * 2);
    expect(await pmap(member, tasks.double, input)).toEqual(expected);
    expect(await pmap(member, tasks.double, new Set(input))).toEqual(expected);
    expect(await pmap(member, tasks.doubleLater, input, { batchSize: 7 })).toEqual(expected);
    async function* slowly() {
      for (const x of input) {
        if (x % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
        yield x;
      }
    }
    expect(await pmap(member, tasks.double, slowly())).toEqual(expected);
    expect(await pmap(member, tasks.double, [])).toEqual([]);
    expect(await pmap(member, tasks.double, new Set<number>())).toEqual([]);
    expect(await pmap(member, tasks.nothing, [undefined, undefined])).toEqual([undefined, undefined]);
  });

  test('passes more arguments behind the element', async () => {
    const { member } = new TestCluster(2);
    expect(await pmap(member, tasks.plus, [1, 2, 3], { args: [10, 100] })).toEqual([111, 112, 113]);
  });

  test('101. all combinations of batch size, onError, delays and check give right results', async () => {
    const input = numbers(100);
    for (const workers of [0, 2]) {
      for (const batchSize of [1, 2, 'auto'] as const) {
        for (const onError of [undefined, () => -1]) {
          for (const delays of [undefined, [0]]) {
            for (const check of [undefined, () => true]) {
              const { member } = new TestCluster(workers);
              const retry = { ...(delays && { delays }), ...(check && { check }) };
              const options = { batchSize, ...(onError && { onError }), retry };
              expect(await pmap(member, tasks.double, input, options)).toEqual(input.map((x) => x * 2));
            }
          }
        }
      }
    }
  });

  test('103. with onError failing elements are replaced in their place, and the others keep their value', async () => {
    for (const batchSize of [1, 4, 'auto'] as const) {
      const { member } = new TestCluster(2);
      const seen: number[] = [];
      const onError = (error: unknown, element: number, index: number) => {
        expect(error).toBeInstanceOf(RemoteException);
        expect((error as Error).cause).toBeInstanceOf(RangeError);
        seen.push(index);
        return `${element} failed`;
      };
      const results = await pmap(member, tasks.picky, numbers(20), { batchSize, onError });
      expect(results).toEqual(numbers(20).map((x) => (x % 7 === 3 ? `${x} failed` : x)));
      expect(seen.sort((a, b) => a - b)).toEqual([3, 10, 17]);
    }
  });

  test('103. what onError throws stops the map', async () => {
    const { member } = new TestCluster(2);
    const failure = new Error('enough');
    const stopped = pmap(member, tasks.picky, numbers(20), {
      onError: () => {
        throw failure;
      },
    });
    expect(await rejection(stopped)).toBe(failure);
  });

  test('104. without handlers the first error is thrown, and what is in flight is given up', async () => {
    const cluster = new TestCluster(2);
    const waiting: number[] = [];
    const error = await rejection(
      pmap(cluster.member, tasks.ask, numbers(100), {
        batchSize: 1,
        args: [
          (x) => {
            if (x === 1) throw new RangeError('not this one');
            waiting.push(x);
            return new Promise<number>(() => {});
          },
        ],
      }),
    );
    expect(error).toBeInstanceOf(RemoteException);
    expect(error.message).toContain('not this one');
    expect(waiting.length).toBeLessThan(5);
  });

  test('106. a pool that holds only this process, and an empty one, map here', async () => {
    for (const ids of [[1], []]) {
      const cluster = new TestCluster(2);
      const pool = new WorkerPool(cluster.member, ids);
      expect(await pmap(cluster.member, tasks.double, [1, 2, 3], { pool })).toEqual([2, 4, 6]);
      expect(cluster.used).toEqual([1]);
      expect(await rejection(pmap(cluster.member, tasks.picky, [3], { pool }))).toHaveProperty('id', 1);
    }
    const alone = new TestCluster(0);
    expect(await pmap(alone.member, tasks.double, [1])).toEqual([2]);
  });

  test('107. with a two-worker pool exactly these two are used', async () => {
    const cluster = new TestCluster(4);
    const pool = new WorkerPool(cluster.member, [3, 5]);
    await pmap(cluster.member, tasks.double, numbers(100), { pool, batchSize: 2 });
    expect(cluster.used).toEqual([3, 5]);
    expect(pool.isReady()).toBe(true);
    expect(await pool.take()).not.toBe(await pool.take());
  });

  test('109. with retry the other workers finish all elements when one exits', async () => {
    const cluster = new TestCluster(3);
    const answers = new Map<number, number>();
    cluster.at(3).performer.before = () => cluster.kill(3);
    const checked: unknown[] = [];
    const results = await pmap(cluster.member, tasks.ask, numbers(50), {
      batchSize: 5,
      args: [
        (x) => {
          answers.set(x, (answers.get(x) ?? 0) + 1);
          return x;
        },
      ],
      retry: { delays: [0], check: (error) => checked.push(error) > 0 },
    });
    expect(results).toEqual(numbers(50));
    expect(checked.length).toBeGreaterThan(0);
    expect(checked.every((error) => error instanceof ProcessExitedException)).toBe(true);
  });

  test('109. without retry a dead worker makes the map reject, unless onError takes it', async () => {
    for (const handled of [false, true]) {
      const cluster = new TestCluster(2);
      cluster.at(2).performer.before = () => cluster.kill(2);
      const results = pmap(cluster.member, tasks.double, numbers(10), {
        batchSize: 1,
        ...(handled && { onError: (error: unknown) => (error as Error).name }),
      });
      if (!handled) {
        expect(await rejection(results)).toMatchObject({ name: 'ProcessExitedException', id: 2 });
        continue;
      }
      const values = await results;
      expect(values.filter((value) => value === 'ProcessExitedException').length).toBeGreaterThan(0);
      expect(values.filter((value) => typeof value === 'number').length).toBeGreaterThan(5);
    }
  });

  test('an element that kills every worker is given up after its delays, and those beside it are not', async () => {
    const cluster = new TestCluster(5);
    for (const { performer } of cluster.processes.values()) {
      const [id] = [...cluster.processes].find(([, each]) => each.performer === performer)!;
      performer.before = (element) => {
        if (element === 13) cluster.kill(id);
      };
    }
    const results = await pmap(cluster.member, tasks.identity, numbers(60), {
      batchSize: 20,
      retry: { delays: [0, 0] },
      onError: (error, element) => [element, (error as Error).name],
    });
    expect(results).toEqual(numbers(60).map((x) => (x === 13 ? [13, 'ProcessExitedException'] : x)));
    expect(cluster.processes.size).toBe(3);
  });

  test('when no worker is left it rejects, and does not go on in this process', async () => {
    const cluster = new TestCluster(1);
    cluster.at(2).performer.before = () => cluster.kill(2);
    const error = await rejection(
      pmap(cluster.member, tasks.double, [1, 2], { retry: { delays: [0, 0, 0] } }),
    );
    expect(error).toBeInstanceOf(NoWorkerError);
    expect(error.cause).toBeInstanceOf(ProcessExitedException);
    expect(cluster.used).toEqual([]);
  });

  test('a function that fails is tried again by the same rule, on its own', async () => {
    const cluster = new TestCluster(2);
    const attempts = new Map<number, number>();
    const flaky = (x: number) => {
      const count = (attempts.get(x) ?? 0) + 1;
      attempts.set(x, count);
      if (x % 5 === 0 && count < 3) throw new Error(`attempt ${count}`);
      return x;
    };
    const checks: number[] = [];
    const options = {
      batchSize: 10,
      args: [flaky] as [typeof flaky],
      retry: { delays: [0, 0], check: (_: unknown, attempt: number) => checks.push(attempt) > 0 },
    };
    expect(await pmap(cluster.member, tasks.ask, numbers(30), options)).toEqual(numbers(30));
    expect(
      [...attempts]
        .filter(([, count]) => count > 1)
        .map(([x]) => x)
        .sort((a, b) => a - b),
    ).toEqual([0, 5, 10, 15, 20, 25]);
    expect(checks.sort()).toEqual([1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2]);
    attempts.clear();
    const refused = { ...options, retry: { delays: [0, 0], check: () => false } };
    expect((await rejection(pmap(cluster.member, tasks.ask, numbers(30), refused))).message).toContain(
      'attempt 1',
    );
  });

  test('workers that join during the map take part, and those that are removed finish and leave', async () => {
    const cluster = new TestCluster(1);
    const pool = new WorkerPool(cluster.member, [2]);
    let added = 0;
    const results = await pmap(cluster.member, tasks.ask, numbers(200), {
      pool,
      batchSize: 1,
      args: [
        async (x) => {
          if (x === 10) {
            added = cluster.add();
            pool.push(added);
          }
          if (x === 100) pool.remove(2);
          return x;
        },
      ],
    });
    expect(results).toEqual(numbers(200));
    expect(cluster.counts.get(added)).toBeGreaterThan(50);
    expect(cluster.at(2).performer.batches.at(-1)![0]).toBeLessThan(110);
    expect(pool.workers).toEqual([added]);
  });

  test('without a pool all workers take part, also those that join', async () => {
    const cluster = new TestCluster(1);
    let joined!: () => void;
    const takesPart = new Promise<void>((resolve) => {
      joined = resolve;
    });
    const results = await pmap(cluster.member, tasks.ask, numbers(100), {
      batchSize: 1,
      args: [
        async (x) => {
          if (x === 5) cluster.at(cluster.add()).performer.before = joined;
          // The first worker alone would never come further.
          if (x > 5) await takesPart;
          return x;
        },
      ],
    });
    expect(results).toEqual(numbers(100));
    expect(cluster.counts.get(1)).toBe(0);
  });

  test('a map within a map does not wait for the workers of the outer one', async () => {
    const cluster = new TestCluster(2);
    const inner = (x: number) => pmap(cluster.member, tasks.double, [x, x + 1]).then(([a, b]) => a! + b!);
    expect(await pmap(cluster.member, tasks.ask, [1, 2, 3], { args: [inner] })).toEqual([6, 10, 14]);
  });

  test('two maps share the workers of one pool', async () => {
    const cluster = new TestCluster(2);
    const pool = new WorkerPool(cluster.member, [2, 3]);
    const order: string[] = [];
    const tell = (name: string) => (x: number) => {
      order.push(name);
      return x;
    };
    await Promise.all(
      ['a', 'b'].map((name) =>
        pmap(cluster.member, tasks.ask, numbers(50), { pool, batchSize: 1, args: [tell(name)] }),
      ),
    );
    // Neither waits until the other one is through.
    expect(order.indexOf('b')).toBeLessThan(20);
    expect(order.lastIndexOf('a')).toBeGreaterThan(60);
    expect(pool.length).toBe(2);
    await Promise.all([pool.take(), pool.take()]);
  });

  test('stops at its time-out and its signal, tells the functions, and gives the workers back', async () => {
    const cluster = new TestCluster(2);
    const pool = new WorkerPool(cluster.member, [2, 3]);
    const never = () => new Promise<number>(() => {});
    const late = await rejection(
      pmap(cluster.member, tasks.ask, [1, 2, 3], { pool, args: [never], timeout: 5 }),
    );
    expect(late).toBeInstanceOf(TimeoutError);
    const controller = new AbortController();
    const reason = new Error('not now');
    const aborted = pmap(cluster.member, tasks.ask, [1, 2, 3], {
      pool,
      signal: controller.signal,
      args: [
        () => {
          controller.abort(reason);
          return never();
        },
      ],
    });
    expect(await rejection(aborted)).toBe(reason);
    expect(await rejection(pmap(cluster.member, tasks.double, [1], { signal: controller.signal }))).toBe(
      reason,
    );
    await Promise.all([pool.take(), pool.take()]);
  });

  test('an iterable that throws stops it; one that is left is closed', async () => {
    const { member } = new TestCluster(2);
    const failure = new Error('no more');
    let closed = 0;
    function* broken() {
      yield 1;
      throw failure;
    }
    function* endless() {
      try {
        for (let x = 0; ; x++) yield x;
      } finally {
        closed++;
      }
    }
    async function* brokenLater() {
      yield 1;
      await Promise.resolve();
      throw failure;
    }
    expect(await rejection(pmap(member, tasks.double, broken()))).toBe(failure);
    expect(await rejection(pmap(member, tasks.double, brokenLater()))).toBe(failure);
    await rejection(pmap(member, tasks.picky, endless()));
    expect(closed).toBe(1);
  });

  test('an element that cannot be sent fails alone', async () => {
    const { member } = new TestCluster(2);
    const input = [1, Symbol('no'), 3, 4];
    const results = await pmap(member, tasks.identity, input, {
      batchSize: 4,
      onError: (error) => (error as Error).name,
    });
    expect(results).toEqual([1, 'UnserializableError', 3, 4]);
  });

  test('a function that is not there fails as a call of it does', async () => {
    const { member } = new TestCluster(1);
    const missing = (tasks as unknown as Record<string, typeof tasks.double>).missing!;
    expect(await rejection(pmap(member, missing, [1, 2]))).toBeInstanceOf(RemoteException);
  });

  test('tells its progress, the last time at its end', async () => {
    const { member } = new TestCluster(2);
    const reports: Progress[] = [];
    await pmap(member, tasks.picky, numbers(30), {
      onError: () => 0,
      onProgress: (progress) => reports.push(progress),
    });
    expect(reports.at(-1)).toMatchObject({ done: 30, total: 30, failed: 4, busy: 0, eta: 0, ended: true });
    expect(reports.filter(({ ended }) => ended)).toHaveLength(1);
  });

  test('refuses options that cannot be, and names them', async () => {
    const { member } = new TestCluster(0);
    const wrong = (options: object) => rejection(pmap(member, tasks.double, [1], options));
    expect(await wrong({ batchsize: 2 })).toMatchObject({ option: 'batchsize' });
    expect(await wrong({ batchSize: 0 })).toMatchObject({ option: 'batchSize' });
    expect(await wrong({ retry: { delays: [-1] } })).toBeInstanceOf(OptionError);
    expect(await wrong({ pool: {} })).toMatchObject({ option: 'pool' });
    expect(await rejection(pmap(member, (() => 1) as unknown as typeof tasks.double, [1]))).toMatchObject({
      option: 'fn',
    });
  });
});
