import { afterEach } from 'vitest';
import {
  Cluster,
  type ClusterOptions,
  ElasticManager,
  type ElasticManagerOptions,
  type FunctionName,
} from '../../../lib/index.ts';
import { type Running, start } from '../../cli/cli.ts';
import { waitUntilGone } from '../../support/processes.ts';

/** The functions of the fixture cluster.js that these specs call. */
export interface Fixture {
  pid(): number;
  keep(value: string): void;
  keptValue(): string;
  square(x: number): number;
  same(bytes: Uint8Array): Uint8Array;
  callFrom(fn: FunctionName, id: number, ...args: number[]): number;
  never(heard: () => void): void;
}

/** The cluster of a test, its manager, and the processes that have joined; all are ended after it. */
export const makeElastic = () => {
  const clusters: Cluster[] = [];
  const managers: ElasticManager[] = [];
  const running: Running[] = [];
  afterEach(async () => {
    await Promise.all(clusters.splice(0).map((cluster) => cluster.close()));
    await Promise.all(managers.splice(0).map((manager) => manager.close()));
    for (const { child } of running) child.kill('SIGKILL');
    await Promise.all(running.splice(0).map(({ ended }) => ended));
  });
  return {
    cluster: (options: ClusterOptions = {}) => {
      const cluster = new Cluster({ output: () => undefined, ...options });
      clusters.push(cluster);
      return cluster;
    },
    manager: (options: ElasticManagerOptions = {}) => {
      const manager = new ElasticManager(options);
      managers.push(manager);
      return manager;
    },
    /** Runs `offsite join` with a ticket on its standard input. */
    join: (ticket: string, ...words: string[]): Running => {
      const joiner = start(['join', ...words]);
      joiner.child.stdin.end(ticket);
      running.push(joiner);
      return joiner;
    },
  };
};

/** The ids of so many that come. */
export const firstOf = async (ids: AsyncIterator<number>, count: number): Promise<number[]> => {
  const came: number[] = [];
  while (came.length < count) {
    const { value, done } = await ids.next();
    if (done) throw new Error(`Only ${came.length} came.`);
    came.push(value);
  }
  return came;
};

/** Resolves to why a process has left. */
export const leaving = (cluster: Cluster, id: number): Promise<string> =>
  new Promise((resolve) => {
    cluster.on('leave', (who, reason) => who === id && resolve(reason));
  });

/** Rejects if the process of a worker is still there after a while, in milliseconds. */
export const gone = (pid: number | undefined, within = 3_000) => waitUntilGone([pid!], within);
