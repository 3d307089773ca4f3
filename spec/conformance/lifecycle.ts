import { mkdtempSync, realpathSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { functor, type RemoteManager, type SiteExit } from '../../lib/index.ts';
import { alive, waitUntilGone } from '../support/processes.ts';
import { type Bench, type Calc, fixture, type Misbehave, rejection } from '../support/sites.ts';

const NO_FOLDER = 'A virtual site is a thread: its folder is that of its process.';
const NO_PROCESS = 'A virtual site is a thread: it has no process of its own to kill or to look for.';

/** From the fork to the end, however it comes. */
export function lifecycle(bench: Bench): void {
  const misbehaveIn = async (site: RemoteManager) => site.link<Misbehave>(fixture('misbehave.js'));
  const exitOf = (site: RemoteManager) =>
    new Promise<SiteExit>((resolve) => {
      site.on('exit', resolve);
    });

  describe('lifecycle', () => {
    test.each([false, true])("passes Mozart's acceptance test with detach %s", async (detach) => {
      if (bench.virtual && detach) {
        // A thread can't outlive its process, and says so instead of pretending.
        const refused = await rejection(bench.fork({ detach }).ready);
        expect(refused).toMatchObject({ code: 'ERR_OFFSITE_OPTION', option: 'detach' });
        return;
      }
      const site = bench.fork({ detach });
      expect(await site.ping()).toBeGreaterThan(0);
      const greeting = functor({ import: { process: 'node:process' } }, ({ process }) => ({
        hello: 'hello',
        pid: process.pid,
      }));
      const module = await site.apply(greeting);
      expect(await module.hello).toBe('hello');
      const pid = await module.pid;
      expect(await site.ping()).toBeGreaterThan(0);
      await site.close();
      if (!bench.virtual) expect(alive(pid)).toBe(false);
      await expect(site.ping()).rejects.toMatchObject({ code: 'ERR_OFFSITE_CLOSED' });
    });

    test('tells who it is and how it is', async () => {
      const site = bench.fork({ name: 'bamse' });
      expect([site.state, site.health.state]).toEqual(['starting', 'starting']);
      await site.ready;
      expect([site.name, site.state, site.health.state]).toEqual(['bamse', 'ready', 'idle']);
      if (!bench.virtual) expect(site.pid).toBe(await (await misbehaveIn(site)).pid());
      await site.close();
      expect([site.state, site.health.state]).toEqual(['closed', 'closed']);
    });

    test('calls made before the site is ready wait for it', async () => {
      const site = bench.fork();
      expect(site.state).toBe('starting');
      expect(await site.link<Calc>(fixture('calc.js')).add(20, 22)).toBe(42);
    });

    test('every call after close rejects with ERR_OFFSITE_CLOSED', async () => {
      const site = bench.fork();
      const calc = await site.link<Calc>(fixture('calc.js'));
      await site.close();
      const refused = await Promise.all([
        rejection(calc.add(1, 2)),
        rejection(site.ping()),
        rejection(site.link(fixture('calc.js'))),
        rejection(site.enter({ name: 'late' }, {})),
      ]);
      expect(refused.map((error) => error.code)).toEqual(Array(4).fill('ERR_OFFSITE_CLOSED'));
    });

    test('close can be called twice, at once and later, and tells of the exit once', async () => {
      const site = bench.fork();
      await site.ready;
      const exits: SiteExit[] = [];
      site.on('exit', (exit) => exits.push(exit));
      await Promise.all([site.close(), site.close()]);
      await site.close();
      expect(exits).toHaveLength(1);
      expect(exits[0]).toMatchObject({ reason: 'closed' });
    });

    test('a site that is closed while it starts is gone when close resolves', async () => {
      const site = bench.fork();
      const unready = rejection(site.ready);
      await site.close();
      expect((await unready).code).toMatch(/^ERR_OFFSITE_(FORK|CLOSED)$/);
      expect(site.state).toBe('closed');
    });

    test('a call in flight rejects when the site is closed', async () => {
      const site = bench.fork();
      const waiting = rejection((await misbehaveIn(site)).never());
      await site.ping();
      await site.close();
      expect((await waiting).code).toBe('ERR_OFFSITE_CLOSED');
    });

    test('close ends a site that spins, and its process is gone when close resolves', async () => {
      const site = bench.fork();
      const misbehave = await misbehaveIn(site);
      const pid = await misbehave.pid();
      const spinning = rejection(misbehave.spin());
      await rejection(site.ping({ timeout: 50 }));
      await site.close({ timeout: 200 });
      if (!bench.virtual) expect(alive(pid)).toBe(false);
      expect(site.state).toBe('closed');
      expect((await spinning).code).toBe('ERR_OFFSITE_CLOSED');
    });

    test('await using closes it', async () => {
      let kept: RemoteManager;
      {
        await using site = bench.fork();
        kept = site;
        await site.ready;
      }
      expect(kept.state).toBe('closed');
    });

    test('a site that exits in mid-call rejects the call with ERR_OFFSITE_CRASHED and what it said last', async () => {
      const site = bench.fork();
      const exit = exitOf(site);
      const error = await rejection((await misbehaveIn(site)).complainAndExit('I have had enough.', 3));
      expect(error).toMatchObject({ code: 'ERR_OFFSITE_CRASHED', mayHaveRun: true, exitCode: 3 });
      expect(error.stderr).toContain('I have had enough.');
      expect(await exit).toMatchObject({ code: 3, signal: null, reason: 'crashed' });
      expect((await exit).stderr).toContain('I have had enough.');
      expect([site.state, site.health.state]).toEqual(['crashed', 'crashed']);
    });

    test('a site that throws where nobody catches rejects the call and shows the error', async () => {
      const site = bench.fork();
      const error = await rejection((await misbehaveIn(site)).throwUncaught());
      expect(error).toMatchObject({ code: 'ERR_OFFSITE_CRASHED', mayHaveRun: true, exitCode: 1 });
      // A thread's uncaught error comes as an object, a process's as the text that Node.js prints.
      expect(`${error.message}\n${(error.stderr as string[]).join('\n')}`).toMatch(/nobody catches this/);
    });

    test('a site killed with SIGKILL in mid-call rejects the call and tells how it ended', async (context) => {
      if (bench.virtual) context.skip(NO_PROCESS);
      const site = bench.fork();
      const exit = exitOf(site);
      const error = await rejection((await misbehaveIn(site)).killSelf());
      expect(error).toMatchObject({ code: 'ERR_OFFSITE_CRASHED', mayHaveRun: true });
      const { reason, code, signal } = await exit;
      expect(reason).toBe('crashed');
      // Commands that lead elsewhere tell of a signal in their own way: shells by 128 and its number, ssh by 255.
      const told = site.fork === 'sh' ? ['SIGKILL'] : ['SIGKILL', 137, 255];
      expect(told).toContain(signal ?? code);
      expect([error.signal, error.exitCode]).toEqual([signal, code]);
    });

    test('calls after a crash reject at once, and say that they have not run', async () => {
      const site = bench.fork();
      const misbehave = await misbehaveIn(site);
      await rejection(misbehave.complainAndExit('bye', 1));
      const [ping, call] = await Promise.all([rejection(site.ping()), rejection(misbehave.pid())]);
      expect(ping.code).toBe('ERR_OFFSITE_CRASHED');
      expect(call).toMatchObject({ code: 'ERR_OFFSITE_CRASHED', mayHaveRun: false });
      await site.close();
    });

    test('the children that a site was given by its user end with it', async (context) => {
      if (bench.virtual) context.skip(NO_PROCESS);
      const site = bench.fork();
      const child = await (await misbehaveIn(site)).startGrandchild();
      await site.close();
      await waitUntilGone([child], 1_000);
    });

    test('has the environment it was given, and leaves ours as it is', async () => {
      const home = process.env.HOME;
      const site = bench.fork({ env: { OFFSITE_SPEC: "it's $HOME & more", HOME: undefined } });
      const misbehave = await misbehaveIn(site);
      expect(await misbehave.environment('OFFSITE_SPEC')).toBe("it's $HOME & more");
      expect(await misbehave.environment('HOME')).toBeUndefined();
      expect([process.env.OFFSITE_SPEC, process.env.HOME]).toEqual([undefined, home]);
    });

    test('works in the folder it was told to, or says at once that it can not', async () => {
      if (bench.virtual) {
        const refused = await rejection(bench.fork({ cwd: tmpdir() }).ready);
        expect(refused.code).toMatch(/^ERR_OFFSITE_(FORK|OPTION)$/);
        expect(refused.message).toMatch(/sh\b/); // the method that can
        return;
      }
      const folder = realpathSync(mkdtempSync(join(tmpdir(), 'offsite-cwd ')));
      try {
        const site = bench.fork({ cwd: folder });
        const misbehave = await misbehaveIn(site);
        expect(await misbehave.workingDirectory()).toBe(folder);
        await site.close();
      } finally {
        rmdirSync(folder);
      }
    });

    test('a folder that is not there fails the fork at once, with a remedy', async (context) => {
      if (bench.virtual) context.skip(NO_FOLDER);
      const site = bench.fork({ cwd: join(tmpdir(), 'offsite-there-is-no-such-folder') });
      const error = await rejection(site.ready);
      expect(error).toMatchObject({ code: 'ERR_OFFSITE_FORK', step: 'cwd' });
      expect(error.message).toMatch(/offsite-there-is-no-such-folder/);
      expect(String(error.remedy)).not.toBe('');
    });

    test('a fork that was aborted says so, and nothing is left of it', async () => {
      const controller = new AbortController();
      const site = bench.fork({ signal: controller.signal });
      const error = rejection(site.ready);
      controller.abort(new Error('changed my mind'));
      expect((await error).code).toMatch(/^ERR_OFFSITE_(FORK|CLOSED)$/);
      await site.close();
      expect(site.state).toMatch(/closed|crashed/);
    });
  });
}
