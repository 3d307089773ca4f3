import type { AccessFiles } from '../../lib/access/credentials.ts';
import type { Address } from '../../lib/cluster/direct/address.ts';

/** Within which hours of a day a daemon serves; times are `HH:MM` in its time zone, and may go past midnight. */
export interface ServiceHours {
  /** From when on it takes clients and starts sites. */
  readonly start: string;
  /** From when on it starts nothing more. @default `end` */
  readonly stop?: string;
  /** When what still runs is ended. */
  readonly end: string;
  /** An IANA time zone. @default that of the host */
  readonly timeZone?: string;
}

/** How a daemon serves. */
export interface DaemonOptions {
  /** Where it listens: addresses of this host. @default 127.0.0.1 and [::1] */
  readonly host?: readonly string[];
  /** @default 35000; 0 is any that is free */
  readonly port?: number;
  /** The addresses that clients are told, where a router forwards the port (NAT); in the order of `host`. */
  readonly extIpAddr?: readonly string[];
  /** As people call it. @default the host's name */
  readonly name?: string;
  /** What clients can ask for when they place jobs. */
  readonly labels?: Readonly<Record<string, string>>;
  /** How many sites it has at most; less than 0 leaves so many processors alone. @default the number of processors */
  readonly cpus?: number;
  /** What clients are known by. @default nothing: then it listens on loopback only */
  readonly access?: AccessFiles;
  /** Where sites have their folders. @default a folder of its own in the system's for temporary files */
  readonly destPathPrefix?: string;
  /** Whether what a killed daemon has left in `destPathPrefix`, sites and folders, is ended and removed. @default false */
  readonly clean?: boolean;
  /** The largest file that a job may send or fetch, in bytes. @default no bound */
  readonly maxFileSize?: number;
  /** A client who says nothing for so long loses its sites, in milliseconds. @default an hour */
  readonly zombieInterval?: number;
  /** How long a client may take for what it begins to say, in milliseconds. @default 10 s */
  readonly msgTimeout?: number;
  readonly serviceHours?: ServiceHours;
  /** It ends after so many clients. @default it never does */
  readonly serve?: number;
  /** It ends when it has had no client for so long, in milliseconds. @default it never does */
  readonly idleExit?: number;
  /** Whether a job server is to have a fresh site for each job. @default false */
  readonly restartWorkers?: boolean;
  /** A module whose `init()` runs in each site before anything else, and `close()` when it ends. */
  readonly init?: string;
  /** The user (and group) as whom sites run; only for a daemon of root. */
  readonly uid?: string;
  /** Schedulers that are dialled, so that this node serves there too and needs no open port. */
  readonly scheduler?: readonly { readonly address: Address }[];
}
