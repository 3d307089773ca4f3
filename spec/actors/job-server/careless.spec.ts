import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { JobServer, type JobServerOptions, type SubmitOptions } from '../../../lib/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'offsite-spec-'));
const opened: JobServer[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((jobs) => jobs.terminate()));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const open = async (options: JobServerOptions = {}): Promise<JobServer> => {
  const jobs = await JobServer.open({ ncpus: 1, stdout: 'ignore', ...options });
  opened.push(jobs);
  return jobs;
};
const itself = (value: unknown) => value;

describe('What a careless user gives a job server', () => {
  test.each<[string, unknown, string]>([
    ['all of it', null, 'options'],
    ['all of it, as a word', 'x', 'options'],
    ['a signal that is none', { signal: {} }, 'signal'],
    ['what no site has', { servers: [{ site: { bogus: 1 } }] }, 'site.bogus'],
    ['what no site bears', { servers: [{ site: { timeout: 'x' } }] }, 'site.timeout'],
    ['a setup that is no function', { setup: { run: 5 } }, 'setup'],
    ['a setup that has no name', { setup: 'module.js' }, 'setup'],
    ['arguments that are none', { setup: { run: itself, args: 5 } }, 'setup'],
  ])('is named if it is wrong: %s', async (_, options, option) => {
    await expect(JobServer.open(options as JobServerOptions)).rejects.toMatchObject({
      code: 'ERR_OFFSITE_OPTION',
      option,
    });
  });

  test('is named if it is wrong for a job', async () => {
    const jobs = await open();
    const wrong: [unknown, string][] = [
      [null, 'options'],
      ['x', 'options'],
      [{ depends: [5] }, 'depends'],
      [{ depends: [null] }, 'depends'],
      [{ depends: [''] }, 'depends'],
      [{ depends: [{ path: 5 }] }, 'depends'],
      [{ depends: [{ path: 'x', as: 5 }] }, 'depends'],
      [{ placement: { cpu: 1 } }, 'placement'],
      [{ placement: { cpus: 'x' } }, 'placement'],
      [{ placement: { labels: 5 } }, 'placement'],
      [{ placement: { labels: { gpu: 1 } } }, 'placement'],
    ];
    for (const [options, option] of wrong) {
      const submit = () => jobs.submit(itself, [1], options as SubmitOptions);
      expect(submit, JSON.stringify(options)).toThrow(expect.objectContaining({ option }));
    }
    expect(jobs.pending).toBe(0);
  });

  test('never begins when its deadline has passed', async () => {
    const jobs = await open();
    await jobs.submit(itself, [1]);
    const file = join(folder, 'ran');
    for (const deadline of [new Date(0), 0]) {
      const job = jobs.submit(
        (path: string) => process.getBuiltinModule('fs').writeFileSync(path, ''),
        [file],
        {
          deadline,
        },
      );
      await expect(job).rejects.toMatchObject({ code: 'ERR_OFFSITE_JOB_DEADLINE' });
      expect(job.startTime).toBeUndefined();
    }
    await jobs.close();
  });

  test('is refused as a file if it would never end, and does not hold up the end', async () => {
    const jobs = await open();
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    for (const path of [pipe, '/dev/zero', folder])
      await expect(jobs.submit(itself, [1], { depends: [path] })).rejects.toMatchObject({
        code: 'ERR_OFFSITE_JOB_FILE',
        message: expect.stringContaining('no plain file'),
      });
    await jobs.close();
  });
});
