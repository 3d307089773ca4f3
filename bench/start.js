// From the wish for an engine to its first word: one, and eight at once.
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { RemoteManager } from 'offsite';
import { timed } from './harness.js';

/**
 * Starts one of a kind; resolves when it is ready, to what ends it.
 * @typedef {() => Promise<() => Promise<unknown>>} Start
 */

/** @type {(method: string) => Start} */
const site = (method) => async () => {
  const manager = new RemoteManager({ fork: method });
  await manager.ready;
  return () => manager.close();
};

/** @type {Start} */
const bareNode = async () => {
  const child = spawn(process.execPath, ['-e', 'process.stdout.write("x")'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  await once(child.stdout, 'data');
  return () => exited;
};

/** @type {Start} */
const bareFork = async () => {
  const child = fork(fileURLToPath(new URL('./floors/ready.cjs', import.meta.url)));
  const exited = once(child, 'exit');
  await once(child, 'message');
  return () => {
    child.disconnect();
    return exited;
  };
};

/** @type {Start} */
const bareWorker = async () => {
  const worker = new Worker('require("node:worker_threads").parentPort.postMessage(0)', { eval: true });
  await once(worker, 'message');
  return () => worker.terminate();
};

/**
 * Times `count` starts at once; the ends are not timed, but waited for.
 * @param {Start} start
 * @param {number} count
 */
const round = (start, count) => async () => {
  /** @type {(() => Promise<unknown>)[]} */
  let ends = [];
  const took = await timed(async () => {
    ends = await Promise.all(Array.from({ length: count }, start));
  });
  await Promise.all(ends.map((end) => end()));
  return took;
};

/** @param {import('./harness.js').Harness} harness */
export const bench = async (harness) => {
  for (const [words, count, rounds] of /** @type {const} */ ([
    ['fork to ready', 1, 15],
    ['8 at once, fork to all ready', 8, 5],
  ])) {
    await harness.compare(
      `${words}, sh`,
      {
        offsite: round(site('sh'), count),
        'node -e that writes a byte': round(bareNode, count),
        'child_process.fork': round(bareFork, count),
      },
      { rounds, warmUp: 1 },
    );
    await harness.compare(
      `${words}, virtual`,
      { offsite: round(site('virtual'), count), 'bare new Worker': round(bareWorker, count) },
      { rounds, warmUp: 1 },
    );
  }
};
