import { isIPv6 } from 'node:net';

/** How Linux's table of TCP sockets writes a port, behind an address. */
export const portInTable = (port: string | number): string =>
  `:${Number(port).toString(16).toUpperCase().padStart(4, '0')}`;

/** The table holds addresses as 32-bit words in the order of this machine's bytes, which is the other way round. */
const reversed = (bytes: readonly number[]): string =>
  [...bytes]
    .reverse()
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('')
    .toUpperCase();

/** An IPv4 address at the end of an IPv6 one, as that of a peer who came by IPv4, is two groups of it. */
const hexGroups = (group: string): string[] => {
  if (!group.includes('.')) return [group];
  const [a, b, c, d] = group.split('.').map(Number) as [number, number, number, number];
  return [a * 256 + b, c * 256 + d].map((word) => word.toString(16));
};

const wordsOf = (address: string): number[] => {
  const [head = '', tail] = address.replace(/%.*$/, '').split('::');
  const groups = (text: string | undefined) => (text ? text.split(':').flatMap(hexGroups) : []);
  const [before, behind] = [groups(head), groups(tail)];
  const all = [...before, ...Array<string>(8 - before.length - behind.length).fill('0'), ...behind];
  return all.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff]);
};

/** How Linux's table of TCP sockets writes an IP address. */
export const addressInTable = (address: string): string => {
  if (!isIPv6(address)) return reversed(address.split('.').map(Number));
  const bytes = wordsOf(address);
  return [0, 4, 8, 12].map((at) => reversed(bytes.slice(at, at + 4))).join('');
};
