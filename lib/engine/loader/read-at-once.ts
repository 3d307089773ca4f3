import type fs from 'node:fs';
import { isMainThread } from 'node:worker_threads';

/**
 * Lets Node.js 20 read modules at once in a thread, and not in its pool: a thread that is ended while the pool opens a
 * file for it leaves the descriptor open in its process for ever, and a virtual site may be ended at any time. Only what
 * Node's loader asks for is read so: a URL, and no options. Node.js 22 closes the file.
 */
export const readModulesAtOnce = ({ promises, readFileSync }: typeof fs): void => {
  const readInPool = promises.readFile;
  const read = async (...args: Parameters<typeof readInPool>) =>
    args[0] instanceof URL && args[1] === undefined ? readFileSync(args[0]) : readInPool(...args);
  promises.readFile = read as typeof readInPool;
};

/** Whether this is a thread of a Node.js that leaves files open. */
export const leavesFilesOpen: boolean = !isMainThread && Number.parseInt(process.versions.node, 10) < 22;
