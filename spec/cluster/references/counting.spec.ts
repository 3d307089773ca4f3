import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Member } from '../../../lib/cluster/member.ts';
import { AFTER_DEATH, NEWS_WITHIN, ON_ITS_WAY } from '../../../lib/cluster/references/cells.ts';
import type { Future } from '../../../lib/cluster/references/future.ts';
import type { Handle } from '../../../lib/cluster/references/handle.ts';
import { makeChannel, makeFuture } from '../../../lib/cluster/references/make.ts';
import { rejection, settled } from '../../wire/pair.ts';
import { Processes } from './processes.ts';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

const kept = new Map<number, Handle[]>();
const jobs = {
  keep(this: Member, ...handles: Handle[]) {
    kept.set(this.id, [...(kept.get(this.id) ?? []), ...handles]);
  },
  look: () => {},
};

let processes: Processes;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  processes = new Processes(4, { jobs });
});
afterEach(() => {
  processes.close();
  kept.clear();
  vi.useRealTimers();
});

/** Until all that can has arrived. */
const quiet = async () => {
  for (let i = 0; i < 10; i++) await settled();
};

const pass = async (milliseconds: number) => {
  await quiet();
  await vi.advanceTimersByTimeAsync(milliseconds);
  await quiet();
};

const cellsAt = (id: number) => processes.member(id).references.describe();

it('A handle that was sent and never arrives is given up after its time.', async () => {
  const future = makeFuture(processes.member(1), 2);
  await future.isReady();
  processes.link(1, 3).hold();
  void processes.send(1, 3, 'keep', future).catch(() => {});
  await quiet();
  future.release();
  await quiet();
  expect(cellsAt(2)).toMatchObject([{ holders: [], loans: 1 }]);
  await pass(ON_ITS_WAY - 1000);
  expect(cellsAt(2)).toHaveLength(1);
  await pass(2000);
  expect(cellsAt(2)).toEqual([]);
});

it('A claim that is quicker than the word of its loan counts, and the two cancel each other out.', async () => {
  const future = makeFuture<string>(processes.member(1), 2);
  await future.put('it');
  processes.link(1, 2).hold();
  await processes.send(1, 3, 'keep', future);
  future.release();
  await quiet();
  expect(cellsAt(2)).toMatchObject([{ holders: [1, 3], loans: 0 }]);
  processes.link(1, 2).letGo();
  await quiet();
  expect(cellsAt(2)).toMatchObject([{ holders: [3], loans: 0 }]);
  expect(await (kept.get(3)![0] as Future).fetch()).toBe('it');
});

it('A reference is used before its owner has heard that it was made, and nothing overtakes what waits for it.', async () => {
  processes.link(1, 2).hold();
  const channel = makeChannel<number>(processes.member(1), 2, 10);
  await processes.send(1, 3, 'keep', channel);
  const [there] = kept.get(3) as [typeof channel];
  const puts = [0, 1, 2].map((value) => there.put(value));
  await quiet();
  processes.link(1, 2).letGo();
  puts.push(there.put(3));
  await Promise.all(puts);
  for (let i = 0; i < 4; i++) expect(await channel.take()).toBe(i);
});

it('A reference that nobody has made is waited for a while, and then the error says so.', async () => {
  const member = processes.member(3);
  const stray = member.references.receive({
    cluster: processes.name,
    owner: 2,
    ref: [1, 99],
    kind: 'future',
    token: '1:1',
  }) as Future;
  const fetched = rejection(stray.fetch());
  await pass(NEWS_WITHIN + 1000);
  expect(await fetched).toMatchObject({ code: 'ERR_OFFSITE_NO_REFERENCE' });
});

it('A reference that was dropped is not waited for, and the error says so.', async () => {
  const future = makeFuture(processes.member(1), 2);
  future.release();
  await quiet();
  const { ref } = future;
  const late = processes
    .member(3)
    .references.receive({ cluster: processes.name, owner: 2, ref, kind: 'future', token: '1:7' }) as Future;
  expect(await rejection(late.fetch())).toMatchObject({ code: 'ERR_OFFSITE_NO_REFERENCE' });
});

it('What a dead process alone held is dropped, but not before what it had sent on can be heard of.', async () => {
  const future = makeFuture<string>(processes.member(1), 2);
  await future.put('outlives');
  // Its words to the owner are lost with it; that to 3 is not.
  processes.link(1, 2).hold();
  await processes.send(1, 3, 'look');
  processes.link(3, 2).hold();
  await processes.send(1, 3, 'keep', future);
  processes.kill(1);
  await pass(AFTER_DEATH / 2);
  processes.link(3, 2).letGo();
  await pass(AFTER_DEATH * 2);
  expect(cellsAt(2)).toMatchObject([{ holders: [3], loans: 0 }]);
  expect(await (kept.get(3)![0] as Future).fetch()).toBe('outlives');
  processes.kill(3);
  await pass(AFTER_DEATH - 1000);
  expect(cellsAt(2)).toHaveLength(1);
  await pass(2000);
  expect(cellsAt(2)).toEqual([]);
});

it('A handle that nobody uses any more is given back when it is collected, here and where it was sent.', async () => {
  (() => {
    const future = makeFuture(processes.member(1), 2);
    void processes.send(1, 3, 'look', future, { in: [future] });
  })();
  await quiet();
  expect(cellsAt(2)).toHaveLength(1);
  for (let round = 0; round < 50 && cellsAt(2).length > 0; round++) {
    gc();
    await pass(10);
  }
  expect(cellsAt(2)).toEqual([]);
  await pass(ON_ITS_WAY + 1000);
  for (const id of processes.ids) {
    expect(processes.member(id).references.sizes).toEqual({ cells: 0, handles: 0, notes: 0, asks: 0 });
  }
});

it('What an owner has taken in counts once, although its word of that was lost and it comes again.', async () => {
  processes.link(2, 1).hold();
  const future = makeFuture<string>(processes.member(1), 2);
  await processes.send(1, 3, 'keep', future);
  await (kept.get(3)![0] as Future<string>).put('once');
  expect(processes.member(1).references.sizes.notes).toBeGreaterThan(0);
  processes.cut(1, 2);
  await pass(5_000);
  expect(processes.member(1).references.sizes.notes).toBe(0);
  expect(await future.fetch()).toBe('once');
});

it('Many notes of one turn leave in one call.', async () => {
  const futures = Array.from({ length: 100 }, () => makeFuture(processes.member(1), 2));
  await quiet();
  const before = processes.link(1, 2).count('call');
  for (const future of futures) future.release();
  await quiet();
  expect(processes.link(1, 2).count('call') - before).toBe(1);
  expect(cellsAt(2)).toEqual([]);
});
