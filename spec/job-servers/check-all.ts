import { expect } from 'vitest';
import type { Over, Run } from './hosts.ts';

/** What was told of jobs, what they have noted themselves, and for which of them that may differ. */
export interface Accounts {
  readonly overs: readonly Over[];
  readonly runs: readonly Run[];
  /** They may not be run again, and their nodes were lost. */
  readonly rejected: readonly number[];
  /** The same, but they may. */
  readonly runTwice: readonly number[];
}

/** Expects that of so many jobs none is lost, wrong, told of twice, or run twice but those that were lost with a node. */
export const checkAll = (count: number, { overs, runs, rejected, runTwice }: Accounts): void => {
  const jobs = [...overs].sort((a, b) => a.over - b.over);
  expect(jobs.map(({ over }) => over)).toEqual(Array.from({ length: count }, (_, job) => job));
  const runsOf = new Map<number, Run[]>();
  for (const run of runs) runsOf.set(run.job, [...(runsOf.get(run.job) ?? []), run]);
  for (const { over: job, value, attempts, ...rest } of jobs) {
    const own = runsOf.get(job) ?? [];
    const times = runTwice.includes(job) ? 2 : 1;
    expect({ job, attempts, runs: own.length }).toEqual({ job, attempts: times, runs: times });
    if (rejected.includes(job)) continue;
    expect({ job, square: value?.[0], ...rest }).toEqual({ job, square: job * job, status: 'finished' });
    expect(own.at(-1)).toMatchObject({ node: value![1], isDone: true });
  }
};
