import { describe, expect, test } from 'vitest';
import { distributed } from '../../../actors/pool/distributed.ts';
import { guidedRanges, splitRange } from '../../../actors/pool/split-range.ts';
import { RemoteException } from '../../../lib/cluster/errors.ts';
import { rejection } from '../../support/sites.ts';
import { TestCluster, tasks } from './members.ts';

const schedules = ['static', 'dynamic'] as const;

describe('distributed', () => {
  test('112. two iterations over four workers reduce right', async () => {
    const { member } = new TestCluster(4);
    for (const schedule of schedules) {
      expect(await distributed(member, [1, 3], tasks.double, tasks.sum, { schedule })).toBe(6);
    }
  });

  test('113. the range is read once', async () => {
    const { member } = new TestCluster(2);
    let read = 0;
    const range = {
      get start() {
        read++;
        return 0;
      },
      end: 4,
    };
    expect(await distributed(member, range, tasks.double, tasks.sum)).toBe(12);
    expect(read).toBe(1);
  });

  test('115. a range that does not begin at 0 gives its own numbers, and array-likes their elements', async () => {
    const { member } = new TestCluster(3);
    expect(await distributed(member, [100, 104], tasks.double, tasks.sum)).toBe(812);
    expect(await distributed(member, [-3, 0], tasks.double, tasks.sum)).toBe(-12);
    const elements = new Float64Array([1, 2, 3, 4, 5]);
    expect(await distributed(member, { elements }, tasks.double, tasks.sum)).toBe(30);
  });

  test('116. a reducer that is not commutative keeps the order', async () => {
    const { member } = new TestCluster(3);
    for (const schedule of schedules) {
      const text = await distributed(member, [0, 26], tasks.letter, tasks.concat, { schedule });
      expect(text).toBe('abcdefghijklmnopqrstuvwxyz');
    }
  });

  test('each worker has one part of a static schedule', async () => {
    const cluster = new TestCluster(3);
    const parts: unknown[] = [];
    for (const { performer } of cluster.processes.values()) {
      const reduce = performer.performReduce.bind(performer);
      performer.performReduce = (fn, reducer, chunk, rest) => {
        if (fn) parts.push([performer.constructor.name, chunk]);
        return reduce(fn, reducer, chunk, rest);
      };
    }
    await distributed(cluster.member, [0, 8], tasks.double, tasks.sum);
    expect(parts).toEqual([
      ['TestPerformer', { start: 0, end: 3 }],
      ['TestPerformer', { start: 3, end: 6 }],
      ['TestPerformer', { start: 6, end: 8 }],
    ]);
  });

  test('passes more arguments, awaits both functions, and works without workers', async () => {
    for (const workers of [0, 2]) {
      const { member } = new TestCluster(workers);
      expect(await distributed(member, [0, 5], tasks.plus, tasks.later, { args: [1, 0] })).toBe(15);
    }
  });

  test('an empty range gives the initial value, and is an error without one', async () => {
    const { member } = new TestCluster(2);
    expect(await distributed(member, [3, 3], tasks.double, tasks.sum, { initial: 7 })).toBe(7);
    expect(await distributed(member, [0, 3], tasks.double, tasks.sum, { initial: 7 })).toBe(13);
    expect(await rejection(distributed(member, [3, 3], tasks.double, tasks.sum))).toBeInstanceOf(TypeError);
  });

  test('without a reducer it only calls, and no error is lost', async () => {
    const { member } = new TestCluster(2);
    const seen: number[] = [];
    const tell = (x: number) => seen.push(x);
    expect(await distributed(member, [0, 6], tasks.ask, undefined, { args: [tell] })).toBeUndefined();
    expect(seen.sort()).toEqual([0, 1, 2, 3, 4, 5]);
    expect(await rejection(distributed(member, [0, 6], tasks.picky))).toBeInstanceOf(RemoteException);
  });

  test('a part that is lost with its worker is done by another if retry allows', async () => {
    for (const schedule of schedules) {
      for (const allowed of [true, false]) {
        const cluster = new TestCluster(3);
        const { performer } = cluster.at(3);
        performer.performReduce = () => {
          cluster.kill(3);
          return new Promise(() => {});
        };
        const options = { schedule, ...(allowed && { retry: { delays: [0] } }) };
        const result = distributed(cluster.member, [0, 26], tasks.letter, tasks.concat, options);
        if (allowed) expect(await result).toBe('abcdefghijklmnopqrstuvwxyz');
        else expect(await rejection(result)).toMatchObject({ name: 'ProcessExitedException', id: 3 });
      }
    }
  });
});

describe('splitting', () => {
  test('110. parts follow one another, are nearly equal, the larger first, and none is empty', () => {
    expect(splitRange(0, 3)).toEqual([]);
    expect(splitRange(2, 4)).toEqual([
      { start: 0, end: 1 },
      { start: 1, end: 2 },
    ]);
    expect(splitRange(3, 3)).toHaveLength(3);
    expect(splitRange(10, 4).map(({ start, end }) => end - start)).toEqual([3, 3, 2, 2]);
    for (let length = 1; length < 40; length++) {
      for (const ranges of [splitRange(length, 7), guidedRanges(length, 3)]) {
        expect(ranges[0]!.start).toBe(0);
        expect(ranges.at(-1)!.end).toBe(length);
        for (const [index, { start, end }] of ranges.entries()) {
          expect(end).toBeGreaterThan(start);
          if (index > 0) expect(start).toBe(ranges[index - 1]!.end);
        }
      }
    }
  });

  test('guided parts become smaller towards the end', () => {
    const sizes = guidedRanges(1_000, 4).map(({ start, end }) => end - start);
    expect(sizes[0]).toBe(125);
    expect(sizes.at(-1)).toBe(1);
    expect(sizes.length).toBeLessThan(60);
  });
});
