import { Worker } from 'node:worker_threads';
import { HEARTBEAT } from './protocol.ts';

/** How often the lifeline looks for its parent, in milliseconds: well within the 250 that an orphan may last. */
const LOOK_EVERY = 40;
/** How often a busy engine says that it is alive, in looks. */
const BEAT_EVERY = 5;

/** Words of the memory that the engine and its lifeline share. */
export const Word = { activity: 0, leaving: 1 } as const;

interface LifelineData {
  /** `undefined` for a site that outlives its parent: it only says that it is alive. */
  readonly ppid: number | undefined;
  readonly words: Int32Array;
  readonly lookEvery: number;
  readonly beatEvery: number;
  readonly heartbeat: string;
}

/**
 * Runs in a thread of its own, from its source text, because the engine is one file and the main thread may be in
 * an endless loop. It knows three signs of a dead parent: another parent process has adopted this one, nobody
 * reads stderr any more, and (in the main thread) the end of the input.
 */
const lifeline = (): void => {
  const { workerData } = require('node:worker_threads') as { workerData: LifelineData };
  const { writeSync } = require('node:fs') as typeof import('node:fs');
  const { ppid, words, lookEvery, beatEvery, heartbeat } = workerData;
  let looks = 0;
  const die = (): void => {
    try {
      // All that this site has started and that did not leave its group; fails if the group is not ours.
      process.kill(-process.pid, 'SIGKILL');
    } catch {
      process.kill(process.pid, 'SIGKILL');
    }
  };
  const looking = setInterval(() => {
    looks++;
    // An engine that has begun to end in order gets a second for its exit handlers.
    if (Atomics.load(words, 1) > 0 && Atomics.add(words, 1, 1) * lookEvery > 1000) return die();
    if (ppid !== undefined && process.ppid !== ppid && Atomics.load(words, 1) === 0) return die();
    if (looks % beatEvery !== 0 || Atomics.load(words, 0) === 0) return;
    try {
      writeSync(2, heartbeat);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EPIPE') return;
      if (ppid !== undefined) return die();
      clearInterval(looking);
    }
  }, lookEvery);
};

/**
 * Ties this process's life to its parent's. `words` is shared with the engine: how many calls run (while there are
 * any, heartbeats go out), and whether it leaves in order. Without `ppid` it only sends heartbeats.
 */
export const startLifeline = (words: Int32Array, ppid: number | undefined): void => {
  const data: LifelineData = {
    ppid,
    words,
    lookEvery: LOOK_EVERY,
    beatEvery: BEAT_EVERY,
    heartbeat: HEARTBEAT,
  };
  const worker = new Worker(`(${lifeline.toString()})()`, {
    eval: true,
    workerData: data,
    execArgv: [],
    env: {},
    // What user code sets for its own threads must not weigh on this one.
    resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 4, stackSizeMb: 1 },
  });
  // The site's own work decides when its process ends; unref before `online` would end it at once.
  worker.once('online', () => worker.unref());
  // A host without memory for a thread still gets the two other signs.
  worker.on('error', () => {});
};

/** Options of Node.js that run somebody else's code before the engine. */
const PRELOADS = /^(-r|--require|--import|--loader|--experimental-loader)(=|$)/;

/** Whether code that is not the engine's may keep the main thread before any call has come. */
export const runsForeignCode = (): boolean =>
  [...process.execArgv, ...(process.env.NODE_OPTIONS ?? '').split(' ')].some((word) => PRELOADS.test(word));
