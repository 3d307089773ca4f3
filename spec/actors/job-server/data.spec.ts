import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { functor } from '../../../lib/index.ts';
import { closeJobs, openJobs, work } from '../../support/jobs.ts';
import { fixture, rejection } from '../../support/sites.ts';

const hashOf = (text: string | Uint8Array) => createHash('sha256').update(text).digest('hex');

describe('what jobs have, say and send', () => {
  closeJobs();
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'jobs-data-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('what a job prints is its own, whatever other jobs do meanwhile', async () => {
    const jobs = await openJobs();
    const all = ['a', 'b', 'c', 'd'].map((word) => jobs.submit(work.say, [word, `${word}!`]));
    for (const [i, job] of all.entries()) {
      const word = 'abcd'[i];
      expect(await job).toBe(job.id);
      expect(job.stdout).toBe(`${word}\nno line feed`);
      expect(job.stderr).toBe(`${word}!\n`);
    }
    const pieces: string[] = [];
    for await (const { stream, text } of all[0]!.output) pieces.push(`${stream} ${text}`);
    expect(pieces).toEqual(['stdout a\n', 'stderr a!\n', 'stdout no line feed']);
  });

  test('what a job prints before it ends its process is kept', async () => {
    const jobs = await openJobs({ fork: 'sh' });
    const job = jobs.submit(() => {
      console.log('last words');
      process.exit(1);
    });
    await rejection(job.result);
    expect(job.stdout).toBe('last words\n');
  });

  test('a generator and provisional() say values before the end', async () => {
    const jobs = await openJobs();
    const steps = jobs.submit(work.steps, [4]);
    const said: number[] = [];
    for await (const value of steps.provisional) said.push(value);
    expect(said).toEqual([0, 1, 2, 3]);
    expect(await steps).toBe('done');
    const told = jobs.submit(work.tell, [[1, { two: 2 }]]);
    expect(await told).toBe(2);
    expect(told.progress).toEqual({ two: 2 });
    const plain = jobs.submit(
      async function* (n: number) {
        yield n;
        return n + 1;
      },
      [1],
    );
    expect(await plain).toBe(2);
    expect(plain.progress).toBe(1);
  });

  test('a job knows its id, its node, and the data that was given along', async () => {
    const jobs = await openJobs();
    const job = jobs.submit(work.about, [], { data: { rows: [1, 2] } });
    expect(await job).toEqual({ id: job.id, node: 'local', data: { rows: [1, 2] }, nodeData: undefined });
    const light = jobs.submit(work.about);
    expect((await light).id).toBe(light.id);
  });

  test('setup runs once in each site, its result is shared by its jobs, and cleanup ends it', async () => {
    const file = join(folder, 'cleaned');
    const jobs = await openJobs({
      ncpus: 1,
      setup: { run: work.setup, args: ['first'] },
      cleanup: { run: work.cleanup, args: [file] },
    });
    const first = { setups: 1, args: ['first'] };
    for (let i = 0; i < 3; i++) expect((await jobs.submit(work.about)).nodeData).toEqual(first);
    await jobs.resetup(undefined, { run: work.setup, args: ['second'] });
    expect(readFileSync(file, 'utf8')).toBe('1 cleaned');
    expect((await jobs.submit(work.about)).nodeData).toEqual({ setups: 2, args: ['second'] });
    await jobs.close();
    expect(readFileSync(file, 'utf8')).toBe('1 cleaned2 cleaned');
  });

  test('files go along into the folder of the job, once for a node, and the folder goes with the job', async () => {
    const jobs = await openJobs({ ncpus: 1 });
    const path = join(folder, 'input.txt');
    writeFileSync(path, 'some words');
    const depends = [path, { path, as: 'sub/copy.txt' }];
    expect(await jobs.submit(work.read, ['input.txt'], { depends })).toBe('some words');
    expect(await jobs.submit(work.read, ['sub/copy.txt'], { depends })).toBe('some words');
    expect(jobs.getStats().nodes[0]!.sent).toBe('some words'.length);
    const own = await jobs.submit(work.folderAfter);
    expect(await jobs.submit(work.exists, [own])).toBe(false);
    // What was changed is sent anew.
    writeFileSync(path, 'other words');
    expect(await jobs.submit(work.read, ['input.txt'], { depends: [path] })).toBe('other words');
    const missing = jobs.submit(work.read, ['x'], { depends: [join(folder, 'missing')] });
    expect(await rejection(missing.result)).toMatchObject({ code: 'ENOENT' });
    const outside = jobs.submit(work.read, ['x'], { depends: [{ path, as: '../outside' }] });
    expect(await rejection(outside.result)).toMatchObject({ code: 'ERR_OFFSITE_JOB_FILE' });
  });

  test('modules and functors go along for one job', async () => {
    const jobs = await openJobs();
    const double = functor(() => (x: number) => x * 2);
    const depends = [double, (x: number) => x + 1, fixture('calc.js')];
    const [doubled, more, exported] = await jobs.submit(work.used, [], { depends });
    expect([doubled, more]).toEqual([40, 21]);
    expect(exported).toBeGreaterThan(0);
    expect(await jobs.submit(work.used)).toEqual([]);
  });

  test('files come back whole, with their hashes, where they are wanted', async () => {
    const jobs = await openJobs({ ncpus: 1 });
    const text = 'result '.repeat(100_000);
    const job = jobs.submit(work.produce, ['out.txt', text]);
    expect(await job).toBe(hashOf(text));
    const [file] = job.files;
    expect(file).toMatchObject({ name: 'out.txt', size: text.length, hash: hashOf(text) });
    expect(readFileSync(file!.path, 'utf8')).toBe(text);
    const wanted = jobs.submit(work.produce, ['out.txt', 'short'], { receiveTo: join(folder, 'wanted') });
    await wanted;
    expect(readFileSync(join(folder, 'wanted', 'out.txt'), 'utf8')).toBe('short');
    await jobs.close();
    expect(() => statSync(file!.path)).toThrow('ENOENT');
  });

  test('D7: a file that is too large is refused at either end, and nothing of it is kept', async () => {
    const jobs = await openJobs({
      ncpus: 0,
      servers: [{ name: 'small', fork: 'sh', cpus: 1, maxFileSize: 100 }],
    });
    const path = join(folder, 'large.bin');
    writeFileSync(path, Buffer.alloc(101));
    const there = jobs.submit(work.read, ['large.bin'], { depends: [path] });
    expect(await rejection(there.result)).toMatchObject({
      code: 'ERR_OFFSITE_JOB_FILE_TOO_LARGE',
      size: 101,
      bound: 100,
    });
    const back = jobs.submit(work.produceLarge, [101], { receiveTo: join(folder, 'large') });
    expect(await rejection(back.result)).toMatchObject({
      code: 'ERR_OFFSITE_JOB_FILE_TOO_LARGE',
      size: 101,
      bound: 100,
    });
    expect(readdirSync(folder)).not.toContain('large');
    expect(await jobs.submit(work.produceLarge, [100], { receiveTo: join(folder, 'fits') })).toBe(100);
  });

  test('a program runs with its arguments as text, and gives its exit code; its file can be sent', async () => {
    const jobs = await openJobs({ fork: 'sh', ncpus: 1 });
    const job = jobs.submit({ program: 'sh' }, ['-c', 'echo out $0; echo err >&2; exit 3', 7]);
    expect(await job).toBe(3);
    expect([job.stdout, job.stderr]).toEqual(['out 7\n', 'err\n']);
    const script = join(folder, 'tool.sh');
    writeFileSync(script, '#!/bin/sh\necho "sent $1"\n', { mode: 0o755 });
    const sent = jobs.submit({ program: script, send: true }, ['here']);
    expect(await sent).toBe(0);
    expect(sent.stdout).toBe('sent here\n');
    const missing = jobs.submit({ program: '/no/such/program' });
    expect(await rejection(missing.result)).toMatchObject({ code: 'ERR_OFFSITE_JOB_PROGRAM' });
    const cancelled = jobs.submit({ program: 'sleep' }, [60], { timeout: 50 });
    expect(await rejection(cancelled.result)).toMatchObject({ code: 'ERR_OFFSITE_JOB_TIMEOUT' });
  });
});
