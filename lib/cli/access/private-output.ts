import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { UsageError } from '../report.ts';

const ALONE = { mode: 0o600, flag: 'wx' } as const;

const cannot = (file: string, cause: unknown, remedy: string): UsageError =>
  new UsageError(`${file} can not be written: ${(cause as Error).message}.`, remedy);

/** Makes a file that only its user can read. Throws UsageError if it is there already. */
export const createPrivate = (file: string, text: string, remedy: string): void => {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(file, text, ALONE);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cannot(file, cause, remedy);
    throw new UsageError(`${file} is there already, and is not overwritten.`, remedy);
  }
};

/** Adds to such a file, which `check` has read, or makes it. */
export const appendPrivate = (file: string, text: string, check: () => unknown): void => {
  const remedy = 'Give another one with --out';
  if (!existsSync(file)) return createPrivate(file, text, remedy);
  check();
  try {
    const whole = readFileSync(file, 'utf8');
    appendFileSync(file, whole === '' || whole.endsWith('\n') ? text : `\n${text}`);
  } catch (cause) {
    throw cannot(file, cause, remedy);
  }
};

/** Puts another text in the place of such a file at once: whoever reads it sees the old one or the new one. */
export const replacePrivate = (file: string, text: string): void => {
  const beside = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    writeFileSync(beside, text, ALONE);
    renameSync(beside, file);
  } catch (cause) {
    rmSync(beside, { force: true });
    throw cannot(file, cause, 'Give a place where you may write with --file');
  }
};
