import { isIPv6 } from 'node:net';

/** Two fields of a line of Linux's table of TCP sockets, as far as they are known. */
export interface SocketLine {
  /** How the local address and port end. */
  readonly local: string;
  /** How the peer's end. */
  readonly remote: string;
}

const portOf = (port: string): string => `:${Number(port).toString(16).toUpperCase().padStart(4, '0')}`;

/** The table holds addresses as 32-bit words in the order of this machine's bytes, which is the other way round. */
const reversed = (bytes: readonly number[]): string =>
  [...bytes]
    .reverse()
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('')
    .toUpperCase();

const wordsOf = (address: string): number[] => {
  const [head = '', tail] = address.replace(/%.*$/, '').split('::');
  const groups = (text: string | undefined) => (text ? text.split(':') : []);
  const [before, behind] = [groups(head), groups(tail)];
  const all = [...before, ...Array<string>(8 - before.length - behind.length).fill('0'), ...behind];
  return all.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff]);
};

const addressOf = (address: string): string => {
  if (!isIPv6(address)) return reversed(address.split('.').map(Number));
  const bytes = wordsOf(address);
  return [0, 4, 8, 12].map((at) => reversed(bytes.slice(at, at + 4))).join('');
};

/**
 * How the table of TCP sockets names the connection of an `SSH_CONNECTION`, as sshd sets it: the client's address and
 * port, then the server's. `undefined` for a text that is none. An IPv4 address is the end of itself mapped into IPv6,
 * which is how a socket for both has it.
 */
export const socketOf = (connection: string | undefined): SocketLine | undefined => {
  const [client, clientPort, server, serverPort, more] = connection?.split(' ') ?? [];
  if (!client || !clientPort || !server || !serverPort || more !== undefined) return undefined;
  return { local: portOf(serverPort), remote: `${addressOf(client)}${portOf(clientPort)}` };
};
