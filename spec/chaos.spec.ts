import { existsSync, mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, inject, test, vi } from 'vitest';
import { controlled } from '../actors/control/sockets.ts';
import type { RemoteManagerOptions } from '../lib/index.ts';
import { planFaults, randomFrom } from './chaos/faults.ts';
import { Load } from './chaos/load.ts';
import { ChaosTree } from './chaos/tree.ts';
import { descendants, markedProcesses, RUN_MARK, waitUntilGone } from './support/processes.ts';

// `npm run chaos -- --faults 5000 --seed N` sets these.
const faults = Number(process.env.CHAOS_FAULTS ?? 200);
const seed = Number(process.env.CHAOS_SEED ?? Math.floor(Math.random() * 2 ** 31));
/** Callers at once, in all sites of the tree. */
const CALLERS = 12;
/** How long all processes may take to be gone when the tree has been closed, in milliseconds. */
const GONE = 10_000;
/** How long the tree may take to be whole again after the last fault, in milliseconds. */
const COMES_BACK = 60_000;
/** How long a fault may take with all that follows from it, in milliseconds: nearly all of it is starting sites. */
const EACH = 1_500;

const ssh = inject('ssh');

/** What keeps this process busy, as far as sites can have left it. */
const resources = () =>
  process.getActiveResourcesInfo().filter((kind) => /Worker|MessagePort|Pipe|Process|Socket/.test(kind))
    .length;

/** The files, sockets and pipes of this process, where that can be told. */
const descriptors = (): string[] => {
  if (!existsSync('/proc/self/fd')) return [];
  return readdirSync('/proc/self/fd').flatMap((each) => {
    try {
      return [readlinkSync(`/proc/self/fd/${each}`)];
    } catch {
      return []; // the one through which the folder was read
    }
  });
};

/** Those of the pids that belong to this run: in a long one some were given to other programs again. */
const ours = (pids: ReadonlySet<number>): number[] => {
  if (process.platform !== 'linux') return [...pids];
  const marked = new Set(markedProcesses(process.env[RUN_MARK]!).map(({ pid }) => pid));
  return [...pids].filter((pid) => marked.has(pid));
};

/** In two hundred faults a host's supervisor gives up every other time; in so many it always does. */
const MANY = 5_000;

test(
  `A tree of sites under load comes through ${faults} faults: no call hangs or runs twice, and nothing is left`,
  async () => {
    console.log(`seed ${seed}, to be repeated with npm run chaos -- --faults ${faults} --seed ${seed}`);
    const before = { resources: resources(), descriptors: descriptors() };
    const folder = mkdtempSync(join(tmpdir(), 'offsite-chaos-'));
    // Whatever a site leaves in them is left by this tree.
    const [temporary, runtime] = ['tmp', 'run'].map((name) => join(folder, name)) as [string, string];
    for (const each of [temporary, runtime]) mkdirSync(each, { mode: 0o700 });
    const env = { TMPDIR: temporary, XDG_RUNTIME_DIR: runtime, OFFSITE_CONTROL: '1' };
    const journal = join(folder, 'journal');
    const random = randomFrom(seed);
    const hosts: Record<string, RemoteManagerOptions> = {
      virtual: { fork: 'virtual', env },
      sh: { fork: 'sh', env },
      ...(ssh.unavailable === undefined && {
        ssh: { fork: 'ssh', host: ssh.host, sshOptions: ssh.options, env },
      }),
    };
    const tree = new ChaosTree(hosts);
    try {
      await tree.ready;
      const shape = await tree.shape();
      // What is called is another matter than what is hit, and comes from other numbers.
      const choice = randomFrom(seed + 1);
      const pick = <T>(of: readonly T[]): T => of[Math.floor(choice() * of.length)]!;
      const load = new Load(CALLERS, (call, { timeout }) =>
        tree.work(pick(tree.parts), pick(['thread', 'process']), call, pick([0, 0, 10]), journal, timeout),
      );
      const plans = tree.parts.map((part) => ({
        part,
        plan: planFaults(Math.ceil(faults / tree.parts.length), tree.likely(part), random),
      }));
      await Promise.all(
        plans.map(async ({ part, plan }) => {
          for (const fault of plan) await tree.inflict(part, fault);
        }),
      );
      // One that uses up its memory dies some time after it was told to.
      await expect.poll(() => tree.shape(), { timeout: COMES_BACK }).toEqual(shape);
      await load.stop();
      console.log(
        `${JSON.stringify(tree.happened)}, ${tree.restarts} restarts of hosts, ${tree.gaveUp} because their supervisor had given up`,
      );
      console.log(JSON.stringify(load.counts));
      await expect.poll(() => tree.shape(), { timeout: COMES_BACK }).toEqual(shape);
      expect(load.mistakes(journal)).toEqual([]);
      expect(load.counts.answered).toBeGreaterThan(0);
      if (faults >= MANY) expect(tree.gaveUp).toBeGreaterThan(0);
      await tree.close();
      await waitUntilGone([...ours(tree.pids), ...descendants(process.pid)], GONE);
      expect(resources()).toBeLessThanOrEqual(before.resources);
      const more = () => descriptors().filter((each) => !before.descriptors.includes(each));
      await expect.poll(more, { timeout: GONE }).toEqual([]);
      expect(readdirSync(temporary)).toEqual([]);
      // What was killed could not take its socket away; whoever comes next does, as every program that has one.
      vi.stubEnv('XDG_RUNTIME_DIR', runtime);
      expect(controlled()).toEqual([]);
      expect(readdirSync(join(runtime, 'offsite'))).toEqual([]);
      expect(readdirSync(runtime)).toEqual(['offsite']);
    } finally {
      vi.unstubAllEnvs();
      await tree.close();
      rmSync(folder, { recursive: true, force: true });
    }
  },
  60_000 + faults * EACH,
);
