import { Worker } from 'node:worker_threads';
import { CUT_OFF, HEARTBEAT } from './protocol.ts';
import type { SocketLine } from './ssh-connection.ts';

/** How often the lifeline looks for its parent, in milliseconds: well within the 250 that an orphan may last. */
const LOOK_EVERY = 50;
/** How often an engine with calls says that it is alive, in looks: who can't say it any more has lost its parent. */
const BUSY_BEAT_EVERY = 4;
/** How many times the table of sockets is read within the time after which a site that is cut off ends, at least. */
const CUT_LOOKS = 8;
/** How often at least, in milliseconds: a host may have many sockets, and the table is made anew for each reader. */
const CUT_LOOK_EVERY = 5_000;
/** A site that is cut off for so many signs of life says nothing more: what it says would fill the way out, and block it. */
const MOST_UNHEARD = 3;

/** Words of the memory that the engine and its lifeline share. */
export const Word = { activity: 0, leaving: 1 } as const;

interface LifelineData {
  readonly ppid: number;
  readonly words: Int32Array;
  readonly lookEvery: number;
  readonly beatEvery: number;
  readonly busyBeatEvery: number;
  readonly heartbeat: string;
  readonly cutOff: (SocketLine & { readonly after: number; readonly every: number }) | undefined;
  readonly lastWords: string;
  readonly mostUnheard: number;
}

/** How a site's life hangs on its parent's. */
export interface Tie {
  /** The parent process. */
  readonly ppid: number;
  /** How often it says so, in milliseconds. */
  readonly heartbeat: number;
  /** After how many milliseconds without an acknowledgement from the other host it ends, and for which socket. */
  readonly cutOff?: SocketLine & { readonly after: number };
}

/**
 * Runs in a thread of its own, from its source text, because the engine is one file and the main thread may be in
 * an endless loop. It knows four signs of a dead parent: another parent process has adopted this one, nobody reads stderr
 * any more, the parent's host does not acknowledge what is sent to it, and (in the main thread) the end of the input.
 */
const lifeline = (): void => {
  const { workerData } = require('node:worker_threads') as { workerData: LifelineData };
  const { readFileSync, writeSync } = require('node:fs') as typeof import('node:fs');
  const { ppid, words, lookEvery, beatEvery, busyBeatEvery, heartbeat, cutOff } = workerData;
  const { lastWords, mostUnheard } = workerData;
  let looks = 0;
  let beaten = -beatEvery;
  let cutSince: number | undefined;
  const die = (): void => {
    try {
      // All that this site has started and that did not leave its group; fails if the group is not ours.
      process.kill(-process.pid, 'SIGKILL');
    } catch {
      process.kill(process.pid, 'SIGKILL');
    }
  };
  /** Whether the kernel sends something again and again to the parent's host, which never acknowledges it. */
  const resends = ({ local, remote }: SocketLine): boolean => {
    for (const table of ['tcp', 'tcp6']) {
      try {
        // As bytes, which lie outside of this thread's little heap: a host may have many sockets.
        const bytes = readFileSync(`/proc/self/net/${table}`);
        for (let at = bytes.indexOf(remote); at >= 0; at = bytes.indexOf(remote, at + 1)) {
          const line = bytes.toString('latin1', bytes.lastIndexOf('\n', at) + 1, bytes.indexOf('\n', at));
          const [, here, there, , , , resent] = line.trim().split(/\s+/);
          if (here?.endsWith(local) && there?.endsWith(remote)) return Number.parseInt(resent!, 16) > 0;
        }
      } catch {
        // Only Linux has these tables.
      }
    }
    return false;
  };
  setInterval(() => {
    looks++;
    // An engine that has begun to end in order gets a second for its exit handlers.
    if (Atomics.load(words, 1) > 0 && Atomics.add(words, 1, 1) * lookEvery > 1000) return die();
    if (process.ppid !== ppid && Atomics.load(words, 1) === 0) return die();
    if (cutOff && looks % (cutSince === undefined ? cutOff.every : beatEvery) === 0) {
      // The parent itself may stand still for hours; its host answers all the same, and so does this thread.
      cutSince = resends(cutOff) ? (cutSince ?? performance.now()) : undefined;
    }
    const cutFor = cutSince === undefined ? 0 : performance.now() - cutSince;
    if (cutOff && cutFor >= cutOff.after) {
      try {
        writeSync(2, `\n${lastWords}\n`);
      } catch {
        // The way out has been closed.
      }
      return die();
    }
    if (cutFor > mostUnheard * beatEvery * lookEvery) return;
    if (looks - beaten < (Atomics.load(words, 0) === 0 ? beatEvery : busyBeatEvery)) return;
    beaten = looks;
    try {
      writeSync(2, heartbeat);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'EPIPE') die();
    }
  }, lookEvery);
};

/**
 * Ties this process's life to its parent's, and has it say on stderr that it is alive. `words` is shared with the engine:
 * how many calls run (while there are any, it says so oftener), and whether it leaves in order.
 */
export const startLifeline = (words: Int32Array, { ppid, heartbeat, cutOff }: Tie): void => {
  const beatEvery = Math.max(1, Math.round(heartbeat / LOOK_EVERY));
  const data: LifelineData = {
    ppid,
    words,
    lookEvery: LOOK_EVERY,
    beatEvery,
    busyBeatEvery: Math.min(BUSY_BEAT_EVERY, beatEvery),
    heartbeat: HEARTBEAT,
    cutOff: cutOff && {
      ...cutOff,
      every: Math.max(1, Math.round(Math.min(CUT_LOOK_EVERY, cutOff.after / CUT_LOOKS) / LOOK_EVERY)),
    },
    lastWords: CUT_OFF,
    mostUnheard: MOST_UNHEARD,
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
