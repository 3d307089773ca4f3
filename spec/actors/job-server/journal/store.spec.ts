import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DeliveredLog } from '../../../../actors/job-server/journal/delivered-log.ts';
import {
  JournalDamagedError,
  JournalError,
  JournalHeldError,
} from '../../../../actors/job-server/journal/errors.ts';
import { repairJournal } from '../../../../actors/job-server/journal/folder.ts';
import { JobStore } from '../../../../actors/job-server/journal/store.ts';
import type { JobStoreOptions, QueuedJob, SettledJob } from '../../../../actors/job-server/journal/types.ts';
import { rejection } from '../../../support/sites.ts';

let folder: string;
let path: string;
const open = new Set<JobStore>();

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'offsite-journal-'));
  path = join(folder, 'jobs');
});
afterEach(async () => {
  await Promise.all([...open].map((store) => store.close()));
  open.clear();
  await rm(folder, { recursive: true, force: true });
});

const journal = async (options: JobStoreOptions = { durable: 'os' }): Promise<JobStore> => {
  const store = await JobStore.open(path, options);
  open.add(store);
  return store;
};
const again = async (store: JobStore): Promise<JobStore> => {
  await store.close();
  open.delete(store);
  return journal();
};

const listOf = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
};

const bytes = (text: string) => Buffer.from(text);
const textsOf = (jobs: readonly QueuedJob[]) => jobs.map(({ own }) => own.toString());
const single = (store: JobStore, text: string, priority = 0) =>
  store.put(store.submission(bytes(`shared by ${text}`), { priority }), bytes(text));
const many = (store: JobStore, texts: readonly string[], priority = 0) => {
  const submission = store.submission(bytes('shared'), { priority, many: true });
  const ids = texts.map((text) => store.put(submission, bytes(text)));
  store.finish(submission);
  return { submission, ids };
};
const finish = (store: JobStore, job: QueuedJob, value = `value of ${job.own.toString()}`) =>
  store.settled(job, { ok: true, status: 'finished', endedAt: 5 }, bytes(value));

describe('results that were delivered', () => {
  test('are dropped by the next process if this one ended before it had dropped them', async () => {
    const store = await journal();
    const { submission } = many(store, ['a', 'b', 'c']);
    const ended: SettledJob[] = [];
    for (const job of await store.written().then(() => store.next(3))) ended.push(await finish(store, job));
    await store.close();
    open.delete(store);
    // What a process leaves that is killed in the middle of a write.
    const log = new DeliveredLog(path);
    const done = log.note(ended[0]!.place);
    log.note(ended[2]!.place);
    expect(log.open).toBe(2);
    done();
    expect(log.open).toBe(1);
    log.close();
    const size = await stat(join(path, 'delivered.0'));
    await truncate(join(path, 'delivered.0'), size.size - 1);
    const next = await journal();
    const left = await next.outcomes(submission.number, 0);
    expect(left.map(({ place }) => place.index)).toEqual([1, 2]);
    expect((await stat(join(path, 'delivered.0'))).size).toBe(0);
    await next.delivered(left[0]!);
    await next.delivered(left[0]!);
    expect((await stat(join(path, 'delivered.0'))).size).toBeGreaterThan(0);
    await next.written();
    expect((await next.outcomes(submission.number, 0)).map(({ place }) => place.index)).toEqual([2]);
    expect(next.submissions).toMatchObject([{ gone: 2 }]);
  });
});

describe('jobs on the disk', () => {
  test('are handed out by priority, then in the order of their submission, and each once', async () => {
    const store = await journal();
    single(store, 'a');
    single(store, 'urgent', 10.5);
    single(store, 'later', -1e300);
    many(store, ['b', 'c']);
    single(store, 'd', -0);
    await store.written();
    expect(textsOf(await store.next(2))).toEqual(['urgent', 'a']);
    single(store, 'more urgent', 11);
    await store.written();
    const rest = await store.next(100);
    expect(textsOf(rest)).toEqual(['more urgent', 'b', 'c', 'd', 'later']);
    expect(rest.map(({ shared }) => shared.toString())).toEqual([
      'shared by more urgent',
      'shared',
      'shared',
      'shared by d',
      'shared by later',
    ]);
    expect(await store.next(100)).toEqual([]);
    store.giveBack(rest[2]!);
    store.giveBack(rest[1]!);
    expect(textsOf(await store.next(100))).toEqual(['b', 'c']);
  });

  test('are all handed out although an earlier submission goes on behind a later one', async () => {
    const store = await journal();
    const early = store.submission(bytes(''), { many: true });
    store.put(early, bytes('early 0'));
    single(store, 'late');
    await store.written();
    const [first, second] = await store.next(2);
    await Promise.all([first, second].map((job) => store.started(job!, { site: 's', attempt: 1 })));
    expect(await store.next(1)).toEqual([]);
    store.put(early, bytes('early 1'));
    await store.written();
    expect(textsOf(await store.next(10))).toEqual(['early 1']);
  });

  test('are there again in another opening: queued, started, and ended ones', async () => {
    const before = await journal();
    const { ids } = many(before, ['0', '1', '2', '3'], 3);
    const alone = single(before, 'alone');
    await before.written();
    const [zero, one] = await before.next(3);
    await before.started(zero!, { site: 'site a', attempt: 1 });
    await before.started(one!, { site: 'site b', attempt: 1 });
    await finish(before, zero!);
    await before.keepSite({ name: 'site b', ticket: 'secret' });

    const store = await again(before);
    expect(await store.get(ids[0]!)).toMatchObject({
      state: 'settled',
      settled: { id: ids[0], head: { ok: true, status: 'finished', endedAt: 5, order: 1 } },
    });
    expect(await store.get(ids[1]!)).toMatchObject({
      state: 'started',
      started: { site: 'site b', attempt: 1 },
    });
    expect(await store.get(ids[2]!)).toEqual({ state: 'queued' });
    expect(await store.get(alone)).toEqual({ state: 'queued' });
    expect(await store.get('another-1')).toBeUndefined();
    expect(await store.sites()).toEqual([{ name: 'site b', ticket: 'secret' }]);
    const running = await listOf(store.running());
    expect(running.map(({ id }) => id)).toEqual([ids[1]]);
    expect((await listOf(store.ids())).sort()).toEqual([...ids, alone].sort());
    await store.again(running[0]!);
    const next = await store.next(10);
    expect(textsOf(next)).toEqual(['1', '2', '3', 'alone']);
    expect(next.map(({ attempts }) => attempts)).toEqual([1, 0, 0, 0]);
    // A new one has an id that none had.
    expect([...ids, alone]).not.toContain(single(store, 'new'));
  });

  test('leave nothing when all results were acknowledged', async () => {
    const store = await journal();
    const { submission, ids } = many(store, ['0', '1', '2']);
    const alone = single(store, 'alone');
    await store.written();
    const jobs = await store.next(10);
    // They end in another order than they were begun in.
    for (const job of jobs.reverse()) await finish(store, job);
    const outcomes = await store.outcomes(submission.number, 0, 2);
    expect(outcomes.map(({ id, value }) => [id, value.toString()])).toEqual([
      [ids[2], 'value of 2'],
      [ids[1], 'value of 1'],
    ]);
    const rest = await store.outcomes(submission.number, outcomes.at(-1)!.head.order);
    expect(rest.map(({ id }) => id)).toEqual([ids[0]]);
    for (const outcome of [...outcomes, ...rest]) await store.acknowledged(outcome);
    const last = await store.get(alone);
    if (last?.state !== 'settled') throw new Error('It has not ended.');
    await store.acknowledged(last.settled);
    expect(await store.get(alone)).toBeUndefined();
    expect(store.submissions).toEqual([]);
    await store.close();
    open.delete(store);
    const next = await journal();
    expect(await listOf(next.ids())).toEqual([]);
    expect(next.submissions).toEqual([]);
  });

  test('drop results that nobody takes in time', async () => {
    let now = 1_000;
    const store = await journal({ durable: 'os', keepResults: 50, now: () => now });
    const { ids } = many(store, ['0', '1']);
    await store.written();
    const [zero, one] = await store.next(2);
    await finish(store, zero!);
    now += 40;
    await finish(store, one!);
    now += 20;
    expect(await store.expire()).toBe(1);
    expect(await store.get(ids[0]!)).toBeUndefined();
    expect(await store.get(ids[1]!)).toMatchObject({ state: 'settled' });
    now += 60;
    expect(await store.expire()).toBe(1);
    expect(store.submissions).toEqual([]);
  });

  test('survive the end of their client in the middle of a submission, which then has those that were written', async () => {
    const before = await journal();
    const submission = before.submission(bytes('shared'), { many: true });
    before.put(submission, bytes('0'));
    before.put(submission, bytes('1'));
    await before.written();
    const store = await again(before);
    expect(store.submissions).toMatchObject([{ number: submission.number, count: 2, open: false }]);
    expect(textsOf(await store.next(10))).toEqual(['0', '1']);
  });

  test('keep one order through random submissions, starts and openings', async () => {
    const seed = Number(process.env.SEED ?? Date.now() % 1e9);
    console.log(`seed ${seed}`);
    let state = seed;
    const random = (below: number) => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
      return (state >> 8) % below;
    };
    let store = await journal();
    const expected = new Map<string, [priority: number, number: number]>();
    let number = 0;
    const held: QueuedJob[] = [];
    for (let step = 0; step < 300; step++) {
      const what = random(6);
      if (what <= 2) {
        const priority = random(3) - 1;
        const text = String(number);
        expected.set(text, [-priority, number++]);
        single(store, text, priority);
      } else if (what <= 4) {
        await store.written();
        const taken = await store.next(random(4));
        const wanted = [...expected]
          .sort(([, a], [, b]) => a[0] - b[0] || a[1] - b[1])
          .slice(0, taken.length);
        expect(textsOf(taken)).toEqual(wanted.map(([text]) => text));
        for (const job of taken) {
          const text = job.own.toString();
          const was = expected.get(text)!;
          expected.delete(text);
          if (random(3) > 0) void store.started(job, { site: 's', attempt: 1 });
          else {
            held.push(job);
            if (random(2) > 0) continue;
            held.pop();
            store.giveBack(job);
            expected.set(text, was);
          }
        }
      } else if (random(10) === 0) {
        store = await again(store);
        for (const job of held.splice(0)) {
          expected.set(job.own.toString(), [-job.priority, Number(job.own.toString())]);
        }
      }
    }
    await store.written();
    const all = [...expected].sort(([, a], [, b]) => a[0] - b[0] || a[1] - b[1]);
    expect(textsOf(await store.next(1_000))).toEqual(all.map(([text]) => text));
  });
});

describe('a journal', () => {
  test('is a folder for its user alone, and is open in one process only', async () => {
    const store = await journal();
    expect((await stat(path)).mode & 0o777).toBe(0o700);
    const error = await rejection(JobStore.open(path));
    expect(error).toBeInstanceOf(JournalHeldError);
    expect(error).toMatchObject({ code: 'ERR_OFFSITE_JOURNAL_HELD', pid: process.pid });
    await store.close();
    open.delete(store);
    await journal();
  });

  test('is not made of a file or a folder that is something else', async () => {
    await writeFile(path, 'text');
    expect(String(await rejection(JobStore.open(path)))).toMatch(/is no folder/);
    await writeFile(join(folder, 'notes'), 'text');
    const error = await rejection(JobStore.open(folder));
    expect(error).toBeInstanceOf(JournalError);
    expect(String(error)).toMatch(/other things in it/);
    expect(await readdir(folder)).toHaveLength(2);
  });

  test('says that it is damaged, and can be repaired', async () => {
    const store = await journal();
    const { ids } = many(store, ['0'.repeat(100), '1']);
    await store.written();
    await store.close();
    open.delete(store);
    const names = await readdir(join(path, 'db'));
    const manifest = join(path, 'db', names.find((name) => name.startsWith('MANIFEST'))!);
    await rm(manifest);
    const error = await rejection(JobStore.open(path));
    expect(error).toBeInstanceOf(JournalDamagedError);
    expect(String(error)).toMatch(/repairJournal/);
    await repairJournal(path);
    const repaired = await journal();
    expect(await repaired.get(ids[1]!)).toEqual({ state: 'queued' });
    expect((await repaired.next(10)).map(({ id }) => id)).toEqual(ids);
  });

  test('does not give what is no longer what was written', async () => {
    const store = await journal();
    single(store, 'needle in a haystack');
    await store.written();
    await store.close();
    open.delete(store);
    // Opening it again makes tables of what was a log.
    await (await again(await journal())).close();
    open.clear();
    const names = await readdir(join(path, 'db'));
    for (const name of names.filter((each) => /\.(ldb|log)$/.test(each))) {
      const file = join(path, 'db', name);
      const content = await readFile(file, 'latin1');
      await writeFile(file, content.replace('needle in', 'noodle in'), 'latin1');
    }
    const damaged = await journal();
    const error = await rejection(damaged.next(1));
    expect(error).toBeInstanceOf(JournalDamagedError);
  });
});
