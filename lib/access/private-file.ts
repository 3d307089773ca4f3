import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats, statSync } from 'node:fs';
import process from 'node:process';
import { OptionError } from '../wire/errors.ts';

/** Who is not the owner. */
const OTHERS = 0o077;
/** More than anybody's keys. */
const LARGEST = 4 * 1024 * 1024;
/** A file that was changed so short a time ago may change again within the same tick of its clock, in milliseconds. */
const SETTLES_WITHIN = 100;

const faultOf = (path: string, stats: Stats): string | undefined => {
  if (stats.isDirectory()) return 'is a folder. Name the file in it';
  // What is no file, as `<(pass offsite)` makes, is nobody else's; Windows has no such modes.
  if (!stats.isFile() || process.platform === 'win32') return undefined;
  const own = process.geteuid!();
  if (stats.uid !== own && stats.uid !== 0) return `belongs to the user ${stats.uid} and not to ${own}`;
  if ((stats.mode & OTHERS) !== 0) return `can be read or changed by others. Type: chmod 600 ${path}`;
  return stats.size > LARGEST ? `has ${stats.size} bytes, which is too much` : undefined;
};

/** Reads a file that holds a secret; throws OptionError, which names `option`, if others may read it too. */
export const readPrivateFile = (path: string, option: string): string => {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, constants.O_RDONLY);
    // Of what was opened: at the path may be something else by now.
    const fault = faultOf(path, fstatSync(descriptor));
    if (fault !== undefined) throw new OptionError(option, `${option}: the file ${path} ${fault}.`);
    return readFileSync(descriptor, 'utf8');
  } catch (cause) {
    if (cause instanceof OptionError) throw cause;
    throw new OptionError(option, `${option}: ${path} can not be read: ${(cause as Error).message}.`, {
      cause,
    });
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
};

/**
 * What a private file says now: it is read again when it has changed, so that who is taken out of it is out. A file that
 * can not be read any more lets nobody in.
 */
export class WatchedFile<T> {
  readonly #path: string;
  readonly #option: string;
  readonly #parse: (text: string, path: string) => T;
  readonly #onTrouble: (error: Error) => void;
  #value: T | undefined;
  #mark: string | undefined;

  /** Throws OptionError, as `parse` does, if the file is wrong already. */
  constructor(
    path: string,
    option: string,
    parse: (text: string, path: string) => T,
    onTrouble: (error: Error) => void,
  ) {
    this.#path = path;
    this.#option = option;
    this.#parse = parse;
    this.#onTrouble = onTrouble;
    this.#mark = this.#look();
    this.#value = parse(readPrivateFile(path, option), path);
  }

  /** `undefined` while the file is wrong. */
  get current(): T | undefined {
    const mark = this.#look();
    if (mark !== undefined && mark === this.#mark) return this.#value;
    // Before it is read: what changes while it is being read is found the next time.
    const before = this.#value;
    this.#mark = mark;
    try {
      this.#value = this.#parse(readPrivateFile(this.#path, this.#option), this.#path);
    } catch (error) {
      this.#value = undefined;
      if (before !== undefined) this.#onTrouble(error as Error);
    }
    return this.#value;
  }

  /** What tells one state of the file from another; `undefined` if that can not be told. */
  #look(): string | undefined {
    try {
      const stats = statSync(this.#path, { bigint: true });
      if (!stats.isFile()) return 'no file';
      const { dev, ino, size, mode, mtimeNs, ctimeNs, ctimeMs } = stats;
      if (Math.abs(Date.now() - Number(ctimeMs)) < SETTLES_WITHIN) return undefined;
      return [dev, ino, size, mode, mtimeNs, ctimeNs].join(' ');
    } catch {
      return undefined;
    }
  }
}
