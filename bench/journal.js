// Jobs of a journal: how fast they are written down, run and given, and what that takes of memory and of the disk.
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { functionsOf, JobServer } from 'offsite';
import { progress } from './harness.js';

const JOBS = 20_000;
const SLOTS = 2;
/** How often is looked at memory and the disk, in jobs. */
const LOOK_EVERY = 10_000;

/** @type {import('offsite').FunctionsOf<typeof import('./cluster-work.js')>} */
const work = functionsOf(new URL('./cluster-work.js', import.meta.url));

/** @param {string} folder @returns {Promise<number>} how many bytes lie in it */
const sizeOf = async (folder) => {
  const files = await readdir(folder, { recursive: true });
  // What is merged meanwhile is gone.
  const sizes = await Promise.all(files.map((file) => stat(join(folder, file)).catch(() => undefined)));
  return sizes.reduce((sum, each) => sum + (each?.isFile() ? each.size : 0), 0);
};

/** @param {number} count @returns {Generator<[number, number]>} */
function* pairs(count) {
  for (let i = 0; i < count; i++) yield [i, 1];
}

/**
 * @param {import('./harness.js').Harness} harness
 * @param {{ jobs?: string }} options
 */
export const bench = async (harness, { jobs = String(JOBS) } = {}) => {
  const count = Number(jobs);
  if (!Number.isSafeInteger(count) || count < 1) throw new RangeError(`--jobs is a number, not ${jobs}.`);
  const many = `${count.toLocaleString('en')} trivial jobs, ${SLOTS} slots`;
  for (const durable of /** @type {const} */ (['sync', 'os'])) {
    const folder = await mkdtemp(join(tmpdir(), 'offsite-bench-journal-'));
    harness.own({ close: () => rm(folder, { recursive: true, force: true }) });
    const server = await JobServer.open({ journal: join(folder, 'jobs'), durable, ncpus: SLOTS });
    harness.own(server);
    // Both sites are there, and have loaded the module.
    await Promise.all(Array.from({ length: SLOTS }, () => server.submit(work.add, [1, 2]).result));
    const each = (/** @type {number} */ since) => ((performance.now() - since) * 1000) / count;
    const start = performance.now();
    const batch = server.enqueue(work.add, pairs(count));
    const written = batch.submitted.then(() => each(start));
    let sum = 0;
    let given = 0;
    let memory = 0;
    let disk = 0;
    for await (const { value = 0 } of batch) {
      sum += value;
      if (++given % LOOK_EVERY !== 1) continue;
      progress(`${durable}: ${given} of ${many}`);
      memory = Math.max(memory, process.memoryUsage().rss);
      disk = Math.max(disk, await sizeOf(folder));
    }
    progress('');
    const whole = each(start);
    if (given !== count || sum !== (count * (count + 1)) / 2)
      throw new Error(`Of ${count} results ${given} came, or a sum is wrong.`);
    harness.level(`journal, ${durable}: one of ${many}, written down`, await written, 'us');
    harness.level(`journal, ${durable}: one of ${many}, from enqueue to its result`, whole, 'us');
    harness.level(`journal, ${durable}: memory of the client at most`, memory, 'bytes');
    harness.level(`journal, ${durable}: the disk at most`, disk, 'bytes');
    await server.close();
  }
};
