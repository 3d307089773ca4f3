import { isIP, isIPv6 } from 'node:net';
import type { NetworkInterfaceInfo } from 'node:os';
import { OptionError } from '../../wire/errors.ts';

/** Where a member's door is. */
export interface Address {
  /** An IP address or a host's name; IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
}

/** An address as people write it, IPv6 in brackets. */
export const written = ({ host, port }: Address): string =>
  isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;

/** Throws OptionError unless somebody can be dialled there. */
export const checkAddress = ({ host, port }: Address): void => {
  if (typeof host === 'string' && host !== '' && Number.isInteger(port) && port > 0 && port < 65_536) return;
  const what = `${JSON.stringify({ host, port })}, but must have a host and a port from 1 to 65535.`;
  throw new OptionError('address', `address is ${what}`);
};

const BIND = /^(?:\[(?<six>[^[\]]+)\]|(?<host>[^\s:[\]]+))(?::(?<port>\d{1,5}))?$/;

/** Reads `host[:port]`, IPv6 in brackets; port 0 stands for any that is free. Throws OptionError. */
export const parseBind = (bind: string): Address => {
  const { six, host, port = '0' } = BIND.exec(bind)?.groups ?? {};
  const right = six === undefined ? host !== undefined : isIPv6(six);
  if (!right || Number(port) > 65_535) {
    const how = "host[:port] with an IPv6 address in brackets, for instance '127.0.0.1:9000' or '[::1]'";
    throw new OptionError('bind', `bind is ${JSON.stringify(bind)}, but must be ${how}.`);
  }
  return { host: six ?? host!, port: Number(port) };
};

/** Whether an address that somebody listens on stands for all that the host has. */
export const isWildcard = (host: string): boolean => host === '0.0.0.0' || /^[0:]+$/.test(host);

/** What `os.networkInterfaces()` tells. */
export type Interfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;

/** Interfaces that containers and virtual machines of this host make for themselves; other hosts do not reach them. */
const INNER = /^(?:docker|br-|bridge|virbr|veth|cni|cali|flannel|podman|lxc|lxdbr|vmnet|vboxnet|vnet)/;
const LINK_LOCAL = /^(?:169\.254\.|fe[89ab])/i;

const rank = (name: string, { address, family }: NetworkInterfaceInfo): number => {
  const four = family === 'IPv4';
  const linkLocal = LINK_LOCAL.test(address);
  const order = linkLocal ? (four ? 2 : 3) : four ? 0 : 1;
  return order + (INNER.test(name) ? 4 : 0);
};

/**
 * Which of this host's addresses others are told if a door listens on all of them (`0.0.0.0` or `::`): as Julia's
 * Distributed does, IPv4 before IPv6 before link-local IPv4 before link-local IPv6, but those of bridges for containers
 * after all others. Without a network it is the loopback.
 */
export const chooseAddress = (wildcard: string, interfaces: Interfaces): string => {
  const fours = isIP(wildcard) === 4;
  const reachable = Object.entries(interfaces).flatMap(([name, addresses = []]) =>
    addresses
      .filter(({ internal, family }) => !internal && (family === 'IPv4' || !fours))
      .map((info) => ({ address: info.address, rank: rank(name, info) })),
  );
  // The sort is stable: of equals, the operating system's first.
  const [best] = reachable.sort((a, b) => a.rank - b.rank);
  return best?.address ?? (fours ? '127.0.0.1' : '::1');
};
