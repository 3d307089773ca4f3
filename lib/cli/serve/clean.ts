import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { type SteeredDaemon, steeredDaemons } from '../../../actors/daemon/control-sockets.ts';
import { steerLocal } from '../../../actors/daemon/steer.ts';

/** How long the process of a daemon may take to go that has ended, in milliseconds. */
const GONE_WITHIN = 5_000;
const LOOK_EVERY = 20;

const lives = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** Kills daemons of this user with their sites. Rejects if one does not end, or with the signal's reason. */
export const endDaemons = async (
  which: (daemon: SteeredDaemon) => boolean,
  signal: AbortSignal,
): Promise<void> => {
  for (const daemon of steeredDaemons().filter(which)) {
    await steerLocal(daemon).stop({ now: true, signal });
    const since = performance.now();
    while (lives(daemon.pid)) {
      if (performance.now() - since > GONE_WITHIN) {
        throw Object.assign(
          new Error(`The daemon with the pid ${daemon.pid} was ended, but its process lives.`),
          {
            remedy: `Kill it: kill -9 ${daemon.pid}`,
          },
        );
      }
      await delay(LOOK_EVERY, undefined, { signal });
    }
  }
};
