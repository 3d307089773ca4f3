import { describe, expect, test } from 'vitest';
import { closeJobs, openJobs, work } from '../../support/jobs.ts';
import { rejection } from '../../support/sites.ts';

const xs = [1, 2, 3, 4];
const ys = [2, 3, 4, 5];
const sum = (left: number, right: number) => left + right;

describe("maps over lists, as Octave's tests have them", () => {
  closeJobs();

  test('C1: products of two lists, with two to four sites', async () => {
    for (const ncpus of [2, 3, 4]) {
      const jobs = await openJobs({ ncpus });
      expect(await jobs.map(work.multiply, xs, ys, { uniform: true })).toEqual([2, 6, 12, 20]);
    }
  });

  test('C2: results that are no scalars are given as they are, and refused where they must be scalars', async () => {
    const jobs = await openJobs();
    const both = (x: number, y: number) => [x, y];
    expect(await jobs.map(both, xs, ys)).toEqual([
      [1, 2],
      [2, 3],
      [3, 4],
      [4, 5],
    ]);
    expect(await rejection(jobs.map(both, xs, ys, { uniform: true }))).toMatchObject({
      code: 'ERR_OFFSITE_UNIFORM_OUTPUT',
      index: expect.any(Number),
    });
  });

  test('C3: chunks of any size give the same', async () => {
    const jobs = await openJobs();
    for (const chunk of [1, 2, 3, 100]) {
      expect(await jobs.map(work.multiply, xs, ys, { chunk })).toEqual([2, 6, 12, 20]);
    }
    expect(jobs.getStats().jobs).toBe(4 + 2 + 2 + 1);
  });

  test('C4, C5: a fold joins the results, in chunks too', async () => {
    const jobs = await openJobs();
    expect(await jobs.map(work.multiply, xs, ys, { fold: sum, chunk: 1 })).toBe(40);
    expect(await jobs.map(work.multiply, xs, ys, { fold: work.add, chunk: 2 })).toBe(40);
    expect(await jobs.map(work.multiply, xs, ys, { fold: sum, initial: 2 })).toBe(42);
    expect(await jobs.map(work.multiply, [], [], { fold: sum, initial: 7 })).toBe(7);
  });

  test('C6: one bad element goes to the handler with its index, and the others succeed', async () => {
    const jobs = await openJobs();
    const seen: unknown[] = [];
    const values = await jobs.map(work.failOn, [3, 3, 3, 3], xs, {
      chunk: 3,
      onError: (error, index, bad, value) => {
        seen.push([(error as Error).message, index, bad, value]);
        return -1;
      },
    });
    expect(values).toEqual([10, 20, -1, 40]);
    expect(seen).toEqual([['3 is refused', 2, 3, 3]]);
    expect(await jobs.map(work.failOn, [3, 3, 3, 3], xs, { fold: sum, onError: () => 1 })).toBe(71);
    expect(await rejection(jobs.map(work.failOn, [3, 3, 3, 3], xs))).toMatchObject({
      name: 'Refused',
      index: 3,
    });
  });

  test('C7: typed arrays are lists too, and progress is told', async () => {
    const jobs = await openJobs();
    const told: number[][] = [];
    const list = new Float64Array([1, 4, 9]);
    const verbose = (done: number, total: number) => void told.push([done, total]);
    expect(await jobs.map((x: number) => Math.sqrt(x), list, { chunk: 1, verbose })).toEqual([1, 2, 3]);
    expect(told).toEqual([
      [1, 3],
      [2, 3],
      [3, 3],
    ]);
  });

  test('lists of different lengths and unknown options are refused', async () => {
    const jobs = await openJobs();
    expect(await rejection(jobs.map(work.multiply, xs, [1]))).toMatchObject({ code: 'ERR_OFFSITE_OPTION' });
    // @ts-expect-error there is no such option
    expect(await rejection(jobs.map(work.multiply, xs, ys, { chunks: 2 }))).toMatchObject({
      option: 'chunks',
    });
  });
});

describe("Parallel Python's examples", () => {
  closeJobs();
  const inputs = [100, 1_000, 2_000, 500, 300, 700, 1_500, 50];
  const primes = (n: number) => {
    let total = 0;
    for (let i = 2; i < n; i++) {
      let prime = true;
      for (let j = 2; j * j <= i; j++) if (i % j === 0) prime = false;
      if (prime) total += i;
    }
    return total;
  };

  test('B1: sums of primes equal the serial ones, by submit and by a template', async () => {
    const jobs = await openJobs();
    const serial = inputs.map(primes);
    expect(await Promise.all(inputs.map((n) => jobs.submit(work.sumPrimes, [n])))).toEqual(serial);
    const template = jobs.template(primes, { group: 'primes' });
    const all = inputs.map((n) => template.submit(n));
    await jobs.wait('primes');
    expect(all.map(({ value }) => value)).toEqual(serial);
  });

  test('B2: 128 partial sums are folded by a callback before wait() is over', async () => {
    const jobs = await openJobs();
    let total = 0;
    const step = 200_000 / 128;
    for (let i = 0; i < 128; i++) {
      jobs.submit(work.partialLn2, [(1 + i * step) | 0, (1 + (i + 1) * step) | 0], {
        callback: ({ value }) => {
          total += value!;
        },
      });
    }
    await jobs.wait();
    expect(total).toBeCloseTo(Math.log(2), 4);
  });

  test('B5: quicksort, whose parts are jobs that go on as arguments', async () => {
    const jobs = await openJobs();
    const sorted = (list: readonly number[]): PromiseLike<number[]> | number[] => {
      if (list.length < 20) return [...list].sort((a, b) => a - b);
      const [pivot, ...rest] = list as [number, ...number[]];
      const side = (is: (x: number) => boolean) =>
        jobs.submit((part: number[]) => [...part].sort((a, b) => a - b), [rest.filter(is)]);
      return jobs.submit(
        (...parts: number[][]) => parts.flat(),
        [side((x) => x < pivot), [pivot], side((x) => x >= pivot)],
      );
    };
    const list = Array.from({ length: 200 }, (_, i) => (i * 7919) % 1_009);
    expect(await sorted(list)).toEqual([...list].sort((a, b) => a - b));
  });

  test('B6: a search stops at the first hit', async () => {
    const jobs = await openJobs({ ncpus: 2 });
    const search = (from: number) => (from <= 300 && 300 < from + 100 ? 300 : null);
    const all = Array.from({ length: 50 }, (_, i) => jobs.submit(search, [i * 100], { group: 'search' }));
    const hit = await new Promise<number>((resolve) => {
      for (const job of all)
        void job.then(
          (found) => found !== null && resolve(found),
          () => {},
        );
    });
    await jobs.cancel('search');
    expect(hit).toBe(300);
    expect(all.every(({ endTime }) => endTime !== undefined)).toBe(true);
  });
});
