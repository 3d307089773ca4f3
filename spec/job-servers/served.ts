import { afterAll, beforeAll, vi } from 'vitest';
import { functionsOf, type Job } from '../../lib/index.ts';
import { newSecret, type ServedHost, startServe } from '../support/daemon.ts';

// Many processes start here, on machines that others use too.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

/** Where the functions are that jobs run here. */
export const MODULE = new URL('./tasks.ts', import.meta.url);

/** Names of the functions that jobs run here. */
export const tasks = functionsOf<typeof import('./tasks.ts')>(MODULE);

/** How often each sentence about a defect is tried. */
export const REPEATS = 20;

/** Real `offsite serve`s with one key, for all tests of a file; each entry has the options of one. */
export const served = (...words: readonly string[][]): readonly ServedHost[] => {
  const hosts: ServedHost[] = [];
  beforeAll(async () => {
    const secret = newSecret();
    hosts.push(...(await Promise.all(words.map((each) => startServe(each, {}, secret)))));
  });
  afterAll(async () => {
    await Promise.all(hosts.map((host) => host.close()));
  });
  return hosts;
};

/** How a job server reaches one of them. */
export const serverOf = ({ host, secret }: ServedHost, more: object = {}) => ({
  host,
  fork: 'daemon' as const,
  site: { credentials: { secret } },
  ...more,
});

/** The first thing that a job says. */
export const firstSaid = async <P>(job: Job<unknown, P>): Promise<P> => {
  for await (const value of job.provisional) return value;
  throw new Error('The job has said nothing.');
};

/** Numbers by chance, the same again for the same seed, which is printed: below a bound. */
export const chance = (): ((below: number) => number) => {
  const seed = Number(process.env.SEED ?? Date.now() % 1e9);
  console.log(`seed ${seed}`);
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (state >> 8) % below;
  };
};
