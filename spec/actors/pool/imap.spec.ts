import { describe, expect, test } from 'vitest';
import { imap } from '../../../actors/pool/pmap.ts';
import { WorkerPool } from '../../../actors/pool/worker-pool.ts';
import { rejection } from '../../support/sites.ts';
import { TestCluster, tasks } from './members.ts';

const turns = async (count: number) => {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
};

describe('imap', () => {
  test('gives the results in order, though they come in another', async () => {
    const { member } = new TestCluster(2);
    let letFirst!: () => void;
    const first = new Promise<void>((resolve) => {
      letFirst = resolve;
    });
    const ask = async (x: number) => {
      if (x === 0) await first;
      if (x === 5) letFirst();
      return x;
    };
    const got: number[] = [];
    for await (const x of imap(member, tasks.ask, [0, 1, 2, 3, 4, 5, 6], { batchSize: 1, args: [ask] })) {
      got.push(x);
    }
    expect(got).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  test('gives them as they come if order is of no matter', async () => {
    const { member } = new TestCluster(2);
    let letFirst!: () => void;
    const first = new Promise<void>((resolve) => {
      letFirst = resolve;
    });
    const ask = async (x: number) => {
      if (x === 0) await first;
      return x;
    };
    const got: number[] = [];
    const options = { batchSize: 1, ordered: false, args: [ask] as [typeof ask] };
    for await (const x of imap(member, tasks.ask, [0, 1, 2, 3], options)) {
      got.push(x);
      if (got.length === 3) letFirst();
    }
    expect(got).toEqual([1, 2, 3, 0]);
  });

  test('reads no more of an endless input than the consumer keeps up with, and closes it when the loop is left', async () => {
    const { member } = new TestCluster(2);
    for (const asynchronous of [false, true]) {
      let read = 0;
      let closed = false;
      function* endless() {
        try {
          for (;;) yield read++;
        } finally {
          closed = true;
        }
      }
      async function* later() {
        yield* endless();
      }
      const pool = new WorkerPool(member);
      const input = asynchronous ? later() : endless();
      let seen = 0;
      for await (const x of imap(member, tasks.double, input, { pool, ahead: 10 })) {
        expect(x).toBe(seen++ * 2);
        await turns(3);
        expect(read).toBeLessThanOrEqual(seen + 10 + 10);
        if (seen === 50) break;
      }
      await turns(3);
      expect(closed).toBe(true);
      await Promise.all([pool.take(), pool.take()]);
    }
  });

  test('gives what was there before a failure, and then the failure', async () => {
    const { member } = new TestCluster(1);
    const results = imap(member, tasks.picky, [0, 1, 2, 3, 4], { batchSize: 1, concurrency: 1 });
    const got: number[] = [];
    const error = await rejection(
      (async () => {
        for await (const x of results) got.push(x);
      })(),
    );
    expect(error.message).toContain('no 3');
    expect(got).toEqual([0, 1, 2]);
  });

  test('does nothing before the first result is asked for', async () => {
    const cluster = new TestCluster(1);
    const results = imap(cluster.member, tasks.double, [1]);
    await turns(2);
    expect(cluster.used).toEqual([]);
    expect(await results.next()).toEqual({ value: 2, done: false });
    expect(await results.next()).toEqual({ value: undefined, done: true });
  });

  test('stops a reader that waits when its signal is aborted', async () => {
    const { member } = new TestCluster(1);
    const controller = new AbortController();
    const never = () => new Promise<number>(() => {});
    const results = imap(member, tasks.ask, [1], { args: [never], signal: controller.signal });
    const waiting = rejection(results.next());
    await turns(2);
    const reason = new Error('enough');
    controller.abort(reason);
    expect(await waiting).toBe(reason);
  });
});
