import { createHash } from 'node:crypto';
import { constants, existsSync, lstatSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { chmod, copyFile, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { basename, dirname, isAbsolute, join, normalize, resolve, sep } from 'node:path';

import { FileTooLargeError, FileTransferError } from './errors.ts';
import type { JobScope } from './job-scope.ts';
import type { Desk, FileText } from './protocol.ts';

/** How much of a file is sent at once, in bytes. */
const PIECE = 256 * 1024;

/** Reads a file in pieces from a byte on. */
export async function* piecesOf(path: string, from = 0): AsyncGenerator<Uint8Array, undefined> {
  const file = await open(path, 'r');
  try {
    for (let at = from; ; ) {
      const bytes = new Uint8Array(PIECE);
      const { bytesRead } = await file.read(bytes, 0, PIECE, at);
      if (bytesRead === 0) return;
      at += bytesRead;
      yield bytesRead === PIECE ? bytes : bytes.slice(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

/**
 * Writes what arrives into a file and gives its hash; it is there only when it is whole. Throws FileTransferError if it
 * is not as large as it was said to be, or has another hash.
 */
export const writeFileWhole = async (
  path: string,
  { name, size, mode, hash }: { name: string; size: number; mode: number; hash?: string },
  content: AsyncIterable<Uint8Array>,
): Promise<string> => {
  await mkdir(dirname(path), { recursive: true });
  const half = `${path}.${process.pid}-${Math.random().toString(36).slice(2)}.part`;
  try {
    const file = await open(half, 'wx', 0o600);
    const digest = createHash('sha256');
    let written = 0;
    try {
      for await (const bytes of content) {
        written += bytes.byteLength;
        if (written > size) break;
        digest.update(bytes);
        await file.writeFile(bytes);
      }
    } finally {
      await file.close();
    }
    if (written !== size) {
      const than = written > size ? 'more' : 'fewer';
      throw new FileTransferError(
        name,
        `${name} was announced with ${size} bytes, but ${than} came: it was changed while it was sent. Nothing of it was kept.`,
      );
    }
    const found = digest.digest('hex');
    if (hash !== undefined && found !== hash) {
      throw new FileTransferError(name, `${name} arrived with another SHA-256 than it was sent with.`);
    }
    await chmod(half, mode & 0o777);
    await rename(half, path);
    return found;
  } catch (cause) {
    await rm(half, { force: true });
    throw cause;
  }
};

/** Where a file of that name lies in a folder; throws FileTransferError for one that would lie outside. */
export const within = (folder: string, name: string): string => {
  const path = resolve(folder, name);
  if (isAbsolute(name) || name === '' || !path.startsWith(normalize(folder) + sep)) {
    throw new FileTransferError(name, `A file can't be named ${JSON.stringify(name)}: it would lie outside.`);
  }
  return path;
};

/** Where all files of a user's jobs lie on this host. */
const root = (): string => join(tmpdir(), `offsite-jobs-${userInfo().uid}`);

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === 'EPERM';
  }
};

/** Folders whose sites have all died without removing them: a process that is killed can't. */
const sweep = (): void => {
  for (const name of readdirSync(root())) {
    const owners = join(root(), name, 'sites');
    try {
      const pids = readdirSync(owners).map(Number);
      if (!pids.some(isAlive)) rmSync(join(root(), name), { recursive: true, force: true });
    } catch {
      // It is just being made, or removed by somebody else.
    }
  }
};

/** The files of the jobs of one site: those that were sent along, cached for all sites of its node, and each job's folder. */
export class JobFiles {
  readonly #share: string;
  readonly #maxFileSize: number;
  readonly #desk: Desk;
  readonly #fetching = new Map<string, Promise<string>>();
  #made = false;

  constructor(share: string, maxFileSize: number, desk: Desk) {
    this.#share = share;
    this.#maxFileSize = maxFileSize;
    this.#desk = desk;
  }

  get #shared(): string {
    return join(root(), this.#share);
  }

  /** Makes what all sites of this node share, and notes that this site uses it. */
  #make(): string {
    if (this.#made) return this.#shared;
    mkdirSync(root(), { recursive: true, mode: 0o700 });
    // Its name can be guessed, so that somebody else may have made it, and could change what jobs get.
    const { uid, mode } = lstatSync(root());
    if ((process.getuid && uid !== process.getuid()) || (mode & 0o022) !== 0) {
      throw new FileTransferError(
        root(),
        `${root()} is no folder that only this user can write to, so somebody else could change the files of jobs. Remove it.`,
      );
    }
    sweep();
    mkdirSync(join(this.#shared, 'sites'), { recursive: true, mode: 0o700 });
    mkdirSync(join(this.#shared, 'cache'), { recursive: true, mode: 0o700 });
    writeFileSync(join(this.#shared, 'sites', String(process.pid)), '');
    this.#made = true;
    return this.#shared;
  }

  /** A job's own folder, which is empty. */
  folder(scope: JobScope): string {
    const folder = join(this.#make(), `job-${process.pid}-${scope.number}`);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return folder;
  }

  /** Puts all files that go with a job into its folder; each is fetched once for all sites of this node. */
  async place(scope: JobScope): Promise<void> {
    if (scope.files.length === 0) return;
    const { folder } = scope;
    for (const file of scope.files) {
      const to = within(folder, file.name);
      const cached = await this.#cached(file);
      await mkdir(dirname(to), { recursive: true });
      // A copy: a job may write into its files.
      await copyFile(cached, to, constants.COPYFILE_FICLONE);
      await chmod(to, file.mode & 0o777);
    }
  }

  #cached(file: FileText): Promise<string> {
    const { hash, size, name } = file;
    if (size > this.#maxFileSize) throw new FileTooLargeError(name, size, this.#maxFileSize, 'this node');
    const path = join(this.#make(), 'cache', hash);
    if (existsSync(path)) return Promise.resolve(path);
    const known = this.#fetching.get(hash);
    if (known) return known;
    const fetching = (async () => {
      await writeFileWhole(path, { ...file, mode: 0o600 }, this.#desk.fetch(hash));
      return path;
    })().finally(() => this.#fetching.delete(hash));
    this.#fetching.set(hash, fetching);
    return fetching;
  }

  /** Sends a file to who submitted the job. */
  async send(scope: JobScope, path: string, name = basename(path)): Promise<FileText> {
    // A relative path means the job's folder, where its files are, if it is there.
    const own = isAbsolute(path) ? path : join(scope.folder, path);
    const from = existsSync(own) ? own : resolve(path);
    const { size, mode } = await stat(from);
    if (size > this.#maxFileSize) throw new FileTooLargeError(from, size, this.#maxFileSize, 'this node');
    const digest = createHash('sha256');
    const content = (async function* () {
      for await (const bytes of piecesOf(from)) {
        digest.update(bytes);
        yield bytes;
      }
    })();
    const arrived = await this.#desk.receive(scope.number, { name, size, mode: mode & 0o777 }, content);
    const hash = digest.digest('hex');
    if (arrived !== hash) {
      throw new FileTransferError(from, `${from} arrived with another SHA-256 than it was sent with.`);
    }
    return { name, size, hash, mode: mode & 0o777 };
  }

  /** Removes a job's folder, if it has one. */
  async clear(scope: JobScope): Promise<void> {
    if (scope.madeFolder) await rm(scope.madeFolder, { recursive: true, force: true });
  }

  /** Removes what this site has of the shared folder; all of it, if it is the last one. */
  async close(shared: boolean): Promise<void> {
    if (!this.#made) return;
    await rm(join(this.#shared, 'sites', String(process.pid)), { force: true });
    const others = existsSync(join(this.#shared, 'sites')) ? readdirSync(join(this.#shared, 'sites')) : [];
    if (shared || !others.map(Number).some(isAlive)) {
      await rm(this.#shared, { recursive: true, force: true });
    }
  }
}
