import { commandArray, commandString } from './command.ts';
import { daemon } from './daemon/daemon.ts';
import type { Fork, ForkMethod } from './fork-method.ts';
import { isThisHost, parseHost } from './host.ts';
import { sh } from './sh.ts';
import { ssh } from './ssh.ts';
import { virtual, virtualSites } from './virtual.ts';

/** What a site must be able to do, as far as the choice of a fork method depends on it. */
export interface Needs {
  readonly host: string;
  readonly detach: boolean;
  /** Whether it works in another folder than this process, which a thread can't. */
  readonly ownFolder: boolean;
}

/** The fork method for a site that nobody chose one for. */
const automatic = ({ host, detach, ownFolder }: Needs): Fork => {
  const { host: name, user, port } = parseHost(host);
  // Who names a user or a port means a login, also on this host.
  if (isThisHost(name) && user === undefined && port === undefined)
    return virtualSites && !detach && !ownFolder ? virtual : sh;
  const { OFFSITE_FORK } = process.env;
  return OFFSITE_FORK && OFFSITE_FORK !== 'automatic'
    ? forkOf(OFFSITE_FORK, { host, detach, ownFolder })
    : ssh;
};

/** The way to start an engine that a fork method names. */
export const forkOf = (method: ForkMethod, needs: Needs): Fork => {
  if (typeof method !== 'string') return commandArray(method);
  switch (method) {
    case 'automatic':
      return automatic(needs);
    case 'virtual':
      return virtual;
    case 'sh':
      return sh;
    case 'ssh':
      return ssh;
    case 'daemon':
      return daemon;
    default:
      return commandString(method);
  }
};
