import { randomBytes } from 'node:crypto';
import { lstatSync, mkdirSync } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, readdir, rm, statfs, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { SitesFolderError } from './errors.ts';
import { LOCK_FILES, lockHolder, releaseLock, takeLock } from './folder-lock.ts';
import { initModuleText } from './init-module.ts';
import { stillRuns } from './process-identity.ts';
import { removeFolder } from './remove-folder.ts';
import type { RunAs } from './run-as.ts';

/** A site's own folder. */
export interface SiteFolder {
  readonly path: string;
  /** Where the site is, if it is not somewhere else. */
  readonly work: string;
  /** Its TMPDIR. */
  readonly tmp: string;
  /** Options of Node.js by which the daemon's init module runs there. */
  readonly execArgv: readonly string[];
  /** Removes it with all in it; rejects with what the operating system says. */
  remove(): Promise<void>;
}

/** How the folders of a daemon's sites are to be. */
export interface SiteFoldersOptions {
  /** The daemon's name, for others that want the same folder. */
  readonly name: string;
  /** Where they are to lie; else in the system's folder for temporary files. */
  readonly prefix?: string;
  readonly runAs?: RunAs;
  /** The path of the module that each site begins with. */
  readonly init?: string;
}

const uid = (): number => process.getuid?.() ?? -1;
/** Begins the names of the folders that daemons make for themselves among the system's temporary files. */
const OWN = `offsite-serve-${uid()}-`;

/** Whether a folder is this user's own, and no link, so that nobody else says what is in it. */
const isOwn = (path: string): boolean => {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat?.isDirectory() === true && stat.uid === uid() && (stat.mode & 0o022) === 0;
};

/** Removes what daemons of this user have left among the temporary files that have died. Resolves to how many sites. */
const sweepDead = async (): Promise<number> => {
  let swept = 0;
  for (const name of await readdir(tmpdir())) {
    const path = join(tmpdir(), name);
    if (!name.startsWith(OWN) || !isOwn(path)) continue;
    const holder = lockHolder(path);
    // One without a lock is being made just now, or its daemon died at that; there is nothing in it.
    if (!holder || stillRuns(holder)) continue;
    const sites = await sitesIn(path);
    swept += sites.length;
    await Promise.allSettled(sites.map((site) => removeFolder(join(path, site))));
    await removeFolder(path).catch(() => {});
  }
  return swept;
};

const sitesIn = async (root: string): Promise<string[]> =>
  (await readdir(root)).filter((name) => !LOCK_FILES.has(name));

/** Makes a folder and those above it; `recursive` of Node's never returns where a file system takes no folders (/proc). */
const makeFolder = async (path: string): Promise<void> => {
  const make = () =>
    mkdir(path).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code !== 'EEXIST') throw cause;
    });
  try {
    await make();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(path) === path) throw cause;
    await makeFolder(dirname(path));
    await make();
  }
};

const makeRoot = async (prefix: string | undefined): Promise<string> => {
  if (prefix === undefined) return mkdtemp(join(tmpdir(), OWN));
  // By the host, because the prefix may be on a disk that several hosts share.
  const root = join(resolve(prefix), `offsite-${hostname()}`);
  try {
    await makeFolder(resolve(prefix));
  } catch (cause) {
    const what = `${resolve(prefix)}, where sites are to have their folders, can not be made: ${(cause as Error).message}`;
    throw new SitesFolderError(`${what}. Choose another destPathPrefix.`, root, undefined, { cause });
  }
  try {
    mkdirSync(root, { mode: 0o700 });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
  }
  if (isOwn(root)) return root;
  throw new SitesFolderError(
    `${root} is no folder that only this user can write to, so somebody else could replace what sites do. Remove it, or choose another destPathPrefix.`,
    root,
  );
};

/** The private folders of a daemon's sites, in one of its own, which nobody else has meanwhile. */
export class SiteFolders {
  readonly root: string;
  /** How many folders of sites were there of a daemon that had died. */
  readonly leftovers: number;
  readonly #runAs: RunAs | undefined;
  readonly #init: string | undefined;
  readonly #keepRoot: boolean;

  constructor(root: string, leftovers: number, { runAs, init, prefix }: SiteFoldersOptions) {
    this.root = root;
    this.leftovers = leftovers;
    this.#runAs = runAs;
    this.#init = init;
    this.#keepRoot = prefix !== undefined;
  }

  /** Makes a folder for one site, which only its user can look into; rejects with what the operating system says. */
  async make(): Promise<SiteFolder> {
    const path = join(this.root, randomBytes(6).toString('hex'));
    const [work, tmp] = [join(path, 'work'), join(path, 'tmp')];
    const init = join(path, 'init.mjs');
    try {
      for (const folder of [path, work, tmp]) await mkdir(folder, { mode: 0o700 });
      if (this.#init !== undefined) await writeFile(init, initModuleText(this.#init), { mode: 0o600 });
      await this.#giveAway([path, work, tmp, ...(this.#init === undefined ? [] : [init])]);
    } catch (cause) {
      await removeFolder(path).catch(() => {});
      throw cause;
    }
    return {
      path,
      work,
      tmp,
      execArgv: this.#init === undefined ? [] : [`--import=${pathToFileURL(init).href}`],
      remove: () => removeFolder(path),
    };
  }

  /** The space where sites have their folders, in bytes; `undefined` where that is not known. */
  async space(): Promise<{ total: number; free: number } | undefined> {
    try {
      const { blocks, bavail, bsize } = await statfs(this.root);
      return { total: blocks * bsize, free: bavail * bsize };
    } catch {
      return undefined;
    }
  }

  /** Gives the folder back, for the next daemon. Never rejects. */
  async close(): Promise<void> {
    try {
      releaseLock(this.root);
      if (!this.#keepRoot) await rm(this.root, { recursive: true, force: true });
    } catch {
      // It is gone, or will be swept.
    }
  }

  /** The innermost last: until then nobody else can change what is in it. */
  async #giveAway(paths: readonly string[]): Promise<void> {
    if (!this.#runAs) return;
    const { uid: user, gid } = this.#runAs;
    for (const path of [...paths].reverse()) await chown(path, user, gid);
  }
}

/**
 * Takes the folder of a daemon's sites, and removes what one that has died has left there. Rejects with SitesFolderError
 * if another daemon has it, or nobody can have it.
 */
export const openSiteFolders = async (options: SiteFoldersOptions): Promise<SiteFolders> => {
  let root: string | undefined;
  try {
    let leftovers = await sweepDead();
    root = await makeRoot(options.prefix);
    const holder = await takeLock(root, options.name);
    if (holder) {
      const since = new Date(holder.since).toISOString();
      throw new SitesFolderError(
        `The daemon ${holder.name} (process ${holder.pid}, since ${since}) has its sites in ${root}. Stop it (offsite stop), or choose another destPathPrefix.`,
        root,
        holder.pid,
      );
    }
    const left = await sitesIn(root);
    leftovers += left.length;
    for (const name of left) await removeFolder(join(root, name));
    // A site of another user has to pass through it, but not to see who else is there.
    if (options.runAs) await chmod(root, 0o711);
    return new SiteFolders(root, leftovers, options);
  } catch (cause) {
    if (cause instanceof SitesFolderError) throw cause;
    const where = root ?? options.prefix ?? tmpdir();
    throw new SitesFolderError(
      `The sites of this daemon can have no folders in ${where}: ${(cause as Error).message}.`,
      where,
      undefined,
      { cause },
    );
  }
};
