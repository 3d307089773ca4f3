import { addressInTable, portInTable } from '../access/socket-table.ts';

/** Two fields of a line of Linux's table of TCP sockets, as far as they are known. */
export interface SocketLine {
  /** How the local address and port end. */
  readonly local: string;
  /** How the peer's end. */
  readonly remote: string;
}

/**
 * How the table of TCP sockets names the connection of an `SSH_CONNECTION`, as sshd sets it: the client's address and
 * port, then the server's. `undefined` for a text that is none. An IPv4 address is the end of itself mapped into IPv6,
 * which is how a socket for both has it.
 */
export const socketOf = (connection: string | undefined): SocketLine | undefined => {
  const [client, clientPort, server, serverPort, more] = connection?.split(' ') ?? [];
  if (!client || !clientPort || !server || !serverPort || more !== undefined) return undefined;
  return { local: portInTable(serverPort), remote: `${addressInTable(client)}${portInTable(clientPort)}` };
};
