import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { JobServer, type JobServerOptions, OptionError, UnserializableError } from '../../../../lib/index.ts';
import { work } from '../../../support/jobs.ts';
import { rejection } from '../../../support/sites.ts';

let folder: string;
const opened = new Set<JobServer>();

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'offsite-journaled-'));
});
afterEach(async () => {
  await Promise.all([...opened].map((jobs) => jobs.terminate()));
  opened.clear();
  await rm(folder, { recursive: true, force: true });
});

const open = async (options: JobServerOptions = {}): Promise<JobServer> => {
  const jobs = await JobServer.open({
    journal: join(folder, 'jobs'),
    durable: 'os',
    ncpus: 2,
    stdout: 'ignore',
    stderr: 'ignore',
    ...options,
  });
  opened.add(jobs);
  return jobs;
};
const idsOf = async (jobs: JobServer) => {
  const ids: string[] = [];
  for await (const id of jobs.attached()) ids.push(id);
  return ids;
};

describe('a job server with a journal', () => {
  test('runs jobs as any other one does, and forgets what was delivered', async () => {
    const jobs = await open();
    const job = jobs.submit(work.add, [1, 2]);
    expect(await job).toBe(3);
    expect(job).toMatchObject({ status: 'finished', attempts: 1, node: 'local' });
    expect(await rejection(jobs.submit(work.fail, [7]).result)).toMatchObject({ name: 'Refused' });
    const steps = jobs.submit(work.steps, [3]);
    const said: number[] = [];
    for await (const step of steps.provisional) said.push(step);
    expect(said).toHaveLength(3);
    expect(await jobs.submit(work.about, [], { data: new Date(5) })).toMatchObject({ data: new Date(5) });
    await steps;
    await jobs.written();
    expect(await idsOf(jobs)).toEqual([]);
  });

  test('sends quick jobs together, and loses but the one that ended its process', async () => {
    const jobs = await open();
    const ids: string[] = [];
    const about = Array.from({ length: 20 }, () => jobs.submit(work.about, []));
    for (const job of about) ids.push((await job).id);
    expect(ids).toEqual(about.map(({ id }) => id));
    const values = Array.from({ length: 200 }, (_, value) => value);
    const batch = jobs.enqueue(
      work.dieOn,
      values.map((value) => [150, value] as [number, number]),
    );
    const lost: unknown[] = [];
    const given = new Set<number>();
    for await (const { index, status, value, error } of batch) {
      if (status === 'finished') given.add(value as number);
      else lost.push([index, (error as Error).name]);
    }
    expect(lost).toEqual([[150, 'JobLostError']]);
    expect([...given].sort((a, b) => a - b)).toEqual(values.filter((value) => value !== 150));
  });

  test('runs a job again that has failed, if it is told to, also in the same site', async () => {
    const jobs = await open({ ncpus: 1 });
    const file = join(folder, 'tries');
    await writeFile(file, '2');
    const job = jobs.submit(work.flaky, [file], { retry: { times: 3, on: 'error' } });
    expect(await job).toBe('at last');
    expect(job.attempts).toBe(3);
  });

  test('runs maps, which end with their process and so are not written down', async () => {
    const jobs = await open({ ncpus: 1 });
    expect(await jobs.map(work.add, [1, 2, 3], [10, 20, 30])).toEqual([11, 22, 33]);
    expect(await idsOf(jobs)).toEqual([]);
  });

  test('refuses what can not be written down, and says where it is', async () => {
    const jobs = await open();
    const callback = { row: [{ on: () => 1 }] };
    // @ts-expect-error a function among the arguments of a job that takes none
    expect(() => jobs.submit(work.add, [1, callback])).toThrow(UnserializableError);
    // @ts-expect-error the same
    expect(() => jobs.submit(work.add, [1, callback])).toThrow(/arguments\[1\]\.row\[0\]\.on is a function/);
    expect(() => jobs.submit(work.add, [1, 2], { callback: () => {} })).toThrow(OptionError);
    const other = jobs.submit(work.add, [1, 2]);
    expect(() => jobs.submit(work.add, [other, 2])).toThrow(/arguments\[0\] is a promise/);
    await other;
  });

  test('gives the results of many jobs as they come, each once, and those that were left in the next process', async () => {
    const jobs = await open();
    const batch = jobs.enqueue(
      work.add,
      (function* () {
        for (let i = 0; i < 40; i++) yield [i, 1] as [number, number];
      })(),
    );
    expect(await batch.submitted).toBe(40);
    expect([...batch.ids]).toHaveLength(40);
    const seen = new Set<number>();
    for await (const { index, value, status } of batch) {
      expect([value, status]).toEqual([index + 1, 'finished']);
      seen.add(index);
      if (seen.size === 10) break;
    }
    await jobs.close();
    opened.delete(jobs);
    const next = await open();
    const [same] = next.batches();
    expect(same).toMatchObject({ id: batch.id, count: 40 });
    let overlap = 0;
    for await (const { index } of same!) {
      if (seen.has(index)) overlap++;
      seen.add(index);
    }
    expect(seen.size).toBe(40);
    // The one in whose round the loop was left.
    expect(overlap).toBe(1);
    expect(next.batches()).toEqual([]);
  });

  test('keeps results until they are acknowledged if it is told to', async () => {
    const jobs = await open({ acknowledge: 'manual' });
    const job = jobs.submit(work.add, [1, 2]);
    await job;
    expect(await idsOf(jobs)).toEqual([job.id]);
    await jobs.close();
    opened.delete(jobs);
    const next = await open({ acknowledge: 'manual' });
    const again = next.attach<number>(job.id);
    expect(await again).toBe(3);
    await again.acknowledge();
    expect(await idsOf(next)).toEqual([]);
  });

  test('leaves jobs in the journal that had not begun when it was closed', async () => {
    const jobs = await open({ ncpus: 0, nodeTimeout: 60_000 });
    const job = jobs.submit(work.add, [20, 3]);
    const dropped = jobs.submit(work.add, [0, 0]);
    await jobs.written();
    dropped.cancel();
    expect(await rejection(dropped.result)).toMatchObject({ code: 'ERR_OFFSITE_JOB_CANCELLED' });
    await jobs.close({ timeout: 0 });
    opened.delete(jobs);
    expect(await rejection(job.result)).toMatchObject({ code: 'ERR_OFFSITE_JOB_SERVER_CLOSED' });
    const next = await open();
    expect(await next.attach(job.id)).toBe(23);
  });

  test('holds few of very many jobs in memory', async () => {
    const count = 20_000;
    const jobs = await open({ ncpus: 0, nodeTimeout: 60_000 });
    const text = 'x'.repeat(1_000);
    const before = process.memoryUsage();
    let most = 0;
    const batch = jobs.enqueue(
      work.echo,
      (function* () {
        for (let i = 0; i < count; i++) {
          most = Math.max(most, process.memoryUsage().rss - before.rss);
          // A text of its own for each, so that they would be held apart.
          yield [`${i} ${text}`] as [unknown];
        }
      })(),
    );
    expect(await batch.submitted).toBe(count);
    expect(jobs.queued).toBeLessThanOrEqual(256);
    // All of them would be 60 MB as they are, and twice that as they are written.
    expect(most).toBeLessThan(100 * 2 ** 20);
  });

  test('is opened with options that go together', async () => {
    expect(await rejection(JobServer.open({ keepResults: 5 }))).toMatchObject({ option: 'keepResults' });
    expect(await rejection(open({ fork: 'virtual' }))).toMatchObject({ option: 'fork' });
    const jobs = await JobServer.open({ ncpus: 1 });
    opened.add(jobs);
    expect(() => jobs.enqueue(work.add, [])).toThrow(/has no journal/);
  });
});
