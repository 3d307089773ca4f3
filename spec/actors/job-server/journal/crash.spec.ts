import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { JournalHeldError } from '../../../../actors/job-server/journal/errors.ts';
import { JobStore } from '../../../../actors/job-server/journal/store.ts';
import {
  Client,
  effects,
  effectsReach,
  effectsSeen,
  folder,
  path,
  withJournal,
  wordsSeen,
} from '../../../support/journal-client.ts';
import { killAll, waitUntilGone } from '../../../support/processes.ts';
import { rejection } from '../../../support/sites.ts';

withJournal();

describe('jobs whose client is killed', () => {
  test('run once, and none of their results is lost or delivered twice, wherever it happens', async () => {
    const seed = Number(process.env.SEED ?? Date.now() % 1e9);
    console.log(`seed ${seed}`);
    let state = seed;
    const random = (below: number) => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
      return (state >> 8) % below;
    };
    const count = 60;
    const words = Array.from({ length: count }, (_, index) => `job ${index}`);
    const delivered: string[] = [];
    const last: unknown[] = [];
    let client = new Client(2);
    const args = words.map((word) => [effects, word, random(4)]);
    client.order({ order: 'enqueue', name: 'count', args });
    for (let lives = 0; lives < 2; lives++) {
      await client.hear(1 + random(20));
      await client.kill();
      delivered.push(...client.results.map(({ value }) => value as string));
      last.push(client.results.at(-1)!.value);
      client = new Client(2);
      client.order({ order: 'attach' });
    }
    await client.until(({ done }) => done === true);
    delivered.push(...client.results.map(({ value }) => value as string));
    expect([...new Set(delivered)].sort()).toEqual([...words].sort());
    const twice = delivered.filter((word, at) => delivered.indexOf(word) !== at);
    // The one that a client had in its hands when it was killed, it may not have done with.
    expect(last).toEqual(expect.arrayContaining(twice));
    expect(wordsSeen().sort()).toEqual([...words].sort());
    await client.close();
    const left: string[] = [];
    const store = await JobStore.open(path);
    for await (const id of store.ids()) left.push(id);
    expect(left).toEqual([]);
    expect(await store.sites()).toEqual([]);
    await store.close();
    // What was left of the first ones has ended too.
    await waitUntilGone(new Set(effectsSeen().map(({ pid }) => pid)), 5_000);
  });

  test('are waited for where they run, are not run again, and are attached to by their id', async () => {
    const first = new Client(2);
    const gate = join(folder, 'gate');
    first.order({ order: 'submit', name: 'until', args: [effects, 'held', gate] });
    const { job } = await first.until((said) => said.job !== undefined);
    first.order({ order: 'submit', name: 'steps', args: [effects, 'done'], options: { data: 1 } });
    await first.hear(1);
    await effectsReach(2);
    await first.kill();
    const second = new Client(2);
    second.order({ order: 'attach', id: job });
    second.order({ order: 'submit', name: 'count', args: [effects, 'meanwhile'] });
    await second.hear(1);
    await writeFile(gate, '');
    await second.hear(2);
    expect(second.results).toMatchObject([
      { status: 'finished', value: 'meanwhile' },
      { id: job, status: 'finished', value: 'held' },
    ]);
    expect(wordsSeen().sort()).toEqual(['done', 'held', 'meanwhile']);
    // It was delivered.
    second.order({ order: 'attach', id: job });
    await second.hear(3);
    expect(second.results[2]).toMatchObject({ error: { code: 'ERR_OFFSITE_OPTION' } });
    await second.close();
    await waitUntilGone(
      effectsSeen().map(({ pid }) => pid),
      5_000,
    );
  });

  test('whose site is lost too are run again if they may be, and else end with JobLostError', async () => {
    const first = new Client(2);
    const gate = join(folder, 'gate');
    first.order({ order: 'submit', name: 'hang', args: [effects, 'once'] });
    const { job } = await first.until((said) => said.job !== undefined);
    await effectsReach(1);
    first.order({ order: 'enqueue', name: 'until', args: [[effects, 'again', gate]], options: { retry: 1 } });
    await effectsReach(2);
    await first.kill();
    const sites = effectsSeen().map(({ pid }) => pid);
    killAll(sites);
    await waitUntilGone(sites, 5_000);
    await writeFile(gate, '');
    const second = new Client(2);
    second.order({ order: 'attach', id: job });
    await second.hear(2);
    expect(second.results.find(({ id }) => id === job)).toMatchObject({
      status: 'abandoned',
      error: { name: 'JobLostError', code: 'ERR_OFFSITE_JOB_LOST' },
    });
    expect(second.results.find(({ id }) => id !== job)).toMatchObject({ status: 'finished', value: 'again' });
    expect(wordsSeen()).toEqual(['once', 'again', 'again']);
    await second.close();
  });

  test('leave a journal that is free at once, and was held while they lived', async () => {
    const client = new Client(0);
    client.order({ order: 'enqueue', name: 'count', args: [[effects, 'a']] });
    await client.until(({ submitted }) => submitted === 1);
    const error = await rejection(JobStore.open(path));
    expect(error).toBeInstanceOf(JournalHeldError);
    expect(error).toMatchObject({ pid: client.child.pid });
    await client.kill();
    const store = await JobStore.open(path);
    expect(await store.next(5)).toHaveLength(1);
    await store.close();
  });
});
