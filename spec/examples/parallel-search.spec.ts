import { afterEach, describe, expect, test } from 'vitest';
import { ParallelSearch, type ParallelSearchOptions } from '../../examples/search/parallel-search.js';
import { functionsOf } from '../../lib/index.ts';
import { knapsackBest } from '../support/fixtures/search-scripts.js';
import { rejection } from '../support/sites.ts';

const scripts = new URL('../../examples/search/scripts/', import.meta.url);
const { queens } = functionsOf<{ queens: (size: number, strategy?: string) => unknown }>(
  new URL('queens.js', scripts),
);
const { sendMoreMoney, sendMostMoney } = functionsOf<{
  sendMoreMoney: () => unknown;
  sendMostMoney: () => unknown;
}>(new URL('money.js', scripts));
const odd = functionsOf<typeof import('../support/fixtures/search-scripts.js')>(
  new URL('../support/fixtures/search-scripts.js', import.meta.url),
);

const open = new Set<ParallelSearch>();
const searchOf = (workers: Record<string, number>, options?: ParallelSearchOptions): ParallelSearch => {
  const made = new ParallelSearch(workers, options);
  open.add(made);
  return made;
};
afterEach(async () => {
  await Promise.all([...open].map((each) => each.close()));
  open.clear();
});

const MONEY = { S: 9, E: 5, N: 6, D: 7, M: 1, O: 0, R: 8, Y: 2 };
const money = (answer: unknown) => {
  const letters = answer as Record<string, number>;
  return Number([...'MONEY'].map((letter) => letters[letter]).join(''));
};
const different = (answers: readonly unknown[]) => new Set(answers.map(String)).size;

describe.each([['virtual'], ['sh']] as const)('A parallel search by %s sites', (fork) => {
  test('finds the known answers: the one, all of them, and the best', async () => {
    const search = searchOf({ localhost: 3 }, { fork });
    expect(await search.one(sendMoreMoney)).toEqual([MONEY]);
    expect(await search.all(sendMoreMoney)).toEqual([MONEY]);
    expect((await search.best(sendMostMoney)).map(money)).toEqual([10876]);
    for (const [size, count] of [
      [2, 0],
      [3, 0],
      [4, 2],
      [6, 4],
      [8, 92],
      [10, 724],
    ] as const) {
      const answers = await search.all(queens, size);
      expect([size, answers.length, different(answers)]).toEqual([size, count, count]);
    }
    expect(await search.one(queens, 3)).toEqual([]);
    expect(await search.all(queens, 6, 'split')).toHaveLength(4);
  });

  test('loses nothing when workers are killed in the middle, and finds nothing twice', async () => {
    let kills = 0;
    const search: ParallelSearch = searchOf(
      { localhost: 4 },
      {
        fork,
        onProgress: ({ answers, busy }) => {
          // The first is killed when work has just been shared, the others when answers have been told.
          if (kills < 3 && busy > 1 && answers >= kills * 100) {
            const [, ...others] = ids;
            void search.cluster.site(others[kills]!)!.kill();
            kills += 1;
          }
        },
      },
    );
    await search.ready;
    const ids = search.cluster.workers;
    const answers = await search.all(queens, 12);
    expect(kills).toBe(3);
    expect([answers.length, different(answers)]).toEqual([14_200, 14_200]);
    expect(search.cluster.workers).toHaveLength(1);
    expect(await search.all(queens, 9)).toHaveLength(352);
  });
});

test('Workers that are added while it runs take part', async () => {
  let most = 0;
  const search = searchOf(
    { localhost: 1 },
    {
      fork: 'virtual',
      onProgress: ({ busy }) => {
        most = Math.max(most, busy);
      },
    },
  );
  await search.ready;
  const answers = search.all(queens, 12);
  await search.cluster.addProcs(1, { fork: 'virtual' });
  expect(await answers).toHaveLength(14_200);
  expect(most).toBe(2);
});

test('It can be done by this process alone, or with it', async () => {
  expect(await searchOf({ same: 1 }).all(queens, 8)).toHaveLength(92);
  expect(await searchOf({ same: 1, localhost: 1 }, { fork: 'virtual' }).all(queens, 8)).toHaveLength(92);
});

test('The best of many is the best, whoever finds it', async () => {
  const search = searchOf({ localhost: 3 }, { fork: 'virtual' });
  expect(await search.best(odd.knapsack)).toEqual([{ ...knapsackBest }]);
});

test('What is stopped gives what it has, and others can be searched afterwards', async () => {
  const search: ParallelSearch = searchOf(
    { localhost: 2 },
    { fork: 'virtual', onProgress: ({ answers }) => answers > 0 && search.stop() },
  );
  const answers = await search.all(queens, 14);
  expect(answers.length).toBeGreaterThan(0);
  expect(answers.length).toBeLessThan(365_596);
  expect(await search.one(sendMoreMoney)).toEqual([MONEY]);
});

test('A script that throws, one without an order, and the death of all workers are told to whoever searches', async () => {
  const search: ParallelSearch = searchOf(
    { localhost: 1 },
    { fork: 'sh', onProgress: () => void search.cluster.site(search.cluster.workers[0]!)!.kill() },
  );
  expect((await rejection(search.all(odd.throws))).message).toMatch(/the script is not right/);
  expect((await rejection(search.best(queens, 4))).message).toMatch(/space\.order/);
  const error = await rejection(search.all(queens, 12));
  expect(error.message).toBe('No worker is left to search.');
  expect((error.cause as Error).name).toBe('ProcessExitedException');
});
