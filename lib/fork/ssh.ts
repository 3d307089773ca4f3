import { engineLine, quote, SHELL, STANDARD_PATH } from './first-stage.ts';
import type { Command, Fork, ForkRequest } from './fork-method.ts';
import { parseHost } from './host.ts';
import { forkProcess } from './process.ts';

/** How often ssh itself asks a host that says nothing, in seconds: a firewall may forget a connection that is silent. */
const ALIVE_EVERY = 15;
/** As many questions without an answer as ssh can count. */
const FOR_EVER = 2 ** 31 - 1;

/** The manager gives a silent host up, by the time that its user has set; ssh must not do so earlier. */
const askedInVain = (unreachableTimeout: number): number =>
  Math.min(FOR_EVER, Math.ceil(unreachableTimeout / 1000 / ALIVE_EVERY) + 1);

/** What the command line of an ssh depends on. */
export type SshRequest = Pick<ForkRequest, 'host' | 'sshOptions' | 'ssh' | 'timeout' | 'unreachableTimeout'>;

/** The system's own `ssh`, or the one that was named, that runs a shell line on a host. It never asks anything. */
export const sshCommand = (request: SshRequest, line: string): Pick<Command, 'file' | 'args'> => {
  const { user, host, port } = parseHost(request.host);
  const words = [
    '-T',
    ...['-o', 'BatchMode=yes'],
    ...['-o', `ServerAliveInterval=${ALIVE_EVERY}`],
    ...['-o', `ServerAliveCountMax=${askedInVain(request.unreachableTimeout)}`],
    ...['-o', `ConnectTimeout=${Math.max(1, Math.ceil(request.timeout / 1000))}`],
    ...request.sshOptions,
    ...(port === undefined ? [] : ['-p', String(port)]),
    '--',
    user === undefined ? host : `${user}@${host}`,
    line,
  ];
  const program = request.ssh ?? process.env.OFFSITE_SSH;
  return program
    ? { file: 'sh', args: ['-c', `exec ${program} "$@"`, 'ssh', ...words] }
    : { file: 'ssh', args: words };
};

/**
 * A process on another host, through the system's own `ssh`, so that the user's config, agent, jump hosts and known
 * hosts work. `OFFSITE_SSH` may name another command line for ssh, as GIT_SSH_COMMAND does.
 */
export const ssh: Fork = (request) => {
  // Whatever the login shell is, a POSIX one reads the line.
  const elsewhere = (line: string) =>
    sshCommand(request, `exec ${SHELL} -c ${quote(`PATH=$PATH:${STANDARD_PATH}; ${line}`)}`);
  return forkProcess({ method: 'ssh', ...sshCommand(request, engineLine(request)), elsewhere }, request);
};
