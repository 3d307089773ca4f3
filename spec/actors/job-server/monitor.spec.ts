import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import type { Job, JobServerOptions } from '../../../lib/index.ts';
import { closeJobs, openJobs, work } from '../../support/jobs.ts';
import { fixture, rejection } from '../../support/sites.ts';
import { ask, bearer, begin, cookieOf, events, type Told, until } from './monitor/asking.ts';

/** A job server with a monitor, and what a viewer of it is told. */
const watch = async (options: JobServerOptions = {}, showArgs = false) => {
  const jobs = await openJobs(options);
  const monitor = await jobs.monitor({ every: 20, showArgs });
  const headers = bearer(monitor);
  const told = events(await begin(monitor, '/events', { headers }));
  return {
    jobs,
    monitor,
    told,
    status: async () => JSON.parse((await ask(monitor, '/status.json', { headers })).text),
    post: (path: string, body?: unknown) => ask(monitor, path, { method: 'POST', headers, body }),
  };
};

const totals = (expected: object) => (told: Told) =>
  Object.entries(expected).every(([name, value]) => told.data.totals?.[name] === value);

describe('the monitor of a job server', () => {
  closeJobs();

  test('A11: the monitor shows submitted, done, pending and per-node figures while jobs run, and cancelling a job from it ends that job', async () => {
    const { jobs, told, status, post } = await watch();
    const [first, second] = [1, 2].map(() => jobs.submit(work.announce, [], { grace: 50 })) as [Job, Job];
    const [third, queued] = [jobs.submit(work.rest, [20]), jobs.submit(work.announce, [], { grace: 50 })];
    await until(told, totals({ submitted: 4, queued: 2, running: 2, done: 0, failed: 0, cancelled: 0 }));
    const now = await status();
    expect(now.nodes).toMatchObject([{ name: 'local', state: 'serving', cpus: 2, busy: 2, jobs: 0 }]);
    expect(now.nodes[0].memory.total).toBeGreaterThan(now.nodes[0].memory.free);
    expect(new Set(now.running.map(({ id }: { id: string }) => id))).toEqual(new Set([first.id, second.id]));
    expect(now.running[0]).toMatchObject({ what: 'jobs.js#announce', node: 'local' });

    expect((await post(`/jobs/${first.id}/cancel`)).code).toBe(202);
    expect(await rejection(first.result)).toMatchObject({
      code: 'ERR_OFFSITE_JOB_CANCELLED',
      message: expect.stringContaining('in the monitor'),
    });
    expect(first.status).toBe('cancelled');
    expect(await third).toBe(20);
    expect((await post(`/jobs/${queued.id}/cancel`)).code).toBe(202);
    await rejection(queued.result);
    await until(told, totals({ submitted: 4, queued: 0, running: 1, done: 1, failed: 0, cancelled: 2 }));
    expect((await post(`/jobs/${first.id}/cancel`)).code).toBe(409);
    expect((await post('/jobs/none/cancel')).code).toBe(404);
    expect(second.status).toBe('provisional');
    const later = await status();
    expect(later.nodes).toMatchObject([{ name: 'local', jobs: expect.any(Number), busy: 1 }]);
    expect(later.nodes[0].jobs).toBeGreaterThan(0);
    expect(later.totals.jobTime).toBeGreaterThan(0);
    expect(later.speedUp).toBeGreaterThan(0);
    const ended = later.ended.map(({ id, status }: { id: string; status: string }) => [id, status]);
    expect(new Map(ended)).toEqual(
      new Map([
        [first.id, 'cancelled'],
        [third.id, 'finished'],
        [queued.id, 'cancelled'],
      ]),
    );
  });

  test('D10: without credentials, or from the page of somebody else, a job that runs is not cancelled', async () => {
    const { jobs, monitor, post } = await watch();
    const job = jobs.submit(work.announce, [], { grace: 50 });
    for await (const _ of job.provisional) break;
    const Cookie = await cookieOf(monitor);
    const strangers: Record<string, string>[] = [{}, { Cookie }, { Cookie, Origin: 'http://example.com' }];
    for (const headers of strangers) {
      const { code } = await ask(monitor, `/jobs/${job.id}/cancel`, { method: 'POST', headers });
      expect([401, 403]).toContain(code);
    }
    expect(job.status).toBe('provisional');
    await post(`/jobs/${job.id}/cancel`);
    expect(await rejection(job.result)).toMatchObject({ code: 'ERR_OFFSITE_JOB_CANCELLED' });
  });

  test('what jobs threw is shown, and their arguments if that is wished', async () => {
    const { jobs, told, status } = await watch({}, true);
    const args = [{ name: '<script>alert(1)</script>', deep: { deeper: { deepest: {} } } }];
    await jobs.submit(`${fixture('jobs.js').href}#echo`, args);
    await rejection(jobs.submit(work.fail, [7]).result);
    const { data } = await until(told, ({ data }) => data.ended?.some((job) => 'error' in job) === true);
    expect(data.ended![0]).toMatchObject({
      what: 'jobs.js#fail',
      status: 'terminated',
      args: '7',
      error: 'Refused: 7 is refused',
    });
    const { ended } = await status();
    expect(ended[1].args).toBe("{ name: '<script>alert(1)</script>', deep: { deeper: { deepest: {} } } }");

    const silent = await watch();
    await silent.jobs.submit(work.echo, ['a secret']);
    expect(JSON.stringify(await silent.status())).not.toContain('a secret');
  });

  test('a node is drained, resumed and given other slots', async () => {
    const { jobs, told, post } = await watch();
    const node = (expected: object) => (each: Told) =>
      each.data.nodes?.set?.some((one) => expect.objectContaining(expected).asymmetricMatch(one)) === true;
    await post('/nodes/local/cpus', { cpus: 1 });
    await until(told, node({ name: 'local', cpus: 1 }));
    expect(jobs.ncpus).toBe(1);
    await post('/nodes/local/drain');
    await until(told, node({ state: 'draining' }));
    expect(jobs.getActiveNodes()).toEqual({});
    const job = jobs.submit(work.add, [2, 3]);
    await until(told, totals({ queued: 1 }));
    await post('/nodes/local/resume');
    expect(await job).toBe(5);
  });

  test('viewers see how it ended, and the monitor ends with its job server', async () => {
    const { jobs, monitor, told } = await watch();
    await until(told, ({ event }) => event === 'picture');
    void jobs.submit(work.add, [1, 2]);
    await jobs.close();
    let last: Told | undefined;
    let done: unknown;
    for await (const each of told) {
      done = each.data.totals?.done ?? done;
      last = each;
    }
    expect(done).toBe(1);
    expect(last!.event).toBe('end');
    expect(await rejection(ask(monitor, '/'))).toMatchObject({ code: 'ECONNREFUSED' });
    expect(await rejection(jobs.monitor())).toMatchObject({ code: 'ERR_OFFSITE_JOB_SERVER_CLOSED' });
  });
});

describe('a program with a monitor', () => {
  let child: ChildProcess | undefined;
  afterEach(() => void child?.kill('SIGKILL'));

  test('ends when it has nothing left to do, though somebody looks on', async () => {
    const library = JSON.stringify(new URL('../../../dist/lib/index.js', import.meta.url).href);
    const body = `
      import { JobServer } from ${library};
      const jobs = await JobServer.open({ ncpus: 1 });
      const { url, address } = await jobs.monitor({ every: 20 });
      console.log(JSON.stringify({ url, address }));
      process.stdin.once('data', () => process.stdin.destroy());
    `;
    child = spawn(process.execPath, ['--input-type=module', '-e', body], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const [line] = await once(child.stdout!, 'data');
    const monitor = JSON.parse(String(line));
    const told = events(await begin(monitor, '/events', { headers: bearer(monitor) }));
    await until(told, ({ event }) => event === 'picture');
    child.stdin!.write('end');
    const [code] = await once(child, 'exit');
    expect(code).toBe(0);
  });
});
