import type { ClusterManager, WorkerConfig } from '../../../actors/cluster/manager.ts';
import { RemoteManager, type RemoteManagerOptions } from '../../../lib/index.ts';
import { track } from '../../support/sites.ts';

/** A worker that a manager has told of, and its site. */
export interface Launched {
  config: WorkerConfig;
  site: RemoteManager;
}

/** What keeps specs' output clean. */
const QUIET: RemoteManagerOptions = { stdout: 'ignore', stderr: 'ignore' };

/** The configs that a manager launches. */
export async function configsOf(
  manager: ClusterManager,
  defaults: RemoteManagerOptions = {},
  signal: AbortSignal = new AbortController().signal,
): Promise<WorkerConfig[]> {
  const configs: WorkerConfig[] = [];
  for await (const config of manager.launch({ defaults, signal })) configs.push(config);
  return configs;
}

/** Starts all the workers of a manager, as a cluster does, and waits until they are ready. */
export async function launchAll(
  manager: ClusterManager,
  defaults: RemoteManagerOptions = {},
): Promise<Launched[]> {
  const launched = (await configsOf(manager, defaults)).map((config) => ({
    config,
    site: track(new RemoteManager({ ...QUIET, ...defaults, ...config.site })),
  }));
  const all = await Promise.allSettled(launched.map(({ site }) => site.ready));
  const failed = all.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
  if (failed.length > 0) {
    await removeAll(manager, launched);
    throw failed.length === 1 ? failed[0] : new AggregateError(failed, `${failed.length} workers failed.`);
  }
  return launched;
}

/** Removes workers, as a cluster does. */
export async function removeAll(manager: ClusterManager, launched: readonly Launched[]): Promise<void> {
  await Promise.all(
    launched.map(async ({ config, site }, id) => {
      await site.close({ timeout: 2_000 });
      await manager.manage?.('deregister', id + 2, config);
    }),
  );
}
