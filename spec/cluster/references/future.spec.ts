import { afterEach, expect, it } from 'vitest';
import { ProcessExitedException, RemoteException } from '../../../lib/cluster/errors.ts';
import type { FunctionName } from '../../../lib/cluster/functions.ts';
import { functionsOf } from '../../../lib/cluster/functions.ts';
import type { Member } from '../../../lib/cluster/member.ts';
import { FutureSetError } from '../../../lib/cluster/references/errors.ts';
import { Future } from '../../../lib/cluster/references/future.ts';
import { makeFuture, startCall } from '../../../lib/cluster/references/make.ts';
import { ReleasedError, TimeoutError } from '../../../lib/wire/errors.ts';
import { rejection, settled } from '../../wire/pair.ts';
import { Processes } from './processes.ts';

/** What a process was sent, kept alive there. */
const kept = new Map<Member, unknown[]>();

const jobs = {
  id(this: Member) {
    return this.id;
  },
  add: (a: number, b: number) => a + b,
  fail: () => {
    throw new RangeError('out of it');
  },
  never: () => new Promise(() => {}),
  keep(this: Member, ...args: unknown[]) {
    kept.set(this, [...(kept.get(this) ?? []), ...args]);
  },
  fetch: (future: Future) => future.fetch(),
  put: (future: Future, value: unknown) => future.put(value),
  back: (data: unknown) => data,
  release: (future: Future) => future.release(),
};

const { add, fail, never, id } = functionsOf('jobs') as unknown as Record<
  'add' | 'fail' | 'never' | 'id',
  FunctionName<(...args: never[]) => unknown>
>;

let processes: Processes;
const start = (count: number, options: { relayed?: boolean } = {}): Processes => {
  processes = new Processes(count, { jobs, ...options });
  return processes;
};

afterEach(() => {
  processes.close();
  kept.clear();
});

/** Until all notes have arrived. */
const quiet = async () => {
  for (let i = 0; i < 10; i++) await settled();
};

const cellsOf = (at: number) => processes.member(at).references.describe();

for (const owner of [1, 2]) {
  const where = owner === 1 ? 'local' : 'remote';

  it(`55. A new Future is not ready; after put it is, and fetch gives the value (${where} owner).`, async () => {
    const future = makeFuture<string>(start(2).member(1), owner);
    expect(await future.isReady()).toBe(false);
    await future.put('it');
    expect(await future.isReady()).toBe(true);
    expect(await future.fetch()).toBe('it');
    expect(await future.isReady()).toBe(true);
  });

  it(`56. The second put throws, and a Future has no take (${where} owner).`, async () => {
    const future = makeFuture<number>(start(2).member(1), owner);
    await future.put(1);
    const error = await rejection(future.put(2));
    expect(error).toBeInstanceOf(FutureSetError);
    expect(error).toMatchObject({ code: 'ERR_OFFSITE_FUTURE_SET' });
    expect(await future.fetch()).toBe(1);
    expect(await rejection(future.put(3))).toBeInstanceOf(FutureSetError);
    expect('take' in future).toBe(false);
  });

  it(`58. A Future that nobody fetched is dropped by its owner when it is released (${where} owner).`, async () => {
    const future = makeFuture(start(2).member(1), owner);
    await future.put('big');
    await quiet();
    expect(cellsOf(owner)).toMatchObject([{ holders: [1], loans: 0 }]);
    future.release();
    await quiet();
    expect(cellsOf(owner)).toEqual([]);
  });

  it(`59. A Future that was sent on stays at its owner until the last has fetched it too (${where} owner).`, async () => {
    start(3);
    const future = makeFuture<string>(processes.member(1), owner);
    await future.put('for both');
    await processes.send(1, 3, 'keep', future);
    await quiet();
    expect(cellsOf(owner)[0]!.holders.toSorted()).toEqual([1, 3]);
    expect(await future.fetch()).toBe('for both');
    future.release();
    await quiet();
    const [there] = kept.get(processes.member(3)) as [Future];
    expect(cellsOf(owner)).toMatchObject([{ holders: [3] }]);
    expect(await there.fetch()).toBe('for both');
    there.release();
    await quiet();
    expect(cellsOf(owner)).toEqual([]);
  });

  it(`64. fetchAt gives what lies under keys in the value (${where} owner).`, async () => {
    const future = makeFuture<{ rows: number[][]; names: Map<string, number> }>(start(2).member(1), owner);
    await future.put({ rows: [[1], [2, 3]], names: new Map([['a', 7]]) });
    expect(await future.fetchAt(['rows', 1])).toEqual([2, 3]);
    expect(await future.fetchAt(['rows', 1, 1])).toBe(3);
    expect(await future.fetchAt(['names', 'a'])).toBe(7);
    expect(await rejection(future.fetchAt(['rows', 9, 1]))).toBeInstanceOf(TypeError);
    await future.fetch();
    expect(await future.fetchAt(['rows', 1])).toEqual([2, 3]);
    expect(await rejection(future.fetchAt(['rows', 9, 1]))).toBeInstanceOf(TypeError);
  });

  it(`67. Every use of a Future that was released rejects (${where} owner).`, async () => {
    start(2);
    const future = makeFuture(processes.member(1), owner);
    const waiting = rejection(future.fetch());
    {
      using _ = future;
    }
    expect(await waiting).toBeInstanceOf(ReleasedError);
    for (const use of [
      () => future.fetch(),
      () => future.fetchAt([0]),
      () => future.put(1),
      () => future.isReady(),
      () => future.wait(),
      () => processes.send(1, 2, 'keep', future),
    ]) {
      expect(await rejection(use())).toBeInstanceOf(ReleasedError);
    }
    await quiet();
    expect(processes.member(1).references.sizes).toMatchObject({ handles: 0, asks: 0 });
    expect(cellsOf(owner)).toEqual([]);
  });
}

it('61. When the owner has set a Future, a put elsewhere fails; of puts that race exactly one wins.', async () => {
  start(3);
  for (let round = 0; round < 100; round++) {
    const future = makeFuture<string>(processes.member(1));
    const puts = [2, 3].map((to) => processes.send(1, to, 'put', future, `from ${to}`));
    if (round % 3 === 0) await future.put('mine');
    const outcomes = await Promise.allSettled([...puts, future.put('late')]);
    const lost = outcomes.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[];
    expect(lost).toHaveLength(round % 3 === 0 ? 3 : 2);
    for (const { reason } of lost) {
      expect((reason as RemoteException).cause ?? reason).toBeInstanceOf(FutureSetError);
    }
    if (round % 3 === 0) expect(await future.fetch()).toBe('mine');
  }
});

it('62. A Future that is sent again and again to its owner is held by its maker alone, and gone with that.', async () => {
  start(2);
  const future = makeFuture<string>(processes.member(1), 2);
  await future.put('there');
  for (let i = 0; i < 10; i++) {
    expect(await processes.send(1, 2, 'fetch', future)).toBe('there');
    await processes.send(1, 2, 'release', future);
  }
  await quiet();
  expect(cellsOf(2)).toMatchObject([{ holders: [1], loans: 0 }]);
  future.release();
  await quiet();
  expect(cellsOf(2)).toEqual([]);
  expect(processes.member(2).references.sizes).toEqual({ cells: 0, handles: 0, notes: 0, asks: 0 });
});

it('65. The Future of a call that was waited for can be fetched here, then sent to its owner and fetched there.', async () => {
  start(2);
  const future = startCall(processes.member(1), add, 2, [1, 2]);
  expect(future).toBeInstanceOf(Future);
  await future.wait();
  expect(await future.fetch()).toBe(3);
  await quiet();
  expect(await processes.send(1, 2, 'fetch', future)).toBe(3);
});

it('40. What was started without waiting can set a Future that lies here or there.', async () => {
  start(2);
  for (const owner of [1, 2]) {
    const future = makeFuture<string>(processes.member(1), owner);
    void processes.send(1, 2, 'put', future, 'set there');
    expect(await future.fetch()).toBe('set there');
  }
});

it('A Future is the same handle wherever it comes back, in any depth of data and through a third process.', async () => {
  start(3, { relayed: true });
  const future = makeFuture<string>(processes.member(2), 3);
  const data = (await processes.send(2, 3, 'back', { list: [new Map([['key', future]])] })) as {
    list: [Map<string, Future>];
  };
  expect(data.list[0].get('key')).toBe(future);
  await processes.send(2, 3, 'put', future, 'value');
  expect(await future.fetch()).toBe('value');
});

it('Something in the value of a Future can be a Future itself, which lives as long as somebody can reach it.', async () => {
  start(3);
  const inner = makeFuture<string>(processes.member(1), 2);
  const outer = makeFuture<{ inner: Future<string> }>(processes.member(1), 3);
  await outer.put({ inner });
  await inner.put('inside');
  inner.release();
  await quiet();
  expect(cellsOf(2)[0]!.holders).toEqual([3]);
  expect(await (await outer.fetch()).inner.fetch()).toBe('inside');
});

it('A Future that holds an error throws it on each fetch and wait, at the owner too.', async () => {
  start(3);
  for (const owner of [1, 2]) {
    const future = startCall(processes.member(1), fail, owner, []);
    for (const use of [
      () => future.wait(),
      () => future.fetch(),
      () => future.fetch(),
      () => future.wait(),
    ]) {
      const error = await rejection(use());
      expect(error).toBeInstanceOf(RemoteException);
      expect(error).toMatchObject({ id: owner, message: `On process ${owner}: out of it` });
      expect((error as Error).cause).toBeInstanceOf(RangeError);
    }
    expect(await future.isReady()).toBe(true);
  }
});

it('An error that was put as a value is a value.', async () => {
  const future = makeFuture<Error>(start(2).member(1), 2);
  await future.put(new RangeError('a value'));
  expect(await future.fetch()).toBeInstanceOf(RangeError);
});

it('What can not be sent as an argument is what the Future of the call rejects with.', async () => {
  const future = startCall(start(2).member(1), add, 2, [Symbol('never')]);
  expect(await rejection(future.fetch())).toMatchObject({ code: 'ERR_OFFSITE_UNSERIALIZABLE' });
});

it('Calls begin in their order, and their Futures lie where they run.', async () => {
  start(2);
  const futures = Array.from({ length: 50 }, (_, i) => startCall(processes.member(1), add, 2, [i, i]));
  expect(new Set(futures.map(({ owner }) => owner))).toEqual(new Set([2]));
  expect(await Promise.all(futures.map((future) => future.fetch()))).toEqual(futures.map((_, i) => 2 * i));
  expect(await startCall(processes.member(1), id, 1, []).fetch()).toBe(1);
});

it('The owner drops the value when all who hold the Future have it, and gets it back when one of them sends it on.', async () => {
  start(3);
  const value = new Uint8Array(1000).fill(7);
  const future = makeFuture<Uint8Array>(processes.member(1), 2);
  await future.put(value);
  await future.fetch();
  await quiet();
  const before = processes.link(1, 2).count('call');
  expect(before).toBeGreaterThan(0);
  await processes.send(1, 3, 'keep', future);
  // Not even held here any more: it comes home all the same.
  future.release();
  const [there] = kept.get(processes.member(3)) as [Future<Uint8Array>];
  expect(await there.fetch()).toEqual(value);
  await quiet();
  expect(cellsOf(2)).toMatchObject([{ holders: [3], loans: 0 }]);
});

it('A process that has released a Future and gets it again can fetch it again.', async () => {
  start(3);
  const future = makeFuture<string>(processes.member(1), 2);
  await future.put('again');
  for (let i = 0; i < 3; i++) {
    expect(await processes.send(1, 3, 'fetch', future)).toBe('again');
    await processes.send(1, 3, 'release', future);
    await quiet();
    // The last one fetches here too, so that the owner drops it in between.
    if (i === 1) expect(await future.fetch()).toBe('again');
  }
});

it('When who had the last copy of a value dies before it has given it back, whoever wants it learns so.', async () => {
  start(3);
  const future = makeFuture<string>(processes.member(1), 2);
  await future.put('only here');
  await future.fetch();
  await quiet();
  processes.link(1, 2).hold();
  await processes.send(1, 3, 'keep', future);
  const [there] = kept.get(processes.member(3)) as [Future<string>];
  const fetched = rejection(there.fetch());
  await quiet();
  processes.kill(1);
  expect(await fetched).toMatchObject({ code: 'ERR_OFFSITE_PROCESS_EXITED', id: 1 });
});

it('A fetch from a dead owner rejects at once; one that waits does so when the owner dies.', async () => {
  start(3);
  const member = processes.member(1);
  const future = startCall(member, never, 3, []);
  const waiting = [rejection(future.fetch()), rejection(future.wait())];
  await quiet();
  processes.kill(3);
  for (const error of await Promise.all(waiting)) {
    expect(error).toBeInstanceOf(ProcessExitedException);
    expect(error).toMatchObject({ id: 3, reason: 'crashed' });
  }
  expect(await rejection(future.fetch())).toBeInstanceOf(ProcessExitedException);
  expect(() => makeFuture(member, 3)).toThrow(ProcessExitedException);
});

it('A Future that waits for a process wakes everybody when that dies, wherever it lies.', async () => {
  start(4);
  const future = makeFuture(processes.member(1), 2, { waitingFor: 4 });
  const far = processes.send(1, 3, 'fetch', future);
  const waiting = [rejection(future.fetch()), rejection(far)];
  await quiet();
  processes.kill(4);
  const [near, remote] = await Promise.all(waiting);
  expect(near).toMatchObject({ code: 'ERR_OFFSITE_PROCESS_EXITED', id: 4 });
  expect((remote as Error).cause).toMatchObject({ code: 'ERR_OFFSITE_PROCESS_EXITED', id: 4 });
  const late = makeFuture(processes.member(1), 2);
  expect(await late.isReady()).toBe(false);
});

it('A fetch that is given up rejects at once, and nothing waits for it any more at the owner.', async () => {
  start(2);
  const future = makeFuture(processes.member(1), 2);
  const controller = new AbortController();
  const waiting = rejection(future.fetch({ signal: controller.signal }));
  const other = future.fetch();
  await quiet();
  controller.abort(new Error('enough'));
  expect(await waiting).toMatchObject({ message: 'enough' });
  expect(await rejection(future.fetch({ timeout: 1 }))).toBeInstanceOf(TimeoutError);
  await future.put('later');
  expect(await other).toBe('later');
  expect(processes.member(1).references.sizes.asks).toBe(0);
});

it('Notes that were lost with a connection are sent again over the next.', async () => {
  start(2);
  const future = makeFuture(processes.member(1), 2);
  await future.put(1);
  await quiet();
  processes.link(1, 2).hold();
  future.release();
  await quiet();
  processes.cut(1, 2);
  expect(cellsOf(2)).toHaveLength(1);
  while (cellsOf(2).length > 0) await settled();
  expect(processes.member(1).references.sizes.notes).toBe(0);
});

it('A handle of a cluster that a process is not in does not arrive there, and the error says so.', async () => {
  start(1);
  const other = new Processes(2, { jobs });
  const future = makeFuture(processes.member(1));
  processes.close();
  expect(await rejection(other.send(1, 2, 'keep', future))).toMatchObject({
    code: 'ERR_OFFSITE_CLUSTER_CLOSED',
  });
  other.close();
});
