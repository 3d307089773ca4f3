import { describe, expect, test } from 'vitest';
import { accessTo } from '../../../actors/pool/access.ts';
import { DefaultWorkerPool } from '../../../actors/pool/default-pool.ts';
import { NoWorkerError, PoolFullError } from '../../../actors/pool/errors.ts';
import { pmap } from '../../../actors/pool/pmap.ts';
import { WorkerPool } from '../../../actors/pool/worker-pool.ts';
import { NoProcessError, ProcessExitedException } from '../../../lib/cluster/errors.ts';
import type { Remote } from '../../../lib/module/remote.ts';
import { TimeoutError } from '../../../lib/wire/errors.ts';
import { rejection } from '../../support/sites.ts';
import { pair } from '../../wire/pair.ts';
import { TestCluster, tasks } from './members.ts';

/** A gate for each element, by which a spec lets its function return. */
class Gates {
  readonly #open = new Map<number, (value: number) => void>();
  readonly #came = new Map<number, () => void>();

  /** What the function calls with its element. */
  readonly ask = (x: number): Promise<number> =>
    new Promise((resolve) => {
      this.#open.set(x, resolve);
      this.#came.get(x)?.();
    });

  async entered(x: number): Promise<void> {
    if (!this.#open.has(x)) await new Promise<void>((resolve) => this.#came.set(x, resolve));
  }

  open(x: number): void {
    this.#open.get(x)!(x);
  }
}

describe('a worker pool', () => {
  test('91. as many calls as workers make it unready, and each that ends makes it ready again, in either order', async () => {
    for (const order of [
      [0, 1],
      [1, 0],
    ]) {
      const { member } = new TestCluster(2);
      const pool = new DefaultWorkerPool(member);
      const gates = new Gates();
      const calls = [0, 1].map((x) => pool.remotecallFetch(tasks.ask, x, gates.ask));
      await Promise.all([gates.entered(0), gates.entered(1)]);
      expect(pool.isReady()).toBe(false);
      for (const x of order) {
        gates.open(x);
        expect(await calls[x]).toBe(x);
        expect(pool.isReady()).toBe(true);
      }
    }
  });

  test('92. the default pool cycles through all workers over 100 elements', async () => {
    const { member } = new TestCluster(4);
    const pool = new DefaultWorkerPool(member);
    const used: number[] = [];
    for (let call = 0; call < 100; call++) await pool.use(async (id) => used.push(id));
    for (let id = 2; id <= 5; id++) expect(used.filter((each) => each === id)).toHaveLength(25);
  });

  test('the default pool gives process 1 while there is no worker, and workers that join', async () => {
    const cluster = new TestCluster(0);
    const pool = new DefaultWorkerPool(cluster.member);
    expect(await pool.take()).toBe(1);
    expect(await pool.call(tasks.double, 2)).toBe(4);
    const id = cluster.add();
    expect(pool.workers).toEqual([id]);
    expect(await pool.take()).toBe(id);
    pool.put(1);
    expect(pool.isReady()).toBe(false);
    const waiting = pool.take();
    const second = cluster.add();
    expect(await waiting).toBe(second);
  });

  test('95. a pool of two uses exactly these two, first come, first served', async () => {
    const { member } = new TestCluster(4);
    const pool = new WorkerPool(member, [2, 3]);
    expect([await pool.take(), await pool.take()]).toEqual([2, 3]);
    const order: string[] = [];
    const first = pool.take().then((id) => order.push(`first ${id}`));
    const second = pool.take().then((id) => order.push(`second ${id}`));
    pool.put(3);
    pool.put(2);
    await Promise.all([first, second]);
    expect(order).toEqual(['first 3', 'second 2']);
    expect(() => new WorkerPool(member, [77])).toThrow(NoProcessError);
  });

  test('97. wait() blocks while all are taken, and wakes when one is given back', async () => {
    const { member } = new TestCluster(1);
    const pool = new WorkerPool(member);
    const id = await pool.take();
    let woken = false;
    const waiting = pool.wait().then(() => {
      woken = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(woken).toBe(false);
    pool.put(id);
    await waiting;
    expect(pool.isReady()).toBe(true);
  });

  test('94. and 97. another process uses the same pool by a reference', async () => {
    const cluster = new TestCluster(3);
    const pool = new WorkerPool(cluster.member, [2, 3]);
    const { remote } = pair({ pool: () => pool });
    const far = (await remote.pool()) as Remote<WorkerPool>;
    const id = await far.take();
    expect(await far.take()).not.toBe(id);
    expect(await far.isReady()).toBe(false);
    expect(pool.isReady()).toBe(false);
    const waiting = far.wait();
    await far.put(id);
    await waiting;
    pool.put(2);
    pool.put(3);
    const { member } = cluster.at(4);
    const input = Array.from({ length: 40 }, (_, x) => x);
    expect(await pmap(member, tasks.double, input, { pool: far, batchSize: 1 })).toEqual(
      input.map((x) => x * 2),
    );
    expect(cluster.used).toEqual([2, 3]);
    await Promise.all([pool.take(), pool.take()]);
  });

  test('98. a worker is taken until its call has ended, also when that fails', async () => {
    const { member } = new TestCluster(1);
    const pool = new WorkerPool(member);
    const failing = pool.remotecallFetch(tasks.picky, 3);
    expect(pool.isReady()).toBe(false);
    await rejection(failing);
    expect(pool.isReady()).toBe(true);
  });

  test('forgets the dead, and says so when none is left to those who wait', async () => {
    const cluster = new TestCluster(2);
    const pool = new WorkerPool(cluster.member);
    cluster.kill(2);
    expect(pool.workers).toEqual([3]);
    expect(await pool.take()).toBe(3);
    const waiting = rejection(pool.take());
    cluster.kill(3);
    expect(await waiting).toBeInstanceOf(NoWorkerError);
    expect(await rejection(pool.take())).toBeInstanceOf(NoWorkerError);
    pool.put(3);
    expect(pool.length).toBe(0);
    expect(() => pool.push(3)).toThrow(ProcessExitedException);
  });

  test('a worker that was removed is not given out again, and one that was added is', async () => {
    const cluster = new TestCluster(2);
    const pool = new WorkerPool(cluster.member, undefined, { follow: true });
    const id = await pool.take();
    pool.remove(id);
    pool.put(id);
    expect(pool.length).toBe(1);
    pool.push(id);
    expect(pool.length).toBe(2);
  });

  test('a wait that is given up takes no worker', async () => {
    const { member } = new TestCluster(1);
    const pool = new WorkerPool(member);
    const id = await pool.take();
    expect(await rejection(pool.take({ timeout: 1 }))).toBeInstanceOf(TimeoutError);
    const controller = new AbortController();
    const aborted = rejection(pool.take({ signal: controller.signal }));
    // Both in one turn: the worker is given to who has given up already.
    pool.put(id);
    controller.abort(new Error('too late'));
    await aborted.catch(() => {});
    await new Promise((resolve) => setImmediate(resolve));
    expect(pool.queued).toBe(0);
  });

  test('refuses more who wait than it may hold', async () => {
    const { member } = new TestCluster(1);
    const pool = new WorkerPool(member, undefined, { maxQueued: 1 });
    const id = await pool.take();
    const waiting = pool.take();
    expect(await rejection(pool.take())).toBeInstanceOf(PoolFullError);
    pool.put(id);
    expect(await waiting).toBe(id);
  });

  test('what a process had taken that has died is free again', async () => {
    const cluster = new TestCluster(2);
    const pool = new WorkerPool(cluster.member, [2]);
    const { remote } = pair({ pool: () => pool });
    const access = accessTo((await remote.pool()) as Remote<WorkerPool>, cluster.at(3).member);
    expect(await access.lease(new AbortController().signal)).toBe(2);
    const waiting = pool.take();
    cluster.kill(3);
    expect(await waiting).toBe(2);
  });

  test('a lease of another process that is given up leaves all workers in the pool', async () => {
    const cluster = new TestCluster(2);
    const pool = new WorkerPool(cluster.member, [2]);
    const { remote, near } = pair({ pool: () => pool });
    const access = accessTo((await remote.pool()) as Remote<WorkerPool>, cluster.at(3).member);
    for (const when of ['waiting', 'given'] as const) {
      const held = when === 'waiting' ? await pool.take() : undefined;
      const controller = new AbortController();
      const leased = rejection(access.lease(controller.signal));
      if (when === 'waiting') await remote.pool();
      controller.abort(new Error('not any more'));
      expect((await leased).message).toBe('not any more');
      if (held !== undefined) pool.put(held);
      while (near.session.inFlight > 0) await new Promise((resolve) => setImmediate(resolve));
      await new Promise((resolve) => setImmediate(resolve));
      expect(pool.queued).toBe(0);
      expect(pool.isReady()).toBe(true);
    }
  });
});
