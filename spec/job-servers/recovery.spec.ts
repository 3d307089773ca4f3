import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { type ServedHost, startServe } from '../support/daemon.ts';
import {
  Client,
  effects,
  effectsReach,
  effectsSeen,
  folder,
  withJournal,
  wordsSeen,
} from '../support/journal-client.ts';
import { waitUntilGone } from '../support/processes.ts';

const daemons: ServedHost[] = [];
afterEach(() => Promise.all(daemons.splice(0).map((each) => each.close())));
withJournal();

describe('jobs at a daemon whose client is killed', () => {
  test('D5 are not lost and run once: another client attaches and gets the results', async () => {
    const daemon = await startServe(['--cpus', '2']);
    daemons.push(daemon);
    const { host, secret } = daemon;
    const options = { name: `crash-${process.pid}`, servers: [host], secret };
    const first = new Client(0, options);
    const gate = join(folder, 'gate');
    first.order({ order: 'submit', name: 'until', args: [effects, 'held', gate] });
    const { job } = await first.until((said) => said.job !== undefined);
    await effectsReach(1);
    const words = Array.from({ length: 40 }, (_, index) => `job ${index}`);
    const args = words.map((word) => [effects, word, 4]);
    first.order({ order: 'enqueue', name: 'count', args });
    await first.hear(5);
    await first.kill();
    const second = new Client(0, options);
    second.order({ order: 'attach', id: job });
    await second.until(({ done }) => done === true);
    await writeFile(gate, '');
    await second.until(({ id }) => id === job);
    expect(second.results.at(-1)).toMatchObject({ id: job, status: 'finished', value: 'held' });
    expect(wordsSeen().sort()).toEqual([...words, 'held'].sort());
    const given = [...first.results, ...second.results].map(({ value }) => value as string);
    expect([...new Set(given)].sort()).toEqual([...words, 'held'].sort());
    // At most the one that the first client had in its hands.
    expect(given.length - new Set(given).size).toBeLessThanOrEqual(1);
    await second.close();
    await waitUntilGone(new Set(effectsSeen().map(({ pid }) => pid)), 5_000);
  });

  test('can be cancelled by another client, where they run, and end at their timeout', async () => {
    const first = new Client(2);
    const options = { grace: 0 };
    first.order({ order: 'submit', name: 'hang', args: [effects, 'cancelled'], options });
    const { job } = await first.until((said) => said.job !== undefined);
    await effectsReach(1);
    first.order({
      order: 'enqueue',
      name: 'hang',
      args: [[effects, 'late']],
      options: { grace: 0, timeout: 500 },
    });
    await effectsReach(2);
    await first.kill();
    const second = new Client(0);
    second.order({ order: 'attach', id: job });
    second.order({ order: 'cancel', id: job });
    await second.hear(2);
    expect(second.results.find(({ id }) => id === job)).toMatchObject({
      status: 'cancelled',
      error: { code: 'ERR_OFFSITE_JOB_CANCELLED' },
    });
    expect(second.results.find(({ id }) => id !== job)).toMatchObject({
      status: 'terminated',
      error: { code: 'ERR_OFFSITE_JOB_TIMEOUT' },
    });
    expect(wordsSeen().sort()).toEqual(['cancelled', 'late']);
    await second.close();
    await waitUntilGone(new Set(effectsSeen().map(({ pid }) => pid)), 5_000);
  });
});
