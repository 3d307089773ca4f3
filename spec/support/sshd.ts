import { execFile, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';

/** How a spec reaches the run's sshd, or why it cannot. */
export type SshAccess = { unavailable: string } | ({ unavailable?: undefined } & SshHost);

/** A real sshd on loopback, and the ssh client configurations to reach it or to fail to. */
export interface SshHost {
  host: string;
  port: number;
  /** An ssh client configuration that is let in. */
  config: string;
  /** Words for `sshOptions`: let in. */
  options: string[];
  /** Words for `sshOptions`: the key is not authorised. */
  optionsWithoutAccess: string[];
  /** Words for `sshOptions`: the host's key is not known. */
  optionsWithUnknownHostKey: string[];
}

/** A running sshd with its access data; `close` ends it and removes its folder. */
export interface Sshd {
  access: SshHost;
  pid: number;
  close(): Promise<void>;
}

const HOST = '127.0.0.1';
const SSHD_PLACES = ['/usr/sbin/sshd', '/usr/local/sbin/sshd', '/usr/bin/sshd', '/opt/homebrew/sbin/sshd'];
const STARTING = 10_000;
const run = promisify(execFile);

/**
 * Starts an sshd as the current user on a free port of an address, 127.0.0.1 if none is given; its sessions get the
 * environment given. The words `inside` stand before it, for instance a command that makes a namespace.
 */
export async function startSshd(
  env: Record<string, string>,
  inside: string[] = [],
  host = HOST,
): Promise<Sshd> {
  const program = await findSshd();
  const folder = mkdtempSync(join(tmpdir(), 'offsite-sshd-'));
  try {
    return await startIn(folder, [...inside, program], env, host);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

async function startIn(
  folder: string,
  command: string[],
  env: Record<string, string>,
  host: string,
): Promise<Sshd> {
  const file = (name: string): string => join(folder, name);
  for (const name of ['host_key', 'user_key', 'wrong_key', 'other_host_key']) {
    await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'offsite-spec', '-f', file(name)]);
  }
  const port = await freePort();
  writeFileSync(file('authorized_keys'), readFileSync(file('user_key.pub')), { mode: 0o600 });
  writeFileSync(file('known_hosts'), `[${host}]:${port} ${readFileSync(file('host_key.pub'), 'utf8')}`);
  writeFileSync(file('no_known_hosts'), '');
  writeFileSync(file('sshd_config'), serverConfig(file, host, port, env));
  const client = (name: string, key: string, knownHosts: string): string[] => {
    writeFileSync(file(name), clientConfig(file(key), file(knownHosts), port));
    return ['-F', file(name)];
  };
  const options = client('config', 'user_key', 'known_hosts');
  const optionsWithoutAccess = client('config_no_access', 'wrong_key', 'known_hosts');
  const optionsWithUnknownHostKey = client('config_unknown_host', 'user_key', 'no_known_hosts');

  const [program, ...words] = command as [string, ...string[]];
  const server = spawn(program, [...words, '-D', '-e', '-f', file('sshd_config')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  server.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-2_000);
  });
  const ended = new Promise<void>((resolve) => {
    server.once('error', () => resolve());
    server.once('exit', () => resolve());
  });
  const died = ended.then(() => {
    throw new Error(`${program} ended before it listened; it said: ${said.trim() || '(nothing)'}`);
  });
  died.catch(() => {}); // after the start, its end is expected
  const close = async (): Promise<void> => {
    server.ref(); // else a program with nothing more to do would end before the folder is removed
    server.kill('SIGTERM');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await Promise.race([listening(host, port), died]);
    await run('ssh', [...options, host, 'true'], { timeout: STARTING });
  } catch (error) {
    await close();
    throw error;
  }
  server.unref();
  const access = {
    host,
    port,
    config: file('config'),
    options,
    optionsWithoutAccess,
    optionsWithUnknownHostKey,
  };
  return { access, pid: server.pid!, close };
}

// PATH: the node that runs the tests shall be the one that the sessions find.
function serverConfig(
  file: (name: string) => string,
  host: string,
  port: number,
  env: Record<string, string>,
): string {
  const path = [dirname(process.execPath), '/usr/local/bin', '/usr/bin', '/bin'].join(delimiter);
  const settings = Object.entries({ PATH: path, ...env }).map(([name, value]) => `"${name}=${value}"`);
  return `Port ${port}
ListenAddress ${host}
HostKey ${file('host_key')}
AuthorizedKeysFile ${file('authorized_keys')}
PidFile ${file('sshd.pid')}
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
MaxStartups 100
MaxSessions 100
UseDNS no
PrintMotd no
LogLevel ERROR
SetEnv ${settings.join(' ')}
`;
}

function clientConfig(key: string, knownHosts: string, port: number): string {
  return `Host *
  Port ${port}
  User ${userInfo().username}
  IdentityFile "${key}"
  IdentitiesOnly yes
  IdentityAgent none
  UserKnownHostsFile "${knownHosts}"
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  PreferredAuthentications publickey
  BatchMode yes
  LogLevel ERROR
`;
}

async function findSshd(): Promise<string> {
  const found = SSHD_PLACES.find(existsSync) ?? (await installSshd());
  // The place sshd locks itself into before a login; a packaged one expects the service to have made it.
  if (process.getuid?.() === 0 && process.platform === 'linux')
    mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  return found;
}

async function installSshd(): Promise<string> {
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) {
    throw new Error(
      'there is no sshd, and it can only be installed by root on Debian (apt-get install openssh-server).',
    );
  }
  process.stderr.write('spec: installing openssh-server with apt-get, for the specs that need a real sshd\n');
  aptInstall('openssh-server', 'openssh-client');
  const found = SSHD_PLACES.find(existsSync);
  if (!found) throw new Error('apt-get installed openssh-server, but no sshd is where it should be.');
  return found;
}

/** Installs packages of Debian's; throws what apt-get ends with. */
export function aptInstall(...packages: string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const aptGet = (...words: string[]): void => {
    execFileSync('apt-get', ['-q', '-y', ...words], { env, stdio: 'ignore', timeout: 180_000 });
  };
  aptGet('update');
  aptGet('install', '--no-install-recommends', ...packages);
}

/** A port of 127.0.0.1 that nobody listens on. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, HOST, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

async function listening(host: string, port: number): Promise<void> {
  const start = performance.now();
  for (;;) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, host);
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
      socket.once('close', () => socket.destroy());
      socket.once('connect', () => socket.end());
    });
    if (open) return;
    if (performance.now() - start > STARTING) throw new Error(`sshd does not listen after ${STARTING} ms.`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
