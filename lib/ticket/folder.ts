import { randomBytes } from 'node:crypto';
import { lstatSync, mkdirSync, type Stats } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nameError, OffsiteError } from '../wire/errors.ts';

/** The longest path of a socket that every system takes, in bytes: macOS has 104 with the zero behind it. */
const LONGEST_PATH = 103;
/** What is below the root: a folder's name, and the name of what lies in it. */
const BELOW = '/0123456789ab/pulse'.length;

/** What lies in the private folder of a detached site or of a process that offers values. */
export const IN_FOLDER = {
  /** The socket on which tickets are taken. */
  door: 'door',
  /** The socket on which a thread says that the site lives, however busy it is. */
  pulse: 'pulse',
  /** Who it is; see SiteState. */
  state: 'state.json',
  /** A pass for commands of the same user, who alone can read it. */
  pass: 'pass.json',
  log: 'log',
  olderLog: 'log.1',
} as const;

/** A private folder can't be made or trusted; `ERR_OFFSITE_FOLDER`. */
export class FolderError extends OffsiteError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_OFFSITE_FOLDER', message, options);
  }
}
nameError(FolderError, 'FolderError');

const uid = (): number => process.getuid?.() ?? -1;

const statOf = (path: string): Stats | undefined => {
  try {
    return lstatSync(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new FolderError(`The folder ${path} can not be looked at.`, { cause });
  }
};

/**
 * Whether a folder is there; throws FolderError if it is not one that only this user can look into. A link is none: who
 * may write where it lies could turn it.
 */
export const isPrivateFolder = (path: string): boolean => {
  const stat = statOf(path);
  if (!stat) return false;
  const wrong = !stat.isDirectory()
    ? 'is no folder'
    : stat.uid !== uid()
      ? `belongs to the user ${stat.uid} and not to ${uid()}`
      : (stat.mode & 0o777) !== 0o700
        ? `has the mode ${(stat.mode & 0o777).toString(8).padStart(4, '0')} and not 0700`
        : undefined;
  if (wrong) {
    throw new FolderError(
      `${path} ${wrong}, so somebody else could read or replace what is in it. Remove it, or set XDG_RUNTIME_DIR to a folder of yours.`,
    );
  }
  return true;
};

const makePrivate = (path: string): void => {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST')
      throw new FolderError(`The private folder ${path} can not be made.`, { cause });
  }
  // Whoever was first: it must be ours. The umask may only have taken more away.
  isPrivateFolder(path);
};

/** The user's runtime folder, if there is one and it is really the user's. */
const runtimeFolder = (): string | undefined => {
  const { XDG_RUNTIME_DIR: folder } = process.env;
  if (!folder?.startsWith('/')) return undefined;
  const stat = statOf(folder);
  return stat?.isDirectory() && stat.uid === uid() && (stat.mode & 0o022) === 0 ? folder : undefined;
};

const fits = (root: string): boolean => Buffer.byteLength(root) + BELOW <= LONGEST_PATH;

/** Where private folders are made, the first that can be. */
const places = (): string[] => {
  const runtime = runtimeFolder();
  const own = `offsite-${uid()}`;
  const all = [...(runtime ? [join(runtime, 'offsite')] : []), join(tmpdir(), own), join('/tmp', own)];
  return [...new Set(all)].filter(fits);
};

/** Every folder in which the private folders of this user may be, as far as it is there and can be trusted. */
export const privateRoots = (): string[] => {
  // A login without a session has no XDG_RUNTIME_DIR, and must find what one with it has started.
  const all = new Set([...places(), `/run/user/${uid()}/offsite`]);
  return [...all].filter((root) => {
    try {
      return isPrivateFolder(root);
    } catch {
      return false;
    }
  });
};

const firstPlace = (): string => {
  const [root] = places();
  if (root !== undefined) return root;
  throw new FolderError('There is no folder whose path is short enough for a socket.');
};

/** Throws FolderError if what is where this user's private folders are made can't be trusted. */
export const checkPrivateRoot = (): void => void isPrivateFolder(firstPlace());

/** Makes the folder in which this user's private folders and sockets lie, if it is not there; throws FolderError. */
export const makePrivateRoot = (): string => {
  const root = firstPlace();
  makePrivate(root);
  return root;
};

/** Makes a private folder with a name that nothing else has; throws FolderError. */
export const makePrivateFolder = (): string => {
  const path = join(makePrivateRoot(), randomBytes(6).toString('hex'));
  makePrivate(path);
  return path;
};
