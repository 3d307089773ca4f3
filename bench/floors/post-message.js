// The peer that every Node program has at hand: a bare worker that answers messages, and a promise for each.
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

/** Starts the worker; `add` resolves when it has answered. */
export const postMessage = () => {
  const worker = new Worker(new URL(import.meta.url), { workerData: 'post-message' });
  /** @type {Map<number, (sum: number) => void>} */
  const waiting = new Map();
  let last = 0;
  worker.on('message', ([id, sum]) => {
    waiting.get(id)?.(sum);
    waiting.delete(id);
  });
  return {
    /**
     * @param {number} a
     * @param {number} b
     * @returns {Promise<number>}
     */
    add: (a, b) =>
      new Promise((resolve) => {
        waiting.set(++last, resolve);
        worker.postMessage([last, a, b]);
      }),
    close: () => worker.terminate(),
  };
};

if (!isMainThread && workerData === 'post-message') {
  parentPort?.on('message', ([id, a, b]) => parentPort?.postMessage([id, a + b]));
}
