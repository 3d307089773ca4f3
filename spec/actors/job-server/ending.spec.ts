import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Job, JobServer } from '../../../lib/index.ts';
import { closeJobs, openJobs, work } from '../../support/jobs.ts';
import { fixture, rejection } from '../../support/sites.ts';

/** The first thing that a job says. */
const firstSaid = async <P>(job: Job<unknown, P>): Promise<P> => {
  for await (const value of job.provisional) return value;
  throw new Error('The job has said nothing.');
};

describe('how jobs end', () => {
  closeJobs();
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'jobs-ending-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const counter = (name: string, times: number) => {
    const file = join(folder, name);
    writeFileSync(file, String(times));
    return file;
  };

  test('D2: when the process of a job is killed the job rejects within 2 s, and says that it may have run', async () => {
    const jobs = await openJobs({ fork: 'sh' });
    const job = jobs.submit(work.announce);
    process.kill((await firstSaid(job)) as number, 'SIGKILL');
    const killed = performance.now();
    const error = await rejection(job.result);
    expect(performance.now() - killed).toBeLessThan(2_000);
    expect(error).toMatchObject({
      code: 'ERR_OFFSITE_JOB_LOST',
      mayHaveRun: true,
      node: 'local',
      job: job.id,
    });
    expect(job.status).toBe('terminated');
    // The slot has a new site.
    expect(await jobs.submit(work.add, [1, 1])).toBe(2);
  });

  test('a job that ends its process is lost alone: those before it are finished, those behind it run elsewhere', async () => {
    const jobs = await openJobs({ fork: 'sh', ncpus: 1 });
    for (let i = 0; i < 50; i++) await jobs.submit(work.dieOn, [-1, i]);
    const all = Array.from({ length: 100 }, (_, i) => jobs.submit(work.dieOn, [60, i]));
    await jobs.wait();
    const lost = all.filter(({ status }) => status !== 'finished');
    expect(lost.map((job) => all.indexOf(job))).toEqual([60]);
    expect(lost[0]!.error).toMatchObject({ code: 'ERR_OFFSITE_JOB_LOST', mayHaveRun: true });
    expect(all.every(({ attempts }) => attempts === 1)).toBe(true);
  });

  test('D3: jobs of a node that is lost reject, or are run again if they may be', async () => {
    const jobs = await openJobs({ ncpus: 2 });
    const once = jobs.submit(work.announce);
    await firstSaid(once);
    await jobs.dropNode('local');
    expect(await rejection(once.result)).toMatchObject({ code: 'ERR_OFFSITE_JOB_LOST' });
    const again = await openJobs({ ncpus: 1 });
    const file = counter('flaky-site', 2);
    const job = again.submit(work.flakySite, [file], { retry: 2 });
    expect(await job).toBe('at last');
    expect(job.attempts).toBe(3);
    const given = again.submit(work.flakySite, [counter('flaky-site-2', 2)], { retry: 1 });
    expect(await rejection(given.result)).toMatchObject({ code: 'ERR_OFFSITE_JOB_LOST' });
  });

  test('a job whose modules end each site that loads them is given up', async () => {
    const jobs = await openJobs({ ncpus: 1 });
    const job = jobs.submit(work.nothing, [], { depends: [fixture('ends-its-site.js')] });
    expect(await rejection(job.result)).toMatchObject({ code: 'ERR_OFFSITE_JOB_LOST', mayHaveRun: false });
    const own = jobs.submit(`${fixture('ends-its-site.js').href}#none`);
    expect(await rejection(own.result)).toMatchObject({ code: 'ERR_OFFSITE_JOB_LOST', mayHaveRun: false });
  });

  test('a job that throws is run again only if its retry says so', async () => {
    const jobs = await openJobs({ ncpus: 1 });
    expect(await rejection(jobs.submit(work.flaky, [counter('a', 1)], { retry: 3 }).result)).toMatchObject({
      message: '1 more failures',
    });
    const file = counter('b', 2);
    expect(await jobs.submit(work.flaky, [file], { retry: { times: 2, on: 'error' } })).toBe('at last');
    expect(readFileSync(file, 'utf8')).toBe('-1');
  });

  test('a job that is cancelled may give its best value in its grace, and is finished then', async () => {
    const jobs = await openJobs();
    const job = jobs.submit(work.count);
    await firstSaid(job);
    expect(await job.cancel()).toMatchObject({ same: true });
    expect(job.status).toBe('finished');
  });

  test('one that does not look at its signal is killed after its grace, and rejects with why', async () => {
    const jobs = await openJobs({ fork: 'sh' });
    const job = jobs.submit(work.announce);
    const pid = (await firstSaid(job)) as unknown as number;
    const reason = new Error('enough');
    const error = await rejection(job.cancel({ grace: 50, reason }).result);
    expect(error).toMatchObject({ code: 'ERR_OFFSITE_JOB_CANCELLED', cause: reason });
    expect(job.status).toBe('cancelled');
    await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow('ESRCH'), { interval: 5 });
  });

  test('one that never lets go of its thread is killed too, and its time is bounded', async () => {
    const jobs = await openJobs({ fork: 'sh', ncpus: 1 });
    const job = jobs.submit(work.spinForever, [], { timeout: 50, grace: 50 });
    expect(await rejection(job.result)).toMatchObject({ code: 'ERR_OFFSITE_JOB_TIMEOUT', waited: 50 });
    expect(job.status).toBe('terminated');
    expect(await jobs.submit(work.add, [2, 2])).toBe(4);
  });

  test('jobs in the queue are cancelled by themselves, by their group, their signal and their deadline', async () => {
    const jobs = await openJobs({ ncpus: 1 });
    const first = jobs.submit(work.announce);
    await firstSaid(first);
    const aborter = new AbortController();
    const alone = jobs.submit(work.add, [1, 2]);
    const grouped = jobs.submit(work.add, [1, 2], { group: 'g' });
    const signalled = jobs.submit(work.add, [1, 2], { signal: aborter.signal });
    const late = jobs.submit(work.add, [1, 2], { deadline: 20 });
    const before = jobs.submit(work.add, [1, 2], { signal: AbortSignal.abort(new Error('before')) });
    alone.cancel();
    await jobs.cancel('g');
    aborter.abort();
    expect(await rejection(late.result)).toMatchObject({ code: 'ERR_OFFSITE_JOB_DEADLINE' });
    for (const job of [alone, grouped, signalled, before]) expect(job.status).toBe('cancelled');
    expect(jobs).toMatchObject({ queued: 0, pending: 1 });
    first.cancel({ grace: 0 });
    await jobs.wait();
  });

  test('short jobs do not wait behind a long one that left with them', async () => {
    const jobs = await openJobs({ ncpus: 2 });
    for (let i = 0; i < 100; i++) await jobs.submit(work.rest, [0]);
    const all = Array.from({ length: 60 }, (_, i) => jobs.submit(work.rest, [i === 20 ? 1_000 : 0]));
    const order: number[] = [];
    for (const [i, job] of all.entries()) void job.result.then(() => order.push(i));
    await jobs.wait();
    expect(order.at(-1)).toBe(20);
  });

  test('a queue that is full refuses jobs until there is room', async () => {
    const jobs = await openJobs({ ncpus: 1, maxQueued: 3 });
    await jobs.submit(work.nothing);
    const running = jobs.submit(work.rest, [30]);
    await new Promise<void>((resolve) => jobs.on('job', (job) => job.status === 'running' && resolve()));
    const queued = [1, 2, 3].map((i) => jobs.submit(work.add, [i, i]));
    expect(() => jobs.submit(work.add, [4, 4])).toThrow(
      expect.objectContaining({ code: 'ERR_OFFSITE_JOB_QUEUE_FULL', bound: 3 }),
    );
    await jobs.room();
    expect(running.status).toBe('finished');
    expect(await jobs.submit(work.add, [4, 4])).toBe(8);
    expect(await Promise.all(queued)).toEqual([2, 4, 6]);
  });

  test('closing waits for the jobs that there are, and takes no more', async () => {
    const jobs = await openJobs();
    const job = jobs.submit(work.rest, [50]);
    const closed = jobs.close();
    expect(() => jobs.submit(work.nothing)).toThrow(
      expect.objectContaining({ code: 'ERR_OFFSITE_JOB_SERVER_CLOSED' }),
    );
    await closed;
    expect(job).toMatchObject({ status: 'finished', value: 50 });
  });

  test('terminating rejects all that is left, wherever it is', async () => {
    const jobs: JobServer = await openJobs({ ncpus: 1 });
    const running = jobs.submit(work.announce);
    await firstSaid(running);
    const queued = jobs.submit(work.nothing);
    const waiting = jobs.submit(work.echo, [running]);
    await jobs.terminate();
    for (const job of [running, queued, waiting]) {
      expect(await rejection(job.result)).toMatchObject({ code: 'ERR_OFFSITE_JOB_SERVER_CLOSED' });
    }
  });

  test('where there is no node a job says so in time, and why for each server', async () => {
    const jobs = await openJobs({
      ncpus: 0,
      nodeTimeout: 100,
      servers: [{ name: 'n1', fork: 'sh', site: { nodePath: '/no/node' } }],
    });
    const error = await rejection(jobs.submit(work.nothing).result);
    expect(error).toMatchObject({ code: 'ERR_OFFSITE_JOB_NO_NODE' });
    expect((error as Error).message).toContain('n1: ');
    expect((error as Error).message).toContain('local: it has no slot');
  });
});
