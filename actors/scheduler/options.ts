import type { AccessFiles, Credentials } from '../../lib/access/credentials.ts';
import type { SharePolicy } from './allocate.ts';

export type { SharePolicy } from './allocate.ts';

/** How a scheduler shares nodes among clients. */
export interface SchedulerOptions {
  /** Where it listens: addresses of this host. @default loopback */
  readonly host?: readonly string[];
  /** @default 35100; 0 is any that is free */
  readonly port?: number;
  /** As people call it. @default the host's name */
  readonly name?: string;
  /** What clients are known by, and nodes that join by themselves. @default nothing: then it listens on loopback only */
  readonly access?: AccessFiles;
  /** Daemons whose slots it shares, `host[:port]`. @default none: only those that join */
  readonly nodes?: readonly string[];
  /** How it shows those daemons who it is: another domain of trust than that of its clients. */
  readonly nodeCredentials?: Credentials;
  /** How slots are shared out. @default 'fair' */
  readonly policy?: SharePolicy;
  /** Weights of users for 'fair', from 1 to 1000. @default 1 for all */
  readonly weights?: Readonly<Record<string, number>>;
  /** A client who says nothing for so long loses its sites, in milliseconds. @default an hour */
  readonly zombieInterval?: number;
  /** How long a client or node may take for what it begins to say, in milliseconds. @default 10 s */
  readonly msgTimeout?: number;
}
