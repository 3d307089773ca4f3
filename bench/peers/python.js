// Python's multiprocessing.Pool, and dask where it is installed, in a program that is told what to do line by line.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Lines, onPath } from './lines.js';

/** How long it may take to start, and a round to be done, in milliseconds. */
const START = 30_000;
const ROUND = 120_000;

export const hasPython = () => onPath('python3');

/** Debian's own has what Debian packages, also where another one comes first on the PATH. */
const PYTHONS = ['python3', '/usr/bin/python3'];

const withDask = () =>
  PYTHONS.find((each) => spawnSync(each, ['-c', 'import distributed'], { timeout: START }).status === 0);

export const hasDask = () => withDask() !== undefined;

/**
 * Starts one of the two with so many workers. `round` gives microseconds for what it is asked to do.
 * @param {'pool' | 'dask'} peer
 * @param {number} workers
 */
export const python = async (peer, workers) => {
  const script = fileURLToPath(new URL('./python_bench.py', import.meta.url));
  const program = new Lines(
    peer,
    [(peer === 'dask' ? withDask() : undefined) ?? 'python3', script, peer, String(workers)],
    process.env,
  );
  try {
    await program.ask('', START);
  } catch (cause) {
    await program.close();
    throw cause;
  }
  return {
    /** @param {{ do: 'apply' | 'each' | 'map' | 'uneven', count?: number, elements?: readonly number[] }} what */
    round: async (what) => Number(await program.ask(JSON.stringify(what), ROUND)),
    close: () => program.close(),
  };
};
