import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { privateRoots } from '../../lib/ticket/folder.ts';
import { runs } from '../control/sockets.ts';

/** A daemon of this user on this host, and the socket by which it is steered. */
export interface SteeredDaemon {
  readonly pid: number;
  readonly port: number;
  readonly path: string;
}

/** The control socket of a daemon in one of its user's private folders; paths of sockets must be short. */
export const controlSocket = (root: string, pid: number, port: number): string =>
  join(root, `${pid}-${port}.ctl`);

/** The daemons of this user that run here; the sockets of those that have died are removed. */
export const steeredDaemons = (): SteeredDaemon[] => {
  const found: SteeredDaemon[] = [];
  for (const root of privateRoots()) {
    for (const name of readdirSync(root)) {
      const [, pid, port] = /^(\d+)-(\d+)\.ctl$/.exec(name) ?? [];
      if (pid === undefined) continue;
      const path = join(root, name);
      if (runs(Number(pid))) found.push({ pid: Number(pid), port: Number(port), path });
      else rmSync(path, { force: true });
    }
  }
  return found.sort((one, other) => one.pid - other.pid);
};
