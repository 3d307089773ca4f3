import { OptionError } from '../../lib/wire/errors.ts';
import { parseMachine } from '../cluster/machine-spec.ts';
import type { ClusterManager, LaunchRequest, WorkerConfig } from '../cluster/manager.ts';
import type { RemoteManagerOptions } from '../remote-manager.ts';

/** A host as an object: how its site is forked, and how other nodes come to it. */
export interface NetworkHostOptions extends RemoteManagerOptions {
  /** Where its node lets other nodes connect, `host[:port]`. @default the loopback address, any port */
  readonly bind?: string;
  /** Whether other nodes reach it only through the client. @default false */
  readonly tunnel?: boolean;
}

/**
 * A host of a network: `[user@]host[:port] [bind_addr[:port]]`, or how its site is forked. One that is named several
 * times has as many nodes.
 */
export type NetworkHost = string | NetworkHostOptions;

/** One node that is to be: as it is called, and how its process is started. */
export interface PlannedNode {
  readonly name: string;
  readonly config: WorkerConfig;
}

const planned = (host: NetworkHost): PlannedNode[] => {
  if (typeof host === 'string') {
    const { host: name, bind, count } = parseMachine(host);
    if (count === 'auto')
      throw new OptionError(
        'hosts',
        `"${host}" has no number of nodes; give one, or one node and nlocaljobs: 'auto' for all processors of the host.`,
      );
    const config = { site: { host: name }, ...(bind !== undefined && { bind }) };
    return Array.from({ length: count }, () => ({ name, config }));
  }
  if (typeof host !== 'object' || host === null)
    throw new OptionError('hosts', `A host is a text or the options of a site, and not ${String(host)}.`);
  const { bind, tunnel, ...site } = host;
  const config = { site, ...(bind !== undefined && { bind }), ...(tunnel !== undefined && { tunnel }) };
  return [{ name: site.name ?? site.host ?? 'localhost', config }];
};

/** The nodes that hosts are to have, in their order. Throws OptionError. */
export const plan = (hosts: readonly NetworkHost[]): PlannedNode[] => {
  if (!Array.isArray(hosts) || hosts.length === 0)
    throw new OptionError('hosts', 'A network needs a host or more, for instance ["bamse", "skalman"].');
  return hosts.flatMap(planned);
};

/** Starts the processes of a network, in the order given. */
export class HostsManager implements ClusterManager {
  /** sshd's MaxStartups is 10. */
  readonly maxParallel = 10;
  readonly #configs: readonly WorkerConfig[];

  constructor(configs: readonly WorkerConfig[]) {
    this.#configs = configs;
  }

  launch(_: LaunchRequest): Iterable<WorkerConfig> {
    return this.#configs;
  }
}
