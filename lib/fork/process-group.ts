import { setTimeout as delay } from 'node:timers/promises';

/** Ends a process and all of its group; the group lasts as long as anything is in it, so no other can have its id. */
export const killGroup = (pid: number, signal: NodeJS.Signals): void => {
  for (const target of [-pid, pid]) signalTo(target, signal);
};

/** Signals a process, or a group by its number below 0; nothing happens if it has ended. */
export const signalTo = (target: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(target, signal);
  } catch {
    // It has ended.
  }
};

/** How long what was killed may take to vanish, in milliseconds: init reaps what has lost its parent. */
const VANISH_WITHIN = 500;

/** Waits until nothing of a process's group is left; nobody tells of the end of a process that is not our child. */
export const groupGone = async (pid: number): Promise<void> => {
  const end = performance.now() + VANISH_WITHIN;
  while (performance.now() < end) {
    try {
      process.kill(-pid, 0);
    } catch {
      return;
    }
    await delay(5);
  }
};
