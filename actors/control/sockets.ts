import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { privateRoots } from '../../lib/ticket/folder.ts';

/** A program that can be asked, and by which socket. */
export interface Controlled {
  readonly pid: number;
  readonly path: string;
}

/** The socket of a program in one of its user's private folders. */
export const socketIn = (root: string, pid: number): string => join(root, `${pid}.sock`);

/** Whether a process of this user runs. */
export const runs = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    // Nobody, or somebody else's program, which got the number of one of ours.
    return false;
  }
};

/**
 * The programs of this user with a control socket, in all of the user's private folders, because a login may know
 * another one than the program did; the sockets of programs that have ended are removed.
 */
export const controlled = (): Controlled[] => {
  const found: Controlled[] = [];
  for (const root of privateRoots()) {
    for (const name of readdirSync(root)) {
      const pid = Number(/^(\d+)\.sock$/.exec(name)?.[1]);
      if (!Number.isInteger(pid)) continue;
      const path = socketIn(root, pid);
      if (runs(pid)) found.push({ pid, path });
      else rmSync(path, { force: true });
    }
  }
  return found.sort((one, other) => one.pid - other.pid);
};
