import { describe, expect, test } from 'vitest';
import { FreeVariableError, functor, OptionError } from '../../../lib/index.ts';
import { closeJobs, openJobs, work } from '../../support/jobs.ts';
import { fixture, rejection } from '../../support/sites.ts';

describe('submitting jobs', () => {
  closeJobs();

  test('a function that is named by its module runs in a process of this host', async () => {
    const jobs = await openJobs({ fork: 'sh' });
    const job = jobs.submit(work.add, [1, 2]);
    expect(await job).toBe(3);
    expect(job).toMatchObject({ status: 'finished', value: 3, node: 'local', attempts: 1 });
    expect(job.submitTime).toBeLessThanOrEqual(job.startTime!);
    expect(job.startTime).toBeLessThanOrEqual(job.endTime!);
    expect(await jobs.submit(work.pid)).not.toBe(process.pid);
  });

  test('a plain function, a functor, an export by its text and a system module run too', async () => {
    const jobs = await openJobs();
    expect(await jobs.submit((x: number, y: number) => x ** y, [2, 5])).toBe(32);
    const basename = functor(
      { import: { path: 'node:path' } },
      ({ path }) =>
        (file: string) =>
          path.basename(file),
    );
    expect(await jobs.submit(basename, ['/a/b.txt'])).toBe('b.txt');
    expect(await jobs.submit(`${fixture('jobs.js').href}#multiply`, [6, 7])).toBe(42);
    expect(await jobs.submit('node:os#platform')).toBe(process.platform);
  });

  test('a plain function that uses what is only here is refused at once', async () => {
    const jobs = await openJobs();
    const factor = 3;
    expect(() => jobs.submit((x: number) => x * factor, [1])).toThrow(FreeVariableError);
    expect(() => jobs.submit((x: number) => x * factor, [1])).toThrow(
      /^The function uses `factor`.*functionsOf/,
    );
    expect(() => jobs.submit('no-export')).toThrow(OptionError);
    // @ts-expect-error there is no such option
    expect(() => jobs.submit(work.add, [1, 2], { priorty: 1 })).toThrow(
      'There is no option "priorty" for a job.',
    );
  });

  test('jobs among the arguments are waited for, at the top and in arrays and objects', async () => {
    const jobs = await openJobs();
    const three = jobs.submit(work.add, [1, 2]);
    const seven = jobs.submit(work.add, [three, 4]);
    expect(await jobs.submit(work.echo, [{ three, list: [seven, { seven }] }])).toEqual({
      three: 3,
      list: [7, { seven: 7 }],
    });
  });

  test('a job that uses the result of one that failed says so', async () => {
    const jobs = await openJobs();
    const failed = jobs.submit(work.fail, [4]);
    const error = await rejection(jobs.submit(work.add, [failed, 1]).result);
    expect(error).toMatchObject({ code: 'ERR_OFFSITE_JOB_DEPENDENCY', cause: { message: '4 is refused' } });
  });

  test('D1: 200 trivial jobs are all finished, 20 times', async () => {
    const jobs = await openJobs();
    for (let repeat = 0; repeat < 20; repeat++) {
      const all = Array.from({ length: 200 }, (_, i) => jobs.submit(work.add, [i, repeat]));
      await jobs.wait();
      expect(all.filter(({ status }) => status !== 'finished')).toEqual([]);
      expect(all.map(({ value }) => value)).toEqual(all.map((_, i) => i + repeat));
    }
    expect(jobs.getStats()).toMatchObject({ jobs: 4000, pending: 0 });
  });

  test('results that are no plain data are what they were, one job beside the other', async () => {
    const jobs = await openJobs();
    const values = [
      undefined,
      Number.NaN,
      -0,
      7n,
      new Map([[1, new Date(0)]]),
      new Uint8Array([1, 2]),
      'x'.repeat(1e5),
    ];
    const all = values.map((value) => jobs.submit(work.echo, [value]));
    expect(await Promise.all(all)).toEqual(values);
  });

  test('D9: an exception arrives with its message, stack, fields and the id of its job', async () => {
    const jobs = await openJobs();
    const job = jobs.submit(work.fail, [5]);
    const error = await rejection(job.result);
    expect(error).toMatchObject({ name: 'Refused', message: '5 is refused', index: 5, job: job.id });
    expect((error as Error).stack).toContain('jobs.js');
    expect(job).toMatchObject({ status: 'terminated', error });
  });

  test('arguments that can not be sent fail their own job only', async () => {
    const jobs = await openJobs();
    await jobs.submit(work.nothing);
    const all = [1, Symbol('no'), 3].map((value) => jobs.submit(work.echo, [value]));
    const settled = await Promise.allSettled(all);
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(await rejection(all[1]!.result)).toMatchObject({ code: 'ERR_OFFSITE_UNSERIALIZABLE' });
  });

  test('a result that can not be sent fails its own job only', async () => {
    const jobs = await openJobs();
    const odd = (x: number) => (x === 1 ? Symbol('no') : x);
    const all = [0, 1, 2, 3].map((x) => jobs.submit(odd, [x]));
    const settled = await Promise.allSettled(all);
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
  });
});
