import { afterAll, afterEach, describe, inject, test } from 'vitest';
import {
  Cluster,
  type ClusterManager,
  type ClusterOptions,
  functionsOf,
  type RemoteManagerOptions,
  type WorkerConfig,
} from '../../lib/index.ts';
import { fixture } from '../support/sites.ts';

/** What the cases call in the processes of a cluster. */
export const julia = functionsOf<typeof import('../support/fixtures/julia.ts')>(fixture('julia.ts'));

/** What the cases of a section work with. */
export interface Bench {
  readonly kind: 'virtual' | 'sh' | 'ssh';
  /** Workers of this kind; what is said of one goes before what is said of all. */
  workers(count: number, config?: Partial<WorkerConfig>, site?: RemoteManagerOptions): ClusterManager;
  /** The cluster that the cases share which do it no harm: process 1, and the workers 2, 3 and 4. */
  shared(): Promise<Cluster>;
  /** A cluster of the case's own, closed after it. */
  fresh(count: number, options?: ClusterOptions): Promise<Cluster>;
  /** A case over virtual and sh sites. */
  readonly test: (title: string, run: () => Promise<void>) => void;
  /** A case that goes over ssh as well. */
  readonly chosen: (title: string, run: () => Promise<void>) => void;
}

const ssh = inject('ssh');

const SITES: Record<Bench['kind'], () => RemoteManagerOptions> = {
  virtual: () => ({ fork: 'virtual' }),
  sh: () => ({ fork: 'sh' }),
  ssh: () => (ssh.unavailable === undefined ? { fork: 'ssh', host: ssh.host, sshOptions: ssh.options } : {}),
};

/** Runs no case. */
const NOTHING: Bench = {
  kind: 'ssh',
  workers: () => ({ launch: () => [] }),
  shared: () => Promise.reject(new Error('No case runs here.')),
  fresh: () => Promise.reject(new Error('No case runs here.')),
  test: () => {},
  chosen: () => {},
};

/** Runs the cases of a section over virtual and sh sites, and the chosen ones over ssh. */
export function overSites(section: string, cases: (bench: Bench) => void): void {
  let chosen = 0;
  cases({ ...NOTHING, chosen: () => chosen++ });
  const kinds = chosen > 0 ? (['virtual', 'sh', 'ssh'] as const) : (['virtual', 'sh'] as const);
  describe.each(kinds)(`${section}, over %s sites`, (kind) => {
    const own: Cluster[] = [];
    let shared: Promise<Cluster> | undefined;
    const make = async (count: number, options: ClusterOptions = {}): Promise<Cluster> => {
      const cluster = new Cluster({ output: () => undefined, ...options });
      own.push(cluster);
      if (count > 0) await cluster.addProcs(workers(count));
      return cluster;
    };
    const workers: Bench['workers'] = (count, config, site) => ({
      launch: () => Array.from({ length: count }, () => ({ ...config, site: { ...SITES[kind](), ...site } })),
    });
    afterEach(async () => {
      await Promise.all(own.splice(0).map((cluster) => cluster.close({ timeout: 2_000 })));
    });
    afterAll(async () => {
      await (await shared)?.close({ timeout: 2_000 });
    });
    const skipped = kind === 'ssh' && ssh.unavailable !== undefined;
    cases({
      kind,
      workers,
      async shared() {
        shared ??= make(3).then((cluster) => {
          own.splice(own.indexOf(cluster), 1);
          return cluster;
        });
        return shared;
      },
      fresh: make,
      test: kind === 'ssh' ? () => {} : test,
      chosen: skipped ? (title, run) => test.skip(title, run) : test,
    });
  });
}
