import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { killAll } from './processes.ts';
import { aptInstall } from './sshd.ts';

/** A host of a network: a namespace, and a cable that leads from it to a switch. */
export interface LanHost {
  readonly address: string;
  /** What stands before a command line that is to run there. */
  readonly inside: readonly string[];
  /** Pulls the cable. */
  cut(): void;
  /** Plugs it in again. */
  mend(): void;
}

const ip = (...words: string[]): string =>
  execFileSync('ip', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: 10_000 });

/** Nets that are for tests of networks (RFC 2544). */
const NET = '198.18.0';
const HIDDEN_NET = '198.19';
const PLACES = ['/usr/sbin', '/sbin', '/usr/bin', '/bin'];
/** What a router does that hides its hosts: whom they dial sees the router, and nobody gets in. */
const MASQUERADE = [
  'add table ip nat',
  'add chain ip nat out { type nat hook postrouting priority 100; }',
  'add rule ip nat out oifname "outside" masquerade',
  'add table ip filter',
  'add chain ip filter pass { type filter hook forward priority 0; }',
  'add rule ip filter pass iifname "outside" ct state new drop',
];

let lans = 0;

/**
 * Hosts that share a switch, which passes multicast on, in namespaces of their own; none of it can be seen from outside.
 * Whoever makes it closes it; if this process ends before, it ends too.
 */
export class Lan {
  readonly #name = `ofl${randomBytes(3).toString('hex')}${++lans}`;
  readonly #spaces: string[] = [];
  readonly #switch = this.#space('switch');
  readonly #onSwitch: string[] = [];
  #routers = 0;
  readonly #onExit = () => this.close();

  constructor() {
    process.once('exit', this.#onExit);
    ip('-n', this.#switch, 'link', 'add', 'bridge', 'type', 'bridge', 'mcast_snooping', '0');
    ip('-n', this.#switch, 'link', 'set', 'bridge', 'up');
  }

  host(): LanHost {
    const number = this.#onSwitch.length + 1;
    const space = this.#space(`host${number}`);
    this.#onSwitch.push(space);
    return this.#plug(space, 'lan', `port${number}`, `${NET}.${number}`);
  }

  /** A host in a net of its own, which can dial the hosts of the switch, but not be dialled by those (NAT). */
  hiddenHost(): LanHost {
    const number = ++this.#routers;
    const net = `${HIDDEN_NET}.${number}`;
    const router = this.#space(`router${number}`);
    this.#plug(router, 'outside', `router${number}`, `${NET}.${200 + number}`);
    const space = this.#space(`hidden${number}`);
    this.#cable([router, 'inside', `${net}.1`], [space, 'lan', `${net}.2`]);
    ip('-n', space, 'route', 'add', 'default', 'via', `${net}.1`);
    const setUp = `echo 1 > /proc/sys/net/ipv4/ip_forward; exec nft -f -`;
    execFileSync('ip', ['netns', 'exec', router, 'sh', '-c', setUp], { input: MASQUERADE.join('\n') });
    // They know the way, so it is the router that lets nobody in.
    for (const other of this.#onSwitch) {
      ip('-n', other, 'route', 'add', `${net}.0/24`, 'via', `${NET}.${200 + number}`);
    }
    return this.#hostAt(space, router, 'inside', `${net}.2`);
  }

  /** Kills what runs on the hosts, and removes them. Never throws. */
  close(): void {
    process.off('exit', this.#onExit);
    for (const space of this.#spaces.splice(0).reverse()) {
      try {
        killAll(ip('netns', 'pids', space).split('\n').filter(Boolean).map(Number));
        ip('netns', 'del', space);
      } catch {
        // It is gone already; the others must go all the same.
      }
    }
  }

  #space(what: string): string {
    const space = `${this.#name}-${what}`;
    ip('netns', 'add', space);
    this.#spaces.push(space);
    ip('-n', space, 'link', 'set', 'lo', 'up');
    return space;
  }

  #plug(space: string, device: string, port: string, address: string): LanHost {
    this.#cable([this.#switch, port], [space, device, address]);
    ip('-n', this.#switch, 'link', 'set', port, 'master', 'bridge');
    return this.#hostAt(space, this.#switch, port, address);
  }

  #cable(...ends: readonly (readonly [space: string, device: string, address?: string])[]): void {
    const [[space, device], [farSpace, farDevice]] = ends as [[string, string], [string, string]];
    const peer = ['peer', 'name', farDevice, 'netns', farSpace];
    ip('link', 'add', device, 'netns', space, 'type', 'veth', ...peer);
    for (const [where, end, address] of ends) {
      if (address !== undefined) ip('-n', where, 'addr', 'add', `${address}/24`, 'dev', end);
      ip('-n', where, 'link', 'set', end, 'up');
    }
  }

  #hostAt(space: string, far: string, port: string, address: string): LanHost {
    return {
      address,
      inside: ['ip', 'netns', 'exec', space],
      cut: () => void ip('-n', far, 'link', 'set', port, 'down'),
      mend: () => void ip('-n', far, 'link', 'set', port, 'up'),
    };
  }
}

const install = (program: string, from: string): void => {
  if (PLACES.some((place) => existsSync(`${place}/${program}`)) || !existsSync('/usr/bin/apt-get')) return;
  process.stderr.write(`spec: installing ${from} with apt-get, for the specs that need a network\n`);
  aptInstall(from);
};

/** Why there can be no switch here, or with `hidden` no router that hides its hosts; `undefined` if there can. */
export const noLan = ({ hidden = false } = {}): string | undefined => {
  if (process.platform !== 'linux') return 'network namespaces are Linux’s';
  if (process.getuid?.() !== 0) return 'only root can make network namespaces';
  try {
    install('ip', 'iproute2');
    if (hidden) install('nft', 'nftables');
    const lan = new Lan();
    try {
      lan.host();
      if (hidden) lan.hiddenHost();
    } finally {
      lan.close();
    }
  } catch (cause) {
    return `a switch${hidden ? ' and a router' : ''} of namespaces can not be made here: ${(cause as Error).message}`;
  }
  return undefined;
};
