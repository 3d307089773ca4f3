import { BlockList, isIPv4 } from 'node:net';
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';
import type { Interfaces } from '../cluster/direct/address.ts';

/** Whether an address leads to nobody but this host. */
export const isLoopback = (address: string): boolean => /^127\.|^::1$/.test(address);

/** An interface of this host over which nodes are announced and looked for. */
export interface LanInterface {
  readonly name: string;
  /** From where it is asked: its first IPv4 address, or its IPv6 link-local one if it has none. */
  readonly address: string;
  readonly family: 'IPv4' | 'IPv6';
  /** All addresses that it has. */
  readonly addresses: readonly string[];
  /** Whether an address lies in one of its networks. A packet that comes from elsewhere came by another interface. */
  readonly reaches: (address: string) => boolean;
}

const networksOf = (name: string, infos: readonly NetworkInterfaceInfo[]): LanInterface['reaches'] => {
  const networks = new BlockList();
  // A point-to-point device has no network but the other end, whose address nobody tells.
  let isOpen = false;
  for (const { cidr, family, address } of infos) {
    const prefix = Number(cidr?.split('/')[1]);
    if (family === 'IPv4' && prefix >= 31) isOpen ||= prefix === 32;
    if (Number.isInteger(prefix)) {
      networks.addSubnet(address, prefix, family === 'IPv4' ? 'ipv4' : 'ipv6');
    }
  }
  return (from) => {
    const [address = '', zone] = from.split('%');
    if (zone !== undefined) return zone === name;
    return isOpen || networks.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');
  };
};

const asked = (infos: readonly NetworkInterfaceInfo[]): NetworkInterfaceInfo | undefined =>
  infos.find(({ family }) => family === 'IPv4') ??
  infos.find(({ family, address }) => family === 'IPv6' && /^fe[89ab]/i.test(address));

/**
 * The interfaces that are up and not loopback; or those of which `wish` has the name or an address, loopback too. The
 * host's own name has no part in this: what it resolves to (127.0.1.1 on Debian) leads nowhere.
 */
export const lanInterfaces = (
  wish?: readonly string[],
  interfaces: Interfaces = networkInterfaces(),
): LanInterface[] =>
  Object.entries(interfaces).flatMap(([name, infos = []]) => {
    const isWished = wish
      ? wish.includes(name) || infos.some(({ address }) => wish.includes(address))
      : infos.some(({ internal }) => !internal);
    const from = asked(infos);
    if (!isWished || !from) return [];
    const { address, family } = from;
    const addresses = infos.map((info) => info.address);
    return [{ name, address, family, addresses, reaches: networksOf(name, infos) }];
  });
