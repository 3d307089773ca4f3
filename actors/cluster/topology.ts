import { isThisHost, parseHost } from '../../lib/fork/host.ts';
import type { WorkerConfig } from './manager.ts';
import type { Topology } from './options.ts';

/** Whether one worker may call another. */
export const mayCall = (
  topology: Topology,
  from: WorkerConfig | undefined,
  to: WorkerConfig | undefined,
): boolean => {
  if (topology === 'all_to_all') return true;
  if (topology === 'master_worker') return false;
  const names = (who: WorkerConfig | undefined, whom: WorkerConfig | undefined) =>
    whom?.ident !== undefined && who?.connectIdents?.includes(whom.ident) === true;
  return names(from, to) || names(to, from);
};

/** One end of a way between two workers. */
export interface WayEnd {
  readonly config: WorkerConfig;
  readonly site: { readonly fork: string; readonly host: string };
}

/** Whether one worker can connect to another: both are processes, and the one can come to where the other's door is. */
export const isReachable = (from: WayEnd, to: WayEnd): boolean => {
  if (from.config.tunnel || to.config.tunnel) return false;
  // A thread is reached through its process anyway, and that is the nearest way.
  if (from.site.fork === 'virtual' || to.site.fork === 'virtual') return false;
  return to.config.bind !== undefined || hostOf(from.site) === hostOf(to.site);
};

const hostOf = ({ host }: { readonly host: string }): string => {
  const { host: name } = parseHost(host);
  return isThisHost(name) ? 'localhost' : name.toLowerCase();
};
