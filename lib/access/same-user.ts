import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import process from 'node:process';
import { addressInTable, portInTable } from './socket-table.ts';
import type { Ends } from './visitor.ts';

/** A table that changes while it is read may lack a line. */
const ATTEMPTS = 2;
/** The table's word for a connection that is open both ways. */
const ESTABLISHED = '01';

/** Whether an address is of the host itself, and of no network. */
export const isLoopback = (host: string): boolean => {
  const plain = host.toLowerCase().replace(/^::ffff:(?=\d+\.)/, '');
  return plain === 'localhost' || (isIP(plain) === 4 ? plain.startsWith('127.') : plain === '::1');
};

/** How the table may name an end: an IPv4 address can be that of a socket for both, mapped into IPv6. */
const namesOf = (address: string, port: number): string[] => {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
  const written = `${addressInTable(plain)}${portInTable(port)}`;
  return isIP(plain) === 4 ? [written, `0000000000000000FFFF0000${written}`] : [written];
};

/** The user of the process at the other end of a connection within this host, by a table of TCP sockets of Linux. */
export const userIn = (table: string, ends: Ends): number | undefined => {
  const { remoteAddress, remotePort, localAddress, localPort } = ends;
  if (!remoteAddress || !remotePort || !localAddress || !localPort) return undefined;
  const [theirs, ours] = [namesOf(remoteAddress, remotePort), namesOf(localAddress, localPort)];
  for (const line of table.split('\n')) {
    if (!theirs.some((name) => line.includes(name))) continue;
    const [, here, there, state, , , , uid] = line.trim().split(/\s+/);
    // One that its process has closed already has no owner, and the table says 0 for that, which is root.
    if (state === ESTABLISHED && theirs.includes(here!) && ours.includes(there!)) return Number(uid);
  }
  return undefined;
};

const readTable = (name: string): string => {
  try {
    return readFileSync(`/proc/self/net/${name}`, 'latin1');
  } catch {
    // Without IPv6 there is only one.
    return '';
  }
};

/**
 * Whether the process at the other end of a connection within this host is of this process's user, or root. Only Linux
 * can be asked; elsewhere it is taken for granted.
 */
export const isSameUser = (ends: Ends): boolean => {
  if (process.platform !== 'linux') return true;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    for (const name of ['tcp', 'tcp6']) {
      const user = userIn(readTable(name), ends);
      if (user !== undefined) return user === 0 || user === process.geteuid!();
    }
  }
  return false;
};
