import { RemoteManager, type RemoteManagerOptions } from '../remote-manager.ts';
import type { ClusterManager, WorkerConfig } from './manager.ts';
import type { CheckedClusterOptions } from './options.ts';

/** The site of a worker, which begins to start: what its manager says of it goes before what holds for all. */
export const startWorker = async (
  id: number,
  manager: ClusterManager,
  config: WorkerConfig,
  defaults: RemoteManagerOptions,
  output: CheckedClusterOptions['output'],
): Promise<RemoteManager> => {
  const print = (stream: 'stdout' | 'stderr') => (line: string) => {
    const text = output(line, { id, stream });
    if (text !== undefined) process[stream].write(`${text}\n`);
  };
  const site: RemoteManagerOptions = {
    name: `process ${id}`,
    stdout: print('stdout'),
    stderr: print('stderr'),
    ...defaults,
    ...config.site,
  };
  return manager.connect ? manager.connect({ ...config, site }) : new RemoteManager(site);
};
