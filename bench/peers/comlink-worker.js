import { parentPort } from 'node:worker_threads';
import { expose } from 'comlink';
import nodeEndpoint from 'comlink/dist/umd/node-adapter.js';

expose(
  { add: (/** @type {number} */ a, /** @type {number} */ b) => a + b },
  nodeEndpoint(/** @type {import('node:worker_threads').MessagePort} */ (parentPort)),
);
