import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { SlurmError, SlurmManager } from '../../../actors/cluster/slurm-manager.ts';
import { functor, RemoteManager, type SiteExit } from '../../../lib/index.ts';
import { waitUntilGone } from '../../support/processes.ts';
import { closeTracked, fixture, rejection, track } from '../../support/sites.ts';
import { type Slurm, startSlurm } from '../../support/slurm.ts';
import { configsOf, type Launched, launchAll, removeAll } from './launched.ts';

let slurm: Slurm;
let unavailable: string | undefined;

beforeAll(async () => {
  const access = await startSlurm();
  if ('unavailable' in access) {
    ({ unavailable } = access);
    process.stderr.write(`spec: ${unavailable}\n`);
    return;
  }
  slurm = access;
  process.env.SLURM_CONF = slurm.conf;
  // apt-get may have to bring it.
}, 400_000);
beforeEach((context) => context.skip(unavailable !== undefined, unavailable));
afterAll(() => slurm?.close(), 30_000);
afterEach(closeTracked);

const exitOf = ({ site }: Launched): Promise<SiteExit> => new Promise((resolve) => site.on('exit', resolve));

const whereAmI = functor({ import: {} }, () => ({
  node: () => process.env.SLURMD_NODENAME,
  step: () => `${process.env.SLURM_JOB_ID}.${process.env.SLURM_STEP_ID}`,
  cpus: () => process.env.SLURM_CPUS_PER_TASK,
}));

const jobs = () => slurm.ask('squeue', '-h', '-o', '%i');

/** Resolves when Slurm has no running job any more. */
const noJobs = () => vi.waitFor(async () => expect(await jobs()).toBe(''), { timeout: 5_000, interval: 50 });

describe('SlurmManager', () => {
  test('makes an allocation, starts a worker as a step for each task, and gives it back with the last', async () => {
    const manager = new SlurmManager({
      ntasks: 3,
      partition: 'main',
      time: 5,
      jobName: 'primes',
      cpusPerTask: 4,
    });
    const launched = await launchAll(manager);
    const told = await Promise.all(launched.map(({ site }) => site.apply(whereAmI).node()));
    expect(told.filter((node) => node === 'alpha')).toHaveLength(2);
    expect(told.filter((node) => node === 'beta')).toHaveLength(1);
    expect(new Set(await Promise.all(launched.map(({ site }) => site.apply(whereAmI).step()))).size).toBe(3);
    expect(launched[0]!.site.host).toBe('alpha');
    expect(await slurm.ask('squeue', '-h', '-o', '%j %l %C %P')).toBe('primes 5:00 12 main');
    await removeAll(manager, launched.slice(1));
    expect(await jobs()).not.toBe('');
    await removeAll(manager, launched.slice(0, 1));
    await noJobs();
  });

  test('adds as many again when it is used again', async () => {
    const manager = new SlurmManager({ ntasks: 1 });
    const both = [await launchAll(manager), await launchAll(manager)].flat();
    expect((await jobs()).split('\n')).toHaveLength(2);
    await removeAll(manager, both);
    await noJobs();
  });

  test('starts workers in the allocation of a job that is there, which lives on, and ends their steps', async () => {
    await slurm.ask('salloc', '--no-shell', '--ntasks=3', '--time=5');
    const job = await jobs();
    try {
      const manager = new SlurmManager({ jobId: Number(job) });
      const launched = await launchAll(manager);
      expect(launched).toHaveLength(3);
      expect(await launched[2]!.site.apply(whereAmI).step()).toMatch(new RegExp(`^${job}\\.`));
      // An srun that is killed leaves what it has started; the manager does not.
      await launched[0]!.site.kill();
      await manager.manage('deregister', 2, launched[0]!.config);
      await vi.waitFor(
        async () =>
          expect((await slurm.ask('squeue', '--steps', '-h', '-o', '%i')).split('\n')).toHaveLength(2),
        { timeout: 5_000, interval: 50 },
      );
      await removeAll(manager, launched.slice(1));
      expect(await jobs()).toBe(job);
    } finally {
      await slurm.ask('scancel', job);
      await noJobs();
    }
  });

  test('takes the allocation in which this program runs, and none of that job’s own wishes', async () => {
    await slurm.ask('salloc', '--no-shell', '--ntasks=2', '--time=5');
    const job = await jobs();
    vi.stubEnv('SLURM_JOB_ID', job);
    vi.stubEnv('SLURM_NTASKS', '2');
    vi.stubEnv('SLURM_NTASKS_PER_NODE', '9');
    vi.stubEnv('SLURM_CPUS_PER_TASK', '77');
    try {
      const manager = new SlurmManager({ ntasks: 1 });
      const launched = await launchAll(manager);
      expect(await launched[0]!.site.apply(whereAmI).step()).toMatch(new RegExp(`^${job}\\.`));
      await removeAll(manager, launched);
    } finally {
      vi.unstubAllEnvs();
      process.env.SLURM_CONF = slurm.conf;
      await slurm.ask('scancel', job);
      await noJobs();
    }
  });

  test('passes cores and a time limit on to each step', async () => {
    const manager = new SlurmManager({ ntasks: 2, cpusPerTask: 3, time: '0:04:00' });
    const launched = await launchAll(manager);
    expect(await launched[0]!.site.apply(whereAmI).cpus()).toBe('3');
    expect(await slurm.ask('squeue', '-h', '-o', '%C')).toBe('6');
    await removeAll(manager, launched);
    await noJobs();
  });

  test('tells of a cancelled job by the deaths of its workers, with the reason', async () => {
    const manager = new SlurmManager({ ntasks: 2 });
    const launched = await launchAll(manager);
    const exits = launched.map(exitOf);
    await slurm.ask('scancel', await jobs());
    for (const [at, exit] of (await Promise.all(exits)).entries()) {
      expect(exit.reason).toBe('crashed');
      expect(manager.explain(exit, launched[at]!.config)).toMatch(/was cancelled/);
    }
    await removeAll(manager, launched);
    await noJobs();
  });

  test('explains what Slurm refuses', async () => {
    const error = await rejection(configsOf(new SlurmManager({ partition: 'nonesuch' })));
    expect(error).toBeInstanceOf(SlurmError);
    expect(error.code).toBe('ERR_OFFSITE_SLURM');
    expect(error.message).toMatch(/gave no allocation.*partition.*invalid partition specified/is);
    const ended = await rejection(configsOf(new SlurmManager({ jobId: 4_000_000 })));
    expect(ended.message).toMatch(/Invalid job id/);
    vi.stubEnv('PATH', '/nowhere');
    const none = await rejection(configsOf(new SlurmManager({ jobId: 1 })));
    vi.unstubAllEnvs();
    expect(none.message).toMatch(/Slurm's command scontrol was not found/);
    expect(await jobs()).toBe('');
  });

  test('explains why a worker of a job that has ended is not started', async () => {
    const manager = new SlurmManager({ ntasks: 1 });
    const [config] = await configsOf(manager);
    await slurm.ask('scancel', await jobs());
    await noJobs();
    const site = track(new RemoteManager({ ...config!.site, stderr: 'ignore' }));
    const error = await rejection(site.ready);
    expect(error.step).toBe('command');
    expect(error.message).toMatch(/Slurm did not start it \(.*job/i);
    await manager.manage('finalize', 0, config!);
  });

  test('gives up what waits in the queue for too long, and when its caller does', async () => {
    const slow = new SlurmManager({ ntasks: 1, sallocOptions: ['--begin=now+1hour'], queueTimeout: 700 });
    expect((await rejection(configsOf(slow))).message).toMatch(/within 700 ms/);
    await noJobs();
    const given = new AbortController();
    const waiting = configsOf(new SlurmManager({ sallocOptions: ['--begin=now+1hour'] }), {}, given.signal);
    await vi.waitFor(async () => expect(await jobs()).not.toBe(''), { timeout: 5_000 });
    given.abort(new Error('enough'));
    expect((await rejection(waiting)).message).toBe('enough');
    await noJobs();
  });

  test.each(['own', 'other'])(
    'leaves nothing when the program is killed while its workers are busy, in an allocation of its %s',
    async (whose) => {
      if (whose === 'other') await slurm.ask('salloc', '--no-shell', '--ntasks=2', '--time=5');
      const job = await jobs();
      const program = spawn(
        process.execPath,
        [
          fixture('launcher.js').pathname,
          'SlurmManager',
          JSON.stringify([{ ntasks: 2, ...(job && { jobId: Number(job) }) }]),
        ],
        { stdio: ['ignore', 'pipe', 'inherit'] },
      );
      const [line] = (await once(createInterface(program.stdout!), 'line')) as [string];
      const pids = JSON.parse(line) as number[];
      expect(pids).toHaveLength(2);
      program.kill('SIGKILL');
      await waitUntilGone(pids, 8_000);
      if (whose === 'other') await slurm.ask('scancel', job);
      await noJobs();
    },
  );

  test('prints what it asks for', () => {
    expect(String(new SlurmManager({ ntasks: 4, partition: 'main' }))).toBe(
      'SlurmManager(ntasks=4, partition=main)',
    );
  });

  // The last one: the node does not come back.
  test('loses with a node only the workers on it, and says so', async () => {
    const manager = new SlurmManager({ ntasks: 2, sallocOptions: ['--nodes=2', '--ntasks-per-node=1'] });
    const launched = await launchAll(manager);
    const on = (node: string) => launched.find(({ site }) => site.host === node)!;
    const lost = exitOf(on('beta'));
    await slurm.lose('beta');
    const exit = await lost;
    expect(exit.reason).toBe('crashed');
    expect(manager.explain(exit, on('beta').config)).toBe('its node beta failed');
    expect(await on('alpha').site.ping()).toBeGreaterThan(0);
    await removeAll(manager, launched);
    await noJobs();
  }, 30_000);
});
