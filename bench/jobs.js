// What a job costs: awaited and at once, through local slots and through a daemon with TLS, beside Python's pools.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { functionsOf, JobServer } from 'offsite';
import { awaited, timed } from './harness.js';
import { hasDask, hasPython, python } from './peers/python.js';

const CALLS = 500;
const AT_ONCE = 20_000;
/** A peer that makes some hundred a second is asked for fewer. */
const OF_PEERS = 200;
const SLOTS = 2;
const OFFSITE = fileURLToPath(new URL('../dist/lib/cli/main.js', import.meta.url));

/** @type {import('offsite').FunctionsOf<typeof import('./cluster-work.js')>} */
const work = functionsOf(new URL('./cluster-work.js', import.meta.url));

/** A daemon with a key, so that all goes through TLS 1.3. */
const daemon = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'offsite-bench-'));
  const keys = join(folder, 'keys');
  const keygen = spawn(process.execPath, [OFFSITE, 'keygen', '--out', keys], { stdio: 'ignore' });
  await once(keygen, 'exit');
  const words = ['serve', '--host', '127.0.0.1', '--port', '0', '--cpus', String(SLOTS), '--json'];
  const child = spawn(process.execPath, [OFFSITE, ...words, '--secret-file', keys], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = /** @type {[string]} */ (await once(createInterface(child.stdout), 'line'));
  child.stdout.resume();
  const { port } = JSON.parse(line).addresses[0];
  return {
    host: `127.0.0.1:${port}`,
    secret: await readFile(keys, 'utf8'),
    close: async () => {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
};

/** @param {JobServer} jobs @param {number} count */
const atOnce = (jobs, count) =>
  timed(async () => {
    const all = Array.from({ length: count }, (_, i) => jobs.submit(work.twice, [i]));
    let sum = 0;
    for (const job of all) sum += await job.result;
    if (sum !== count * (count - 1)) throw new Error('A job gave a wrong result.');
  }, count);

/** @param {import('./harness.js').Harness} harness */
export const bench = async (harness) => {
  const dask = hasDask() ? harness.own(await python('dask', SLOTS)) : undefined;
  const pool = hasPython() ? harness.own(await python('pool', SLOTS)) : undefined;
  const count = OF_PEERS;
  const apply = (/** @type {typeof pool} */ peer) =>
    peer ? async () => (await peer.round({ do: 'apply', count })) / count : /** @type {const} */ ('not here');
  const map = (/** @type {typeof pool} */ peer) =>
    peer ? async () => (await peer.round({ do: 'each', count })) / count : /** @type {const} */ ('not here');
  const local = harness.own(await JobServer.open({ ncpus: SLOTS }));
  const served = harness.own(await daemon());
  const far = harness.own(await JobServer.open({ ncpus: 0, servers: [served.host], secret: served.secret }));
  for (const [where, jobs] of /** @type {const} */ ([
    ['local', local],
    ['a daemon with TLS', far],
  ])) {
    await harness.compare(`awaited job, ${where}`, {
      offsite: () => awaited(CALLS, () => jobs.submit(work.twice, [1]).result),
      'dask, submit': apply(dask),
      'multiprocessing.Pool, apply': apply(pool),
    });
    await harness.compare(`${AT_ONCE} jobs at once, each, ${where}`, {
      offsite: () => atOnce(jobs, AT_ONCE),
      'dask, submit each': map(dask),
      'multiprocessing.Pool, apply_async each': map(pool),
    });
  }
};
