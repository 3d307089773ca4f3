import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ask, bearer, cookieOf } from '../actors/job-server/monitor/asking.ts';
import { closeJobs, openJobs } from '../support/jobs.ts';
import { alive } from '../support/processes.ts';
import { rejection } from '../support/sites.ts';
import { chance, firstSaid, MODULE, REPEATS, served, serverOf, tasks } from './served.ts';

const SOON = 2_000;

describe('defects of jobs that others have, each tried 20 times at a daemon with a key', () => {
  const hosts = served(['--name', 'node-1', '--cpus', '20', '--max-file-size', '1k']);
  closeJobs();
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'offsite-defects-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const open = (cpus = 2, options: object = {}) =>
    openJobs({ ncpus: 0, servers: [serverOf(hosts[0]!, { cpus })], ...options });

  test('D1. 200 trivial jobs are all finished, 20 times', async () => {
    const jobs = await open();
    for (let repeat = 0; repeat < REPEATS; repeat++) {
      const all = Array.from({ length: 200 }, (_, at) => jobs.submit(tasks.add, [at, repeat]));
      await jobs.wait();
      expect(all.filter(({ status }) => status !== 'finished')).toEqual([]);
      expect(all.map(({ value }) => value)).toEqual(all.map((_, at) => at + repeat));
    }
    expect(jobs.getStats()).toMatchObject({ jobs: 200 * REPEATS, pending: 0 });
  });

  test('D2. killing the process of a job ends it with an error within 2 s, and no other, 20 times', async () => {
    const jobs = await open(REPEATS);
    const all = Array.from({ length: REPEATS }, () => jobs.submit(tasks.announce));
    const pids = (await Promise.all(all.map(firstSaid))) as number[];
    for (const [at, pid] of pids.entries()) {
      const job = all[at]!;
      const killed = performance.now();
      process.kill(pid, 'SIGKILL');
      const error = await rejection(job.result);
      expect(performance.now() - killed).toBeLessThan(SOON);
      expect(error).toMatchObject({ code: 'ERR_OFFSITE_JOB_LOST', mayHaveRun: true, job: job.id });
      expect(all.filter(({ status }) => status === 'provisional')).toEqual(all.slice(at + 1));
      expect(pids.slice(at + 1).every(alive)).toBe(true);
    }
    expect(await jobs.submit(tasks.add, [1, 2])).toBe(3);
  });

  test('D7. a file that is too large is refused with its size at both ends, and nothing of it is kept, 20 times', async () => {
    const random = chance();
    const jobs = await open(2, { maxQueued: 200 });
    const receiveTo = join(folder, 'received');
    for (let repeat = 0; repeat < REPEATS; repeat++) {
      const size = repeat === 0 ? 1_025 : 1_025 + random(100_000);
      const path = join(folder, `large-${repeat}.bin`);
      writeFileSync(path, Buffer.alloc(size));
      const refused = { code: 'ERR_OFFSITE_JOB_FILE_TOO_LARGE', size, bound: 1_024 };
      const there = jobs.submit(tasks.sizeOf, [`large-${repeat}.bin`], { depends: [path] });
      const back = jobs.submit(tasks.produce, [size], { receiveTo });
      expect(await rejection(there.result)).toMatchObject(refused);
      expect(await rejection(back.result)).toMatchObject(refused);
      expect([there.status, back.status]).toEqual(['terminated', 'terminated']);
    }
    expect(readdirSync(folder)).not.toContain('received');
    // The largest that fits goes both ways.
    writeFileSync(join(folder, 'fits.bin'), Buffer.alloc(1_024));
    expect(await jobs.submit(tasks.sizeOf, ['fits.bin'], { depends: [join(folder, 'fits.bin')] })).toBe(
      1_024,
    );
    expect(await jobs.submit(tasks.produce, [1_024], { receiveTo })).toBe(1_024);
  });

  test('D9. an exception arrives with its message, its stack and the index of the element, 20 times', async () => {
    const jobs = await open();
    const values = Array.from({ length: REPEATS }, (_, at) => at);
    for (const bad of values) {
      const bads = values.map(() => bad);
      const error = await rejection(jobs.map(tasks.failAt, bads, values, { chunk: 1 + (bad % 7) }));
      expect(error).toMatchObject({
        name: 'Refused',
        message: `${bad} is refused`,
        code: 'E_REFUSED',
        index: bad,
        stack: expect.stringMatching(/failAt .*tasks\.ts/),
      });
      const job = jobs.submit(tasks.failAt, [bad, bad]);
      expect(await rejection(job.result)).toMatchObject({ message: `${bad} is refused`, job: job.id });
      const failed: number[] = [];
      const onError = (_: unknown, index: number) => failed.push(index) && -1;
      const results = await jobs.map(tasks.failAt, bads, values, { onError });
      expect(results).toEqual(values.map((value) => (value === bad ? -1 : value * 10)));
      expect(failed).toEqual([bad]);
    }
  });

  test('D10. the monitor refuses 20 who want to cancel a job without its token, and lets the one in who has it', async () => {
    const random = chance();
    const jobs = await open();
    const monitor = await jobs.monitor();
    const job = jobs.submit(tasks.announce, [], { grace: 0 });
    await firstSaid(job);
    const path = `/jobs/${job.id}/cancel`;
    const Cookie = await cookieOf(monitor);
    const token = () =>
      Array.from({ length: 43 }, () => 'abcdefghijklmnopqrstuvwxyz_-0123456789'[random(38)]).join('');
    const strangers: (() => Record<string, string>)[] = [
      () => ({}),
      () => ({ Authorization: `Bearer ${token()}` }),
      () => ({ Cookie: `${Cookie.split('=')[0]}=${token()}` }),
      () => ({ Cookie, Origin: 'https://example.com' }),
      () => ({ Cookie }),
    ];
    for (let repeat = 0; repeat < REPEATS; repeat++) {
      const headers = strangers[repeat % strangers.length]!();
      const { code } = await ask(monitor, path, { method: 'POST', headers });
      expect([headers, [401, 403].includes(code)]).toEqual([headers, true]);
      expect(job.status).toBe('provisional');
    }
    expect((await ask(monitor, path, { method: 'POST', headers: bearer(monitor) })).code).toBe(202);
    expect(await rejection(job.result)).toMatchObject({ code: 'ERR_OFFSITE_JOB_CANCELLED' });
  });

  test('D14. small jobs and calls that are awaited one by one do not stall for 40 ms each', async () => {
    const STALL = 40;
    const jobs = await open(1);
    const took = async (call: () => PromiseLike<unknown>): Promise<number> => {
      await call();
      const times: number[] = [];
      for (let repeat = 0; repeat < REPEATS; repeat++) {
        const began = performance.now();
        await call();
        times.push(performance.now() - began);
      }
      // A stall of the protocol meets each of them, and one of this machine some.
      return times.sort((a, b) => a - b)[REPEATS / 2]!;
    };
    expect(await took(() => jobs.submit(tasks.add, [1, 2]))).toBeLessThan(STALL);
    // One that has more than arguments says more on its way.
    expect(await took(() => jobs.submit(tasks.add, [1, 2], { data: 1 }))).toBeLessThan(STALL);
    const { host, secret } = hosts[0]!;
    const { RemoteManager } = await import('../../lib/index.ts');
    await using site = new RemoteManager({ host, fork: 'daemon', credentials: { secret } });
    const module = site.link<typeof import('./tasks.ts')>(MODULE);
    expect(await took(() => module.add(1, 2))).toBeLessThan(STALL);
  });
});
