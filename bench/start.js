// From the wish for an engine to its first word: one, and 32 at once.
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
 * A pool of one; it is ready when it has run a function that does nothing.
 * @type {(workerpool: typeof import('workerpool'), workerType: 'process' | 'thread') => Start}
 */
const poolOfOne = (workerpool, workerType) => async () => {
  const pool = workerpool.pool({ workerType, maxWorkers: 1 });
  await pool.exec(() => 0);
  return async () => pool.terminate();
};

/** The peer, or `undefined`, and then it is said that its rows are missing. */
const findWorkerpool = async () => {
  try {
    return (await import('workerpool')).default;
  } catch (cause) {
    if (/** @type {NodeJS.ErrnoException} */ (cause).code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    console.error('workerpool is not installed (npm ci installs it): its rows are left out.');
    return undefined;
  }
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
  const workerpool = await findWorkerpool();
  const alone = { rounds: 15, warmUp: 1 };
  await harness.compare(
    'fork to ready, sh',
    {
      offsite: round(site('sh'), 1),
      'node -e that writes a byte': round(bareNode, 1),
      'child_process.fork': round(bareFork, 1),
      ...(workerpool && { 'workerpool, processes': round(poolOfOne(workerpool, 'process'), 1) }),
    },
    alone,
  );
  await harness.compare(
    'fork to ready, virtual',
    {
      offsite: round(site('virtual'), 1),
      'bare new Worker': round(bareWorker, 1),
      ...(workerpool && { 'workerpool, threads': round(poolOfOne(workerpool, 'thread'), 1) }),
    },
    alone,
  );
  const crowd = { rounds: 5, warmUp: 1 };
  await harness.compare(
    '32 at once, fork to all ready, sh',
    { offsite: round(site('sh'), 32), '32 node -e that write a byte': round(bareNode, 32) },
    crowd,
  );
  await harness.compare(
    '32 at once, fork to all ready, virtual',
    { offsite: round(site('virtual'), 32), '32 bare new Workers': round(bareWorker, 32) },
    crowd,
  );
};
