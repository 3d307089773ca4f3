import { execFile } from 'node:child_process';
import { lstatSync } from 'node:fs';
import { chmod, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What dies just now may still write into it. */
const RETRIES = { maxRetries: 5, retryDelay: 50 };
/** How long the tools of the system may take, in milliseconds: there may be millions of files. */
const REMOVE_WITHIN = 600_000;

/** Lets this user into all folders below, where user code has taken its own right away. */
const open = async (folder: string): Promise<void> => {
  await chmod(folder, 0o700);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) await open(join(folder, entry.name));
  }
};

/**
 * Removes a site's folder and all in it. What root removes of another user is removed as that user, because who may
 * write there could turn a path while root follows it. Rejects with what the operating system says.
 */
export const removeFolder = async (folder: string): Promise<void> => {
  const { uid, gid } = lstatSync(folder, { throwIfNoEntry: false }) ?? {};
  if (uid === undefined || gid === undefined) return;
  const asRoot = process.getuid?.() === 0;
  if (asRoot && uid !== 0) {
    // The folder itself stays, because it lies in one of root's.
    await run('/bin/rm', ['-rf', '--', folder], { uid, gid, cwd: '/', timeout: REMOVE_WITHIN }).catch(
      () => {},
    );
  }
  try {
    await rm(folder, { recursive: true, force: true, ...RETRIES });
  } catch (cause) {
    if (asRoot) throw cause;
    await open(folder);
    await rm(folder, { recursive: true, force: true, ...RETRIES });
  }
};
