// The floor of a process site: a child that sends back the bytes which come over its stdin, and looks at none.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { HOT_FOR, Hot } from './hot.js';

/**
 * Starts the child. `gather` is how many bytes it waits for before it sends them back, 0 for as they come; both ends
 * stay hot for `hotFor` milliseconds.
 * @param {{ gather?: number, hotFor?: number }} [options]
 */
export const pipe = ({ gather = 0, hotFor = HOT_FOR } = {}) => {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), String(gather), String(hotFor)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const hot = hotFor > 0 ? new Hot({ hotFor }) : undefined;
  let missing = 0;
  let came = (/** @type {Buffer} */ _chunk, /** @type {number} */ _at) => {};
  let resolve = () => {};
  let size = 0;
  child.stdout.on('data', (chunk) => {
    hot?.arrived();
    came(chunk, size - missing);
    missing -= chunk.length;
    if (missing === 0) resolve();
  });
  return {
    /**
     * Sends bytes and resolves when as many have come back; `into` is where they are put, if anywhere.
     * @param {Uint8Array} bytes
     * @param {Uint8Array} [into]
     * @returns {Promise<void>}
     */
    trip: (bytes, into) =>
      new Promise((done) => {
        size = missing = bytes.length;
        resolve = done;
        came = into ? (chunk, at) => into.set(chunk, at) : () => {};
        child.stdin.write(bytes);
        hot?.touch();
      }),
    async close() {
      child.stdin.end();
      await exited;
    },
  };
};

/**
 * @param {number} gather
 * @param {number} hotFor
 */
const echo = (gather, hotFor) => {
  const hot = hotFor > 0 ? new Hot({ hotFor }) : undefined;
  if (gather === 0) {
    process.stdin.on('data', () => hot?.arrived()).pipe(process.stdout);
    return;
  }
  /** @type {Buffer[]} */
  let held = [];
  let size = 0;
  process.stdin.on('data', (chunk) => {
    held.push(chunk);
    size += chunk.length;
    hot?.arrived();
    if (size < gather) return;
    for (const part of held) process.stdout.write(part);
    held = [];
    size = 0;
  });
};

if (process.argv[1] === fileURLToPath(import.meta.url))
  echo(Number(process.argv[2]), Number(process.argv[3]));
