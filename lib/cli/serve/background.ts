import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { makePrivateRoot } from '../../ticket/folder.ts';
import { LOG_SIZE } from '../../ticket/log-file.ts';
import type { Serving } from './announce.ts';

/** Tells the daemon in the background that the shell which has started it waits for its first word. */
const IN_BACKGROUND = 'OFFSITE_SERVE_BACKGROUND';

/** The first word of a daemon in the background. */
export type FirstWord =
  | { readonly serving: Serving }
  | { readonly failed: { readonly message: string; readonly remedy?: string } };

/** Where a daemon in the background logs if nobody says otherwise. Throws FolderError. */
export const ownLogFile = (port: number): string => join(makePrivateRoot(), `serve-${port}.log`);

/** Opens a log at its end; one that is full becomes the older one first. Throws the operating system's error. */
const openedLog = (path: string): number => {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size > LOG_SIZE) renameSync(path, `${path}.1`);
  return openSync(path, 'a', 0o600);
};

/**
 * Whether this process is the one in the background, and must say its first word. What it is told by is taken away, so
 * that its sites don't have it.
 */
export const takeBackground = (): ((word: FirstWord) => Promise<void>) | undefined => {
  const background = process.env[IN_BACKGROUND] === '1';
  delete process.env[IN_BACKGROUND];
  if (!background || !process.send) return undefined;
  return async (word) => {
    // A shell that was killed meanwhile hears nothing, and the daemon serves on.
    await new Promise<void>((resolve) => process.send!(word, undefined, {}, () => resolve()));
    if (process.connected) process.disconnect();
  };
};

/**
 * Starts `offsite serve` once more, in a session of its own whose output goes to the log, and gives its first word. It
 * ends with this process until then.
 */
export const startBackground = async (words: readonly string[], logFile: string): Promise<FirstWord> => {
  const log = openedLog(logFile);
  const child = spawn(process.execPath, [...process.execArgv, process.argv[1]!, 'serve', ...words], {
    detached: true,
    stdio: ['ignore', log, log, 'ipc'],
    env: { ...process.env, [IN_BACKGROUND]: '1' },
  });
  closeSync(log);
  // In a session of its own it does not hear the Ctrl-C of this terminal.
  const kill = () => child.kill('SIGTERM');
  process.once('SIGINT', kill).once('SIGTERM', kill);
  try {
    // What it has said is read before the channel is closed, which its end may come before.
    const [said, ended] = [
      once(child, 'message'),
      Promise.all([once(child, 'exit'), once(child, 'disconnect')]),
    ];
    return await Promise.race([
      said.then(([word]) => word as FirstWord),
      ended.then(([[code, by]]): FirstWord => {
        const how = by ? `by ${String(by)}` : `with exit code ${String(code)}`;
        return {
          failed: {
            message: `The daemon ended before it served, ${how}.`,
            remedy: `Read why: tail ${logFile}`,
          },
        };
      }),
    ]);
  } finally {
    process.off('SIGINT', kill).off('SIGTERM', kill);
    if (child.connected) child.disconnect();
    child.unref();
  }
};
