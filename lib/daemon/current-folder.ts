import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { promisify } from 'node:util';
import type { RunAs } from './run-as.ts';

const run = promisify(execFile);

/** How long a file system may take, in milliseconds: one of a network may be out of reach. */
const LOOK_WITHIN = 2_000;

const mayEnter = async (folder: string, runAs: RunAs | undefined): Promise<boolean> => {
  if (!runAs) {
    await access(folder, constants.R_OK | constants.X_OK);
    return (await stat(folder)).isDirectory();
  }
  const { uid, gid } = runAs;
  // Rights of another user are what the operating system grants him, so he is the one who tries.
  const words = ['-c', 'cd -- "$1" && test -r .', 'offsite', folder];
  await run('/bin/sh', words, { uid, gid, cwd: '/', timeout: LOOK_WITHIN });
  return true;
};

/**
 * Whether a folder is here, named as the client's current one, into which a site may go (GNU Octave's rule). One that
 * can't be looked at in time is none. Never rejects.
 */
export const isEntered = async (folder: string, runAs: RunAs | undefined): Promise<boolean> => {
  if (!isAbsolute(folder) || folder.includes('\0')) return false;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), LOOK_WITHIN);
  });
  const found = mayEnter(folder, runAs).catch(() => false);
  return Promise.race([found, late]).finally(() => clearTimeout(timer));
};
