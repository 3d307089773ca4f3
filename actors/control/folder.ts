import { lstatSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ControlError } from './errors.ts';

/** The longest path of a socket that all systems take, in bytes (`sun_path`). */
const LONGEST_PATH = 103;

const user = (): number => process.getuid?.() ?? 0;

/** Where the control sockets of this user's programs lie. */
export const controlFolder = (): string => {
  const { XDG_RUNTIME_DIR: runtime } = process.env;
  // One that is relative is to be ignored, says the XDG specification: it would be another one in each folder.
  return runtime?.startsWith('/') ? join(runtime, 'offsite') : join(tmpdir(), `offsite-${user()}`);
};

/** The socket of one program. Throws ControlError if its path is too long for one. */
export const socketPath = (pid: number, folder = controlFolder()): string => {
  const path = join(folder, `${pid}.sock`);
  if (Buffer.byteLength(path) <= LONGEST_PATH) return path;
  throw new ControlError(
    `The path ${path} is too long for a socket; set XDG_RUNTIME_DIR to a shorter folder of your own.`,
  );
};

/**
 * Throws ControlError unless the folder is this user's own and nobody else may enter it: whoever can enter it can
 * connect, or stand in for a program. The folder above may be open to all, as /tmp is.
 */
export const checkFolder = (folder: string): void => {
  const stat = lstatSync(folder);
  if (stat.isDirectory() && stat.uid === user() && (stat.mode & 0o077) === 0) return;
  throw new ControlError(
    `The folder ${folder} is not a private one of this user (mode 0700), so no control socket is put there or looked for. Remove it, or set XDG_RUNTIME_DIR to a folder of your own.`,
  );
};

/** Makes the folder if it is not there. Throws ControlError, or the error of the file system. */
export const makeFolder = (folder: string): void => {
  try {
    // Only this one: Node's `recursive` never returns where a file system can't make any, as /proc.
    mkdirSync(folder, { mode: 0o700 });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
  }
  checkFolder(folder);
};

const runs = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    // Nobody, or somebody else's program, which got the number of one of ours.
    return false;
  }
};

/** The programs with a control socket; those of programs that have ended are removed. */
export const controlled = (folder = controlFolder()): number[] => {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw cause;
  }
  checkFolder(folder);
  const pids: number[] = [];
  for (const name of names) {
    const pid = Number(/^(\d+)\.sock$/.exec(name)?.[1]);
    if (!Number.isInteger(pid)) continue;
    if (runs(pid)) pids.push(pid);
    else rmSync(join(folder, name), { force: true });
  }
  return pids.sort((one, other) => one - other);
};
