// The peers, each with one worker, in its fastest documented configuration: what was tried is in docs/benchmarks.md.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { MessageChannel, Worker } from 'node:worker_threads';

/**
 * @typedef {object} Peer
 * @property {(a: number, b: number) => PromiseLike<number>} add
 * @property {() => unknown} close
 */

const task = fileURLToPath(new URL('./task.js', import.meta.url));
/** How many tasks a pool may have given to its worker before the first is answered; more was not faster. */
const AHEAD = 10;

const piscina = async () => {
  const { Piscina } = await import('piscina');
  const pool = new Piscina({
    filename: task,
    minThreads: 1,
    maxThreads: 1,
    atomics: 'sync',
    concurrentTasksPerWorker: AHEAD,
  });
  return { add: pair((each) => pool.run(each)), close: () => pool.destroy() };
};

/** @param {'worker_threads' | 'child_process'} runtime */
const tinypool = async (runtime) => {
  const { default: Tinypool } = await import('tinypool');
  const pool = new Tinypool({
    runtime,
    filename: task,
    minThreads: 1,
    maxThreads: 1,
    concurrentTasksPerWorker: AHEAD * 10,
  });
  return { add: pair((each) => pool.run(each)), close: () => pool.destroy() };
};

/** @param {(each: { a: number, b: number }) => PromiseLike<number>} run */
const pair = (run) => (/** @type {number} */ a, /** @type {number} */ b) => run({ a, b });

/** @param {'thread' | 'process'} workerType */
const workerpool = async (workerType) => {
  const {
    default: { pool: makePool },
  } = await import('workerpool');
  const script = fileURLToPath(new URL('./workerpool-worker.js', import.meta.url));
  const pool = makePool(script, { workerType, minWorkers: 1, maxWorkers: 1 });
  return {
    add: (/** @type {number} */ a, /** @type {number} */ b) => pool.exec('add', [a, b]),
    close: async () => pool.terminate(),
  };
};

const comlink = async () => {
  const { wrap } = await import('comlink');
  const { default: nodeEndpoint } = await import('comlink/dist/umd/node-adapter.js');
  const worker = new Worker(new URL('./comlink-worker.js', import.meta.url));
  /** @type {import('comlink').Remote<{ add(a: number, b: number): number }>} */
  const remote = wrap(nodeEndpoint(worker));
  const add = remote.add;
  return {
    add: (/** @type {number} */ a, /** @type {number} */ b) => add(a, b),
    close: () => worker.terminate(),
  };
};

const capnweb = async () => {
  const { newMessagePortRpcSession } = await import('capnweb');
  const { port1, port2 } = new MessageChannel();
  const worker = new Worker(new URL('./capnweb-worker.js', import.meta.url), {
    workerData: { port: port2 },
    transferList: [port2],
  });
  const stub = newMessagePortRpcSession(/** @type {any} */ (port1));
  return {
    add: (/** @type {number} */ a, /** @type {number} */ b) => stub.add(a, b),
    close: () => worker.terminate(),
  };
};

const forkIpc = async () => {
  const child = fork(fileURLToPath(new URL('./fork-child.js', import.meta.url)), { serialization: 'json' });
  const exited = once(child, 'exit');
  /** @type {Map<number, (sum: number) => void>} */
  const waiting = new Map();
  let last = 0;
  child.on('message', (message) => {
    const [id, sum] = /** @type {[number, number]} */ (message);
    waiting.get(id)?.(sum);
    waiting.delete(id);
  });
  return {
    /** @type {Peer['add']} */
    add: (a, b) =>
      new Promise((resolve) => {
        waiting.set(++last, resolve);
        child.send([last, a, b]);
      }),
    close: () => {
      child.disconnect();
      return exited;
    },
  };
};

/** @type {Record<string, () => Promise<Peer>>} */
export const threadPeers = {
  piscina,
  tinypool: () => tinypool('worker_threads'),
  workerpool: () => workerpool('thread'),
  comlink,
  capnweb,
};

/** @type {Record<string, () => Promise<Peer>>} */
export const processPeers = {
  'workerpool, process': () => workerpool('process'),
  'tinypool, child_process': () => tinypool('child_process'),
  'child_process.fork': forkIpc,
};

/**
 * Starts peers that the harness closes; one that is not installed is "not here".
 * @param {import('../harness.js').Harness} harness
 * @param {Record<string, () => Promise<Peer>>} peers
 * @returns {Promise<Record<string, Peer | 'not here'>>}
 */
export const startPeers = async (harness, peers) => {
  /** @type {Record<string, Peer | 'not here'>} */
  const started = {};
  for (const [name, start] of Object.entries(peers)) {
    try {
      started[name] = harness.own(await start());
    } catch (cause) {
      if (/** @type {NodeJS.ErrnoException} */ (cause).code !== 'ERR_MODULE_NOT_FOUND') throw cause;
      started[name] = 'not here';
    }
  }
  return started;
};
