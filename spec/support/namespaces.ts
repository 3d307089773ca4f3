import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { killAll, RUN_MARK } from './processes.ts';
import { aptInstall, type Sshd, type SshHost, startSshd } from './sshd.ts';

/** How bad the way to a host is. */
export interface Path {
  /** What a packet takes there and back, in milliseconds. */
  readonly delay?: number;
  /** The share of packets that are lost each way, from 0 to 1. */
  readonly loss?: number;
}

/** Another host, as far as the network is concerned: a namespace with an sshd, and a cable to it. */
export interface FarHost {
  readonly ssh: SshHost;
  /** How its way is made bad: by the kernel's netem, by a relay of packets, or not at all. */
  readonly by: 'netem' | 'relay' | undefined;
  /** Pulls the cable. */
  cut(): void;
  /** Plugs it in again. */
  mend(): void;
}

/** Hosts of one's own. */
export interface Network {
  readonly hosts: readonly FarHost[];
  close(): Promise<void>;
}

const ip = (...words: string[]): string =>
  execFileSync('ip', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: 10_000 });

const IP_PLACES = ['/usr/sbin/ip', '/sbin/ip', '/usr/bin/ip', '/bin/ip'];
const RELAY = fileURLToPath(new URL('bad-line.pl', import.meta.url));
/** Devices of the kernel's may have names of 15 letters. */
const run = randomBytes(3).toString('hex');
/** A net that is for tests of networks (RFC 2544), so that no packet finds its way out if the cable is cut. */
const NET = `198.18.${randomBytes(1)[0]}`;

/** Why there can be no hosts of one's own here; `undefined` if there can. */
export function noNetwork(): string | undefined {
  if (process.platform !== 'linux') return 'network namespaces are Linux’s';
  if (process.getuid?.() !== 0) return 'only root can make network namespaces';
  const name = `offsite-${run}`;
  try {
    if (!IP_PLACES.some(existsSync) && existsSync('/usr/bin/apt-get')) {
      process.stderr.write('spec: installing iproute2 with apt-get, for the specs that need a network\n');
      aptInstall('iproute2');
    }
    ip('netns', 'add', name);
  } catch (cause) {
    return `"ip netns add" (iproute2) does not work here: ${(cause as Error).message}`;
  }
  ip('netns', 'del', name);
  if (!hasNetem() && !(perl() && existsSync('/dev/net/tun'))) {
    return 'the kernel has no netem (sch_netem), and a relay of packets needs perl and /dev/net/tun';
  }
  return undefined;
}

/** Makes a host for each path. Whoever makes them closes them; if this process ends before, they end with it. */
export async function makeNetwork(paths: readonly Path[]): Promise<Network> {
  const undo: (() => unknown)[] = [];
  const undoAll = async () => {
    process.off('exit', undoNow);
    for (const step of undo.splice(0).reverse()) await attempt(step);
  };
  const undoNow = () => {
    for (const step of undo.splice(0).reverse()) void attempt(step);
  };
  process.once('exit', undoNow);
  try {
    const hosts: FarHost[] = [];
    for (const [number, path] of paths.entries()) hosts.push(await makeHost(number, path, undo));
    return { hosts, close: undoAll };
  } catch (cause) {
    await undoAll();
    throw cause;
  }
}

async function attempt(step: () => unknown): Promise<void> {
  try {
    await step();
  } catch {
    // It is gone already; the next steps must be done all the same.
  }
}

async function makeHost(number: number, path: Path, undo: (() => unknown)[]): Promise<FarHost> {
  const space = `offsite-${run}-${number}`;
  const [near, far] = [`of${run}${number}a`, `of${run}${number}b`];
  const [here, there] = [`${NET}.${4 * number + 1}`, `${NET}.${4 * number + 2}`];
  ip('netns', 'add', space);
  undo.push(() => ip('netns', 'del', space));
  // sshd's own children outlive it while their connection does.
  undo.push(() => killAll(ip('netns', 'pids', space).split('\n').filter(Boolean).map(Number)));
  const by = await layCable(near, far, path, undo);
  ip('link', 'set', far, 'netns', space);
  ip('addr', 'add', `${here}/30`, 'dev', near);
  ip('link', 'set', near, 'up');
  ip('-n', space, 'link', 'set', 'lo', 'up');
  ip('-n', space, 'addr', 'add', `${there}/30`, 'dev', far);
  ip('-n', space, 'link', 'set', far, 'up');
  if (by === 'netem') {
    for (const words of [
      ['-n', space, 'qdisc', 'add', 'dev', far],
      ['qdisc', 'add', 'dev', near],
    ]) {
      execFileSync('tc', [...words, 'root', ...netem(path)], { stdio: 'ignore' });
    }
  }
  const env = {
    [RUN_MARK]: process.env[RUN_MARK] ?? '',
    XDG_CACHE_HOME: process.env.XDG_CACHE_HOME ?? '',
  };
  const sshd: Sshd = await startSshd(env, ['ip', 'netns', 'exec', space], there);
  undo.push(() => sshd.close());
  return {
    ssh: sshd.access,
    by,
    cut: () => void ip('link', 'set', near, 'down'),
    mend: () => void ip('link', 'set', near, 'up'),
  };
}

const netem = ({ delay = 0, loss = 0 }: Path): string[] => [
  'netem',
  ...['delay', `${delay / 2}ms`],
  ...['loss', `${loss * 100}%`],
];

async function layCable(
  near: string,
  far: string,
  path: Path,
  undo: (() => unknown)[],
): Promise<FarHost['by']> {
  const isBad = Boolean(path.delay || path.loss);
  if (isBad && !hasNetem()) return layBadLine(near, far, path, undo);
  ip('link', 'add', near, 'type', 'veth', 'peer', 'name', far);
  undo.push(() => ip('link', 'del', near));
  return isBad ? 'netem' : undefined;
}

/** Whether the kernel can make a way bad by itself; it then does it better than we. */
function hasNetem(): boolean {
  const [device, peer] = [`of${run}ta`, `of${run}tb`];
  ip('link', 'add', device, 'type', 'veth', 'peer', 'name', peer);
  try {
    execFileSync('tc', ['qdisc', 'add', 'dev', device, 'root', 'netem', 'delay', '1ms'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  } finally {
    ip('link', 'del', device);
  }
}

const perl = (): string | undefined => ['/usr/bin/perl', '/usr/local/bin/perl'].find(existsSync);

/** Two devices with a program between them that passes packets on, late and not all. */
async function layBadLine(
  near: string,
  far: string,
  { delay = 0, loss = 0 }: Path,
  undo: (() => unknown)[],
): Promise<'relay'> {
  const seed = randomBytes(4).readUInt32LE();
  process.stderr.write(`spec: packets are delayed and lost by ${RELAY}, seed ${seed}\n`);
  const relay = spawn(perl() ?? 'perl', [RELAY, near, far, String(delay), String(loss), String(seed)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  undo.push(() => relay.kill('SIGKILL'));
  await new Promise<void>((resolve, reject) => {
    relay.stdout.once('data', () => resolve());
    relay.once('exit', (code) => reject(new Error(`The relay of packets ended with ${code}.`)));
    relay.once('error', reject);
  });
  return 'relay';
}
