import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { closeJobs, openJobs } from '../support/jobs.ts';
import { chance, MODULE, served, serverOf, tasks } from './served.ts';
import { Dual, Polynomial } from './tasks.ts';

describe('the examples of Parallel Python, at this host and a node with a key', () => {
  const hosts = served(['--name', 'node-1', '--cpus', '2']);
  closeJobs();
  const open = (options: object = {}) =>
    openJobs({ ncpus: 1, fork: 'sh', servers: [serverOf(hosts[0]!)], ...options });

  test('B1. sums of primes for eight inputs equal the serial ones, by submit and by a template', async () => {
    const inputs = Array.from({ length: 8 }, (_, at) => 10_000 + 100 * at);
    const { sumPrimes } = await import('./tasks.ts');
    const serial = inputs.map((input) => sumPrimes(input));
    const jobs = await open();
    expect(await Promise.all(inputs.map((input) => jobs.submit(tasks.sumPrimes, [input])))).toEqual(serial);
    const template = jobs.template(tasks.sumPrimes, { group: 'primes' });
    const all = inputs.map((input) => template.submit(input));
    await jobs.wait('primes');
    expect(all.map(({ value }) => value)).toEqual(serial);
    // At the node alone.
    const there = inputs.map((input) => template.with({ node: 'node-1' }).submit(input));
    expect(await Promise.all(there)).toEqual(serial);
    expect(new Set(there.map(({ node }) => node))).toEqual(new Set(['node-1']));
  });

  test('B2. 128 partial sums that a callback folds are ln 2, before wait() is over', async () => {
    const jobs = await open();
    const [parts, step] = [128, 2_000];
    let [sum, calls] = [0, 0];
    for (let part = 0; part < parts; part++) {
      const callback = ({ value }: { value?: number }) => {
        sum += value!;
        calls++;
      };
      jobs.submit(tasks.partOfLn2, [1 + part * step, 1 + (part + 1) * step], { callback });
    }
    await jobs.wait();
    expect(calls).toBe(parts);
    expect(sum).toBeCloseTo(Math.log(2), 5);
  });

  test('B3. workers are changed from 1 to 2, 4, 8, 16 and 1, and results stay right', async () => {
    const jobs = await openJobs({ ncpus: 1, fork: 'sh' });
    for (const ncpus of [1, 2, 4, 8, 16, 1]) {
      jobs.setNcpus(ncpus);
      expect([jobs.ncpus, jobs.getActiveNodes()]).toEqual([ncpus, { local: ncpus }]);
      const ms = Array.from({ length: ncpus + 4 }, (_, at) => at);
      const results = await Promise.all(ms.map((each) => jobs.submit(tasks.sleepAt, [each])));
      expect(results).toEqual(ms.map((each) => ['local', each]));
    }
  });

  test('B4. methods of a class of one’s own, with instances of another as arguments, run there', async () => {
    const [polynomial, x, y] = [new Polynomial(3), new Dual(2, 1), new Dual(5)];
    // 3x² + xy, and its derivative 6x + y
    const expected = new Dual(22, 17);
    const jobs = await open({ ncpus: 0 });
    // The first job that its site has brings instances of classes that no site has heard of.
    const at = (each: Polynomial, ...args: [Dual, Dual]) => each.at(...args);
    const first = await jobs.submit(at, [polynomial, x, y], { depends: [MODULE] });
    expect(first).toBeInstanceOf(Dual);
    expect(first).toEqual(expected);
    expect(await jobs.map(tasks.evaluate, [polynomial], [x], [y])).toEqual([expected]);
    const sum = jobs.submit(tasks.evaluate, [polynomial, jobs.submit(tasks.evaluate, [polynomial, x, y]), y]);
    expect(await sum).toEqual(polynomial.at(expected, y));
  });

  test('B5. quicksort, whose jobs are the arguments of other jobs', async () => {
    const jobs = await open();
    const random = chance();
    const list = Array.from({ length: 300 }, () => random(1_000));
    const sorted = (part: readonly number[], depth: number): PromiseLike<number[]> | number[] => {
      if (part.length === 0) return [];
      if (depth === 0) return jobs.submit(tasks.sort, [part]);
      const [pivot, ...rest] = part as [number, ...number[]];
      const sides = [rest.filter((n) => n < pivot), rest.filter((n) => n >= pivot)];
      const [left, right] = sides.map((side) => sorted(side, depth - 1));
      return jobs.submit(tasks.join3, [left as number[], pivot, right as number[]]);
    };
    expect(await sorted(list, 3)).toEqual([...list].sort((a, b) => a - b));
  });

  test('B6. the search for what has an MD5 stops at the first hit', async () => {
    const jobs = await open();
    const [secret, step] = [3_456, 500];
    const hash = createHash('md5').update(String(secret)).digest('hex');
    const all = Array.from({ length: 1_000 }, (_, at) =>
      jobs.submit(tasks.reverseMd5, [hash, at * step, (at + 1) * step], { group: 'search' }),
    );
    const hit = await new Promise<number>((resolve) => {
      const look = (found: number | undefined) => found !== undefined && resolve(found);
      for (const job of all) void job.then(look, () => {});
    });
    await jobs.cancel('search', { grace: 0 });
    expect(hit).toBe(secret);
    const cancelled = all.filter(({ status }) => status === 'cancelled');
    expect(cancelled.length).toBeGreaterThan(0);
    expect(jobs.pending).toBe(0);
  });
});
