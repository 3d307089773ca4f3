import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { UsageError } from '../report.ts';

const codeOf = (cause: unknown): string | undefined => (cause as NodeJS.ErrnoException).code;

/** The process that a file names; 0 if it names none, `undefined` if there is no file. */
const pidIn = (path: string): number | undefined => {
  try {
    const pid = Number(readFileSync(path, 'utf8').trim());
    return Number.isSafeInteger(pid) && pid > 0 ? pid : 0;
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return undefined;
    throw cause;
  }
};

const lives = (pid: number): boolean => {
  // In a container every daemon has the same number, so its own is one that has ended.
  if (pid === 0 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (cause) {
    return codeOf(cause) === 'EPERM';
  }
};

/** Puts the file there, whole from the first moment on; says whether there was none. */
const claim = (path: string, own: string): boolean => {
  try {
    linkSync(own, path);
    return true;
  } catch (cause) {
    if (codeOf(cause) === 'EEXIST') return false;
    throw cause;
  }
};

/**
 * Takes a dead daemon's file away. Of two that do so at once, one may find in its hand what the other has just put
 * there; it puts that back.
 */
const takeAway = (path: string, dead: number, aside: string): void => {
  try {
    renameSync(path, aside);
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return;
    throw cause;
  }
  if (pidIn(aside) !== dead) claim(path, aside);
  rmSync(aside, { force: true });
};

/**
 * Keeps this process's id in a file until what is given is called. Throws a `UsageError` if the process that is named
 * there lives, or the file can't be written.
 */
export const keepPidFile = (path: string): (() => void) => {
  const own = `${path}.${process.pid}`;
  try {
    rmSync(own, { force: true });
    writeFileSync(own, `${process.pid}\n`, { flag: 'wx', mode: 0o644 });
    while (!claim(path, own)) {
      const pid = pidIn(path);
      if (pid === undefined) continue;
      if (lives(pid)) {
        throw new UsageError(
          `${path} says that the process ${pid} serves already, and it lives.`,
          `Stop it: kill ${pid}; if it is no daemon: rm ${path}`,
        );
      }
      takeAway(path, pid, `${own}.old`);
    }
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    throw new UsageError(
      `The pid file ${path} can not be written: ${(cause as Error).message}.`,
      'Give one in a folder that you may write to: --pid-file FILE',
    );
  } finally {
    rmSync(own, { force: true });
  }
  return () => {
    if (pidIn(path) === process.pid) rmSync(path, { force: true });
  };
};
