import { availableParallelism } from 'node:os';
import type { RemoteManagerOptions } from '../remote-manager.ts';
import type { ClusterManager } from './manager.ts';

/** Whom `addProcs` adds. */
export type AddProcsTarget = number | 'auto' | ClusterManager;

/** How. */
export type AddProcsOptions = RemoteManagerOptions;

/** What launches them. */
export const managerOf = (
  target: AddProcsTarget,
  options: AddProcsOptions,
): { manager: ClusterManager; defaults: RemoteManagerOptions } => {
  if (typeof target === 'object') return { manager: target, defaults: options };
  const count = target === 'auto' ? availableParallelism() : target;
  return {
    manager: { launch: () => Array.from({ length: count }, () => ({ site: {} })) },
    defaults: options,
  };
};
