import { isMainThread } from 'node:worker_threads';
import type { Control } from './control/server.ts';

let exposed: Promise<Control> | undefined;

/**
 * Lets the shell of this user look at this program (`offsite tree PID`), through a private socket that goes with the
 * program. The first Supervisor of a process does so by itself. Resolves to its path; rejects with FolderError.
 */
export const expose = async (): Promise<string> => {
  // Loaded late: a program without supervisors pays nothing for it.
  exposed ??= import('./control/server.ts').then(({ listen }) => listen());
  try {
    return (await exposed).path;
  } catch (cause) {
    exposed = undefined;
    throw cause;
  }
};

/** Takes the socket away again, for good or until the next `expose()`. */
export const unexpose = async (): Promise<void> => {
  const control = exposed;
  exposed = undefined;
  (await control?.catch(() => undefined))?.close();
};

let offered = false;

/** Exposes this process soon, once, if it may; a program must not suffer where there is no place for a socket. */
export const offerControl = (): void => {
  // A thread has the process id of its program, which is the one to ask.
  if (offered || !isMainThread || process.env.OFFSITE_CONTROL === '0') return;
  offered = true;
  setImmediate(() => void expose().catch(() => {})).unref();
};
