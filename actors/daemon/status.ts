import type { Address } from '../../lib/cluster/direct/address.ts';
import type { NodeState } from '../../lib/fork/daemon/node-state.ts';

/** A client of a daemon: a user with all of his program's connections. */
export interface ClientLine {
  readonly user: string;
  /** Where he comes from, `host:port` of the first connection. */
  readonly from: string;
  /** Since when, in milliseconds since 1970. */
  readonly since: number;
  /** His sites that run now, by their names, with their process ids. */
  readonly sites: readonly { readonly name: string; readonly pid: number; readonly since: number }[];
}

/** How a daemon does. */
export interface DaemonStatus extends NodeState {
  readonly pid: number;
  readonly addresses: readonly Address[];
  /** Since when it serves, in milliseconds since 1970. */
  readonly since: number;
  readonly clients: readonly ClientLine[];
  /** How many sites it has started, and how many clients it has had. */
  readonly started: number;
  readonly served: number;
  /** When the next change of its service hours comes, in milliseconds since 1970, and what it will be. */
  readonly next?: { readonly at: number; readonly state: NodeState['state'] };
}

/** What those who steer a daemon can have it do, over its local control socket or `/admin`. */
export interface DaemonControl {
  status(): DaemonStatus;
  clients(): readonly ClientLine[];
  /** Starts nothing more; resolves when all sites have ended. */
  drain(): Promise<void>;
  /** Takes clients again. */
  resume(): void;
  /** Sets the number of slots; below what runs, no new ones start until enough have ended. Throws OptionError. */
  setCpus(cpus: number): void;
  /** Drains and ends; `now` kills what runs. */
  stop(options?: { now?: boolean }): Promise<void>;
}
