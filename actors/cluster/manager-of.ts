import { OptionError } from '../../lib/wire/errors.ts';
import type { RemoteManagerOptions } from '../remote-manager.ts';
import { type AddProcsOptions, checkAddProcs, siteOptionsOf } from './add-procs-options.ts';
import { LocalManager } from './local-manager.ts';
import type { MachineTarget, WorkerCount } from './machine-spec.ts';
import type { ClusterManager } from './manager.ts';
import { SSHManager } from './ssh-manager.ts';

/** What `addProcs` adds: workers on this host, on machines that ssh reaches, or those of a manager. */
export type AddProcsTarget = WorkerCount | readonly MachineTarget[] | ClusterManager;

const isManager = (target: AddProcsTarget): target is ClusterManager =>
  typeof (target as Partial<ClusterManager> | null)?.launch === 'function';

export type { AddProcsOptions } from './add-procs-options.ts';

const makeManager = (target: AddProcsTarget, options: AddProcsOptions): ClusterManager => {
  if (isManager(target)) {
    checkAddProcs('common', options);
    return target;
  }
  if (typeof target === 'number' || target === 'auto') return new LocalManager(target, options);
  if (Array.isArray(target)) return new SSHManager(target, options);
  throw new OptionError(
    'target',
    `Workers can't be added from ${JSON.stringify(target)}; give a number, 'auto', an array of machines, or a manager.`,
  );
};

/**
 * The manager of what is to be added, and what every site is told. A manager that was made already has its options, so
 * only those are taken with it that hold for any worker. Throws OptionError.
 */
export const managerOf = (
  target: AddProcsTarget,
  options: AddProcsOptions = {},
): { manager: ClusterManager; defaults: RemoteManagerOptions } => ({
  manager: makeManager(target, options),
  defaults: siteOptionsOf(options),
});
