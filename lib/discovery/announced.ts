import { isIP } from 'node:net';
import type { Service } from 'bonjour-service';

/** The version of what nodes say to their clients; nodes that announce another one are not dialled. */
export const PROTOCOL = 1;

/** What a node announces of itself. Anybody in the network can announce anything: it is where to look, and no more. */
export interface Announced {
  /** Stays the same as long as the node announces itself, and is no other's. */
  readonly id: string;
  readonly name: string;
  readonly version: string;
  readonly protocol: number;
  readonly secured: boolean;
  /** IP addresses of its own, at most `MOST_ADDRESSES`. */
  readonly addresses: readonly string[];
  readonly port: number;
}

const MOST_ADDRESSES = 6;
const LONGEST_NAME = 60;

/** Control characters in a name must not reach a terminal. */
const tidy = (text: unknown): string =>
  typeof text === 'string' ? [...text.replace(/\p{C}/gu, '?')].slice(0, LONGEST_NAME).join('') : '';

/** What is announced, as the entries of a TXT record; one of them has 255 bytes at most. */
export const textOf = ({
  name,
  version,
  secured,
  addresses,
}: Omit<Announced, 'id' | 'protocol' | 'port'>) => ({
  txtvers: '1',
  name: tidy(name),
  version: tidy(version),
  protocol: String(PROTOCOL),
  secured: secured ? 'yes' : 'no',
  addresses: addresses.slice(0, MOST_ADDRESSES).join(','),
});

/** What somebody has announced; `undefined` if it is no node's announcement. */
export const readAnnounced = ({ fqdn, port, txt, addresses = [] }: Service): Announced | undefined => {
  const said = (txt ?? {}) as Record<string, unknown>;
  const named = typeof said.addresses === 'string' ? said.addresses.split(',') : addresses;
  const usable = named.filter((address) => isIP(address) !== 0).slice(0, MOST_ADDRESSES);
  const protocol = Number(said.protocol);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) return undefined;
  if (usable.length === 0 || !Number.isInteger(protocol)) return undefined;
  return {
    id: fqdn.toLowerCase(),
    name: tidy(said.name) || tidy(fqdn),
    version: tidy(said.version),
    protocol,
    secured: said.secured === 'yes',
    addresses: usable,
    port,
  };
};
