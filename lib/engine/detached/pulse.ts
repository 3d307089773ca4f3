import { Worker } from 'node:worker_threads';
import { HEARTBEAT } from '../protocol.ts';

/** How often a busy site says that it lives, in milliseconds. */
const BEAT_EVERY = 200;
/** How long a site may take to end in order when its lease is over, in milliseconds; its loop may never turn again. */
const LEAVE_WITHIN = 4_000;
/** How long who connects may take to say what for, in milliseconds. */
const SAY_WITHIN = 5_000;

interface PulseData {
  readonly path: string;
  readonly words: Int32Array;
  readonly idleTimeout: number | undefined;
  readonly heartbeat: string;
  readonly beatEvery: number;
  readonly leaveWithin: number;
  readonly sayWithin: number;
}

/**
 * Runs in a thread of its own, from its source text. Clients hold a connection to it for as long as they are there, so
 * it knows how many there are, tells them that a busy site lives, and ends a site that nobody has come to for so long,
 * all whether the site's own loop turns or not.
 */
const pulse = (): void => {
  const { workerData, parentPort } = require('node:worker_threads') as typeof import('node:worker_threads');
  const { createServer } = require('node:net') as typeof import('node:net');
  const { chmodSync } = require('node:fs') as typeof import('node:fs');
  const { path, words, idleTimeout, heartbeat, beatEvery, leaveWithin, sayWithin } = workerData as PulseData;
  const clients = new Set<import('node:net').Socket>();
  let leftAt = performance.now();
  let endsAt: number | undefined;
  const die = (): void => {
    try {
      process.kill(-process.pid, 'SIGKILL');
    } catch {
      process.kill(process.pid, 'SIGKILL');
    }
  };
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.setTimeout(sayWithin, () => socket.destroy());
    socket.once('data', (said) => {
      socket.setTimeout(0);
      if (said[0] === 0x3f) {
        const idle = clients.size > 0 ? 0 : Math.round(performance.now() - leftAt);
        socket.end(JSON.stringify({ clients: clients.size, idle, calls: Atomics.load(words, 0) }));
      } else if (said[0] === 0x21 && endsAt === undefined) {
        clients.add(socket);
        // Said at once: who attaches waits for it, so that no lease ends under him.
        socket.write(heartbeat);
        socket
          .on('data', () => {})
          .on('close', () => {
            clients.delete(socket);
            leftAt = performance.now();
          });
      } else socket.destroy();
    });
  });
  server.listen({ path, backlog: 64 }, () => {
    chmodSync(path, 0o600);
    parentPort!.postMessage('listens');
  });
  setInterval(() => {
    if (Atomics.load(words, 0) > 0) for (const client of clients) client.write(heartbeat);
  }, beatEvery);
  if (idleTimeout !== undefined) {
    setInterval(
      () => {
        const now = performance.now();
        if (endsAt !== undefined && now > endsAt) return die();
        // What runs here may have asked for a longer one.
        const lease = Atomics.load(words, 1) || idleTimeout;
        if (endsAt !== undefined || clients.size > 0 || now - leftAt < lease) return;
        endsAt = now + leaveWithin;
        parentPort!.postMessage('over');
      },
      Math.min(beatEvery, Math.max(5, idleTimeout / 4)),
    );
  }
};

/** What the pulse tells the site's main thread. */
export interface PulseEvents {
  /** Nobody has been here for as long as the lease allows. */
  over(): void;
}

/**
 * Starts the pulse of a detached site; `words` is what sessions share with other threads. Resolves when it listens;
 * rejects if this host has no memory for a thread, or the socket can't be made.
 */
export const startPulse = (
  path: string,
  words: Int32Array,
  idleTimeout: number | undefined,
  events: PulseEvents,
): Promise<void> =>
  new Promise((resolve, reject) => {
    const workerData: PulseData = {
      path,
      words,
      idleTimeout,
      heartbeat: HEARTBEAT,
      beatEvery: BEAT_EVERY,
      leaveWithin: LEAVE_WITHIN,
      sayWithin: SAY_WITHIN,
    };
    const worker = new Worker(`(${pulse.toString()})()`, {
      eval: true,
      workerData,
      execArgv: [],
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 4, stackSizeMb: 1 },
    });
    worker.on('message', (said: string) => (said === 'over' ? events.over() : resolve()));
    worker.on('error', reject);
    // The door keeps the site alive; see startLifeline for why not before.
    worker.once('online', () => worker.unref());
  });
