import { lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { FolderError, isPrivateFolder } from '../../../lib/ticket/folder.ts';
import type { Database } from './commits.ts';
import { JournalDamagedError, JournalError, JournalHeldError } from './errors.ts';

/** Which process has the journal open. */
const HOLDER = 'holder.json';
/** LevelDB's own folder. */
const DATABASE = 'db';
/** What it may hold in memory before it writes tables, in bytes; twice as much at times. */
const WRITE_BUFFER = 8 * 1024 * 1024;

interface Holder {
  readonly pid: number;
  readonly host: string;
}

const codeOf = (cause: unknown): unknown => (cause as { code?: unknown } | undefined)?.code;

/** Makes the folder, which nobody else may look into: it holds arguments, results and tickets. */
const makeFolder = (path: string): void => {
  let stat: ReturnType<typeof lstatSync> | undefined;
  try {
    stat = lstatSync(path);
  } catch (cause) {
    if (codeOf(cause) !== 'ENOENT')
      throw new JournalError(path, `The journal ${path} can not be looked at.`, { cause });
  }
  if (!stat) {
    try {
      mkdirSync(path, { recursive: true, mode: 0o700 });
    } catch (cause) {
      throw new JournalError(path, `The folder of the journal ${path} can not be made.`, { cause });
    }
  } else if (stat.isDirectory() && !isJournal(path)) {
    throw new JournalError(
      path,
      `${path} is a folder with other things in it and no journal; take another path.`,
    );
  } else if (!stat.isDirectory()) {
    throw new JournalError(path, `${path} is no folder, and a journal is one; take another path.`);
  }
  try {
    isPrivateFolder(path);
  } catch (cause) {
    const why = cause instanceof FolderError ? cause.message.replace(/ Remove it.*$/, '') : String(cause);
    throw new JournalError(path, `${why} Give it the mode 0700 and your user, or take another path.`, {
      cause,
    });
  }
};

const isJournal = (path: string): boolean => {
  const names = readdirSync(path);
  return names.length === 0 || names.includes(DATABASE);
};

const readHolder = (path: string): Holder | undefined => {
  try {
    return JSON.parse(readFileSync(join(path, HOLDER), 'utf8')) as Holder;
  } catch {
    return undefined; // it is being opened at this moment
  }
};

/** The error for a database that does not open. */
const notOpened = (path: string, error: unknown): JournalError => {
  const { cause } = error as { cause?: unknown };
  const why = cause instanceof Error ? cause.message : String(error);
  if (codeOf(cause) === 'LEVEL_LOCKED') {
    const holder = readHolder(path);
    return new JournalHeldError(path, holder?.host === hostname() ? holder.pid : undefined, { cause });
  }
  // What is missing is an input/output error to LevelDB.
  if (codeOf(cause) === 'LEVEL_CORRUPTION' || /No such file/.test(why)) {
    return new JournalDamagedError(path, `LevelDB says ${JSON.stringify(why)}`, { cause });
  }
  return new JournalError(path, `The journal ${path} can not be opened: ${why}.`, { cause: cause ?? error });
};

/** A journal's folder that this process has for itself. */
export interface OpenFolder {
  readonly path: string;
  readonly database: Database;
  /** Gives it free. */
  close(): Promise<void>;
}

/**
 * Opens a journal's folder, or makes it. The lock is the operating system's on an open file, so it is gone when its
 * process is, however that ended. Rejects with JournalError.
 */
export const openFolder = async (given: string): Promise<OpenFolder> => {
  const path = resolve(given);
  makeFolder(path);
  // Native code, which is loaded by those alone who have a journal.
  const { ClassicLevel } = await import('classic-level');
  const database: Database = new ClassicLevel<Buffer, Buffer>(join(path, DATABASE), {
    keyEncoding: 'buffer',
    valueEncoding: 'buffer',
    writeBufferSize: WRITE_BUFFER,
  });
  try {
    await database.open();
  } catch (error) {
    throw notOpened(path, error);
  }
  const holder: Holder = { pid: process.pid, host: hostname() };
  try {
    writeFileSync(join(path, HOLDER), JSON.stringify(holder), { mode: 0o600 });
  } catch (cause) {
    await database.close();
    throw new JournalError(path, `The journal ${path} can not be written.`, { cause });
  }
  return {
    path,
    database,
    close: async () => {
      rmSync(join(path, HOLDER), { force: true });
      await database.close();
    },
  };
};

/**
 * Saves all that can still be read in a damaged journal, which nobody may have open: jobs whose record is damaged are
 * lost. Rejects with JournalError.
 */
export const repairJournal = async (given: string): Promise<void> => {
  const path = resolve(given);
  makeFolder(path);
  const { ClassicLevel } = await import('classic-level');
  try {
    await ClassicLevel.repair(join(path, DATABASE));
  } catch (cause) {
    throw notOpened(path, { cause });
  }
};
