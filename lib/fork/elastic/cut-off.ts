import { readFileSync } from 'node:fs';
import { type SocketLine, socketOf } from '../../engine/ssh-connection.ts';

/** What a connection is named by. */
export interface Ends {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
}

const readTable = (name: string): string => {
  try {
    return readFileSync(`/proc/self/net/${name}`, 'latin1');
  } catch {
    // Only Linux has these tables.
    return '';
  }
};

/** Whether a table of TCP sockets says that something is sent again and again which the other host never acknowledges. */
export const resendsIn = (table: string, { local, remote }: SocketLine): boolean => {
  for (const line of table.split('\n')) {
    const [, here, there, , , , resent] = line.trim().split(/\s+/);
    if (here?.endsWith(local) && there?.endsWith(remote)) return Number.parseInt(resent!, 16) > 0;
  }
  return false;
};

/**
 * Watches whether the other host acknowledges what is sent to it. Its program may stand still for hours, and its kernel
 * answers all the same; that nothing is acknowledged means that the way there is cut. Only on Linux.
 */
export class CutOff {
  readonly #line: SocketLine | undefined;
  #since: number | undefined;

  constructor({ remoteAddress, remotePort, localAddress, localPort }: Ends) {
    this.#line = socketOf(`${remoteAddress} ${remotePort} ${localAddress} ${localPort}`);
  }

  /** For how long it has been cut off, in milliseconds, as far as was looked; 0 if it is not. */
  look(): number {
    const line = this.#line;
    const cut = line !== undefined && ['tcp', 'tcp6'].some((name) => resendsIn(readTable(name), line));
    this.#since = cut ? (this.#since ?? performance.now()) : undefined;
    return this.#since === undefined ? 0 : performance.now() - this.#since;
  }
}
