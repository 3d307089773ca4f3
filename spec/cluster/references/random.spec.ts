import { randomInt } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Member } from '../../../lib/cluster/member.ts';
import { AFTER_DEATH, ON_ITS_WAY } from '../../../lib/cluster/references/cells.ts';
import { Future } from '../../../lib/cluster/references/future.ts';
import type { Handle } from '../../../lib/cluster/references/handle.ts';
import { makeChannel, makeFuture } from '../../../lib/cluster/references/make.ts';
import { RemoteChannel } from '../../../lib/cluster/references/remote-channel.ts';
import { settled } from '../../wire/pair.ts';
import { Processes } from './processes.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Numbers from 0 on below a bound, the same ones for the same seed. */
const randomOf = (seed: number) => {
  let state = seed;
  return (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
};

/** Lets all arrive that can, and so much time pass. */
const pass = async (milliseconds: number) => {
  for (let turn = 0; turn < 5; turn++) await settled();
  await vi.advanceTimersByTimeAsync(milliseconds);
  for (let turn = 0; turn < 5; turn++) await settled();
};

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

/** Collects until it is so, or for long enough that it should be. */
const collected = async (isSo: () => boolean) => {
  for (let round = 0; round < 20 && !isSo(); round++) {
    gc();
    await pass(100);
  }
};

const seeds = process.env.OFFSITE_SEED
  ? [Number(process.env.OFFSITE_SEED)]
  : // The first has a claim that waits for its Future to be made when the claimer dies.
    [
      1_424_631_363,
      ...Array.from({ length: Number(process.env.OFFSITE_SEEDS ?? 8) }, () => randomInt(2 ** 31)),
    ];

it.each(seeds)(
  'Handles are passed round at random while processes die and connections break: at the end nothing is kept, lost or taken twice (seed %i).',
  async (seed) => {
    const random = randomOf(seed);
    const pick = <T>(from: readonly T[]): T | undefined => from[random(from.length)];
    /** What each process holds. */
    const bags = new Map<number, Set<Handle>>();
    const jobs = {
      keep(this: Member, ...handles: Handle[]) {
        for (const handle of handles) bags.get(this.id)?.add(handle);
      },
    };
    const relayed = random(2) === 0;
    const processes = new Processes(5, { jobs, relayed });
    for (const id of processes.ids) bags.set(id, new Set());
    const held = (id: number) => [...bags.get(id)!].filter(({ released }) => !released);
    const dead = new Set<number>();
    const running = new Set<Promise<unknown>>();
    const run = (promise: Promise<unknown>) => {
      const done = promise.then(
        () => {},
        () => {},
      );
      running.add(done);
      void done.then(() => running.delete(done));
    };

    /** The channel into which each value was to be put, and the channels that were drained in the end. */
    const channelOf = new Map<number, string>();
    const drained = new Set<string>();
    const put = new Set<number>();
    const taken: { value: number; by: number }[] = [];
    const given = new AbortController();
    const wrong: string[] = [];
    let fetched = 0;
    let last = 0;

    const use = (id: number, handle: Handle) => {
      if (handle instanceof Future) {
        if (random(3) > 0) {
          const name = handle.toString();
          run(
            handle.fetch({ signal: given.signal }).then((value) => {
              fetched++;
              if (value !== name) wrong.push(`${name}: ${String(value)}`);
            }),
          );
        } else run(handle.put(handle.toString()));
      } else if (handle instanceof RemoteChannel) {
        if (random(2) === 0) {
          const value = ++last;
          channelOf.set(value, handle.toString());
          run(handle.put(value, { signal: given.signal }).then(() => put.add(value)));
        } else {
          const controller = new AbortController();
          if (random(3) === 0) setTimeout(() => controller.abort(), random(20));
          const signal = AbortSignal.any([given.signal, controller.signal]);
          run(handle.take({ signal }).then((value) => taken.push({ value: value as number, by: id })));
        }
      }
    };

    for (let step = 0; step < 400; step++) {
      const id = pick(processes.ids)!;
      const other = pick(processes.ids)!;
      const handle = pick(held(id));
      switch (random(12)) {
        case 0:
          bags.get(id)!.add(makeFuture(processes.member(id), other));
          break;
        case 1:
          bags.get(id)!.add(makeChannel<number>(processes.member(id), other, random(4)));
          break;
        case 2:
        case 3:
        case 4:
          if (handle && id !== other) run(processes.send(id, other, 'keep', handle));
          break;
        case 5:
          // Not its last one before it was sent on, or nobody could use it.
          if (handle && random(2) === 0) handle.release();
          break;
        case 6:
          if (id === other) break;
          if (random(2) === 0) processes.link(id, other).hold();
          else processes.link(id, other).letGo();
          break;
        case 7:
          // Who is between others is none that may die.
          if (random(30) === 0 && processes.ids.length > 2 && !(relayed && id === 1)) {
            dead.add(id);
            processes.kill(
              id,
              processes.ids.toSorted(() => random(3) - 1),
            );
          } else if (random(8) === 0 && id !== other) processes.cut(id, other);
          break;
        default:
          if (handle) use(id, handle);
      }
      if (random(4) === 0) await pass(random(50));
    }

    const all = processes.ids;
    for (const a of all) for (const b of all) if (a !== b) processes.link(a, b).letGo();
    await pass(10_000);
    // What is left in the channels is taken out by who still holds one.
    for (const id of all) {
      for (const handle of held(id)) {
        if (!(handle instanceof RemoteChannel) || dead.has(handle.owner)) continue;
        run(handle.close());
        await pass(100);
        const drain = async () => {
          for await (const value of handle) taken.push({ value: value as number, by: id });
          drained.add(handle.toString());
        };
        run(drain());
        await pass(100);
      }
    }
    given.abort();
    await pass(10_000);
    for (const id of all) for (const handle of held(id)) handle.release();
    await pass(AFTER_DEATH + ON_ITS_WAY + 5_000);
    await Promise.all(running);
    // Process 1 has held what it passed on, and nobody released it there.
    if (relayed) await collected(() => processes.member(1).references.sizes.handles === 0);
    await pass(100);

    for (const id of all) {
      expect(processes.member(id).references.describe(), `in process ${id}`).toEqual([]);
      const { cells, notes, asks } = processes.member(id).references.sizes;
      expect({ id, cells, notes, asks }).toEqual({ id, cells: 0, notes: 0, asks: 0 });
    }
    const byTheLiving = taken.filter(({ by }) => !dead.has(by)).map(({ value }) => value);
    expect(new Set(byTheLiving).size).toBe(byTheLiving.length);
    // What a dead process has taken, or could have, is not missed.
    const known = new Set(taken.map(({ value }) => value));
    const lost = [...put].filter((value) => !known.has(value) && drained.has(channelOf.get(value)!));
    expect(lost).toEqual([]);
    expect(wrong).toEqual([]);
    // Something has happened.
    expect(Math.min(fetched, taken.length, put.size)).toBeGreaterThan(0);
    processes.close();
  },
);
