import { EventEmitter, once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { Daemon, type DaemonEvents } from '../../../lib/index.ts';
import { alive, waitUntilGone } from '../../support/processes.ts';
import { closeTracked, rejection } from '../../support/sites.ts';
import { closeDaemons, hostOf, openDaemon, openProgram, siteAt, surroundings } from './support.ts';

const prefixes: string[] = [];
const makePrefix = (): string => {
  const prefix = mkdtempSync(join(tmpdir(), 'offsite-spec-'));
  prefixes.push(prefix);
  return prefix;
};
afterEach(async () => {
  await closeTracked();
  await closeDaemons();
  for (const prefix of prefixes.splice(0)) rmSync(prefix, { recursive: true, force: true });
});

const isRoot = process.getuid?.() === 0;
const begin = fileURLToPath(new URL('./fixtures/begin.js', import.meta.url));

describe('A site of a daemon', () => {
  test('has a private folder of its own, which goes with it', async () => {
    const prefix = makePrefix();
    const daemon = await openDaemon({ destPathPrefix: prefix, cpus: 2 });
    const site = siteAt(daemon, { cwd: '/not/there' });
    // The client's folder is not here, so that it has its own; the engine then can't go where it is told to.
    expect(await rejection(site.ready)).toMatchObject({ step: 'cwd' });
    const other = siteAt(daemon);
    const found = await (await surroundings(other)).look();
    expect(found.cwd).toBe(process.cwd());
    expect(found.tmp?.startsWith(prefix)).toBe(true);
    expect(found.mode).toBe('700');
    expect(daemon.status()).toMatchObject({ started: 2, free: 1, cpus: 2, state: 'serving' });
    expect(daemon.clients()).toMatchObject([{ user: 'local', sites: [{ pid: found.pid }] }]);
    const ended = once(daemon.events, 'siteEnded');
    await other.close();
    await ended;
    await daemon.stop();
    expect(existsSync(dirname(found.tmp!))).toBe(false);
    expect(await daemon.ended).toEqual({ why: 'stopped' });
    expect(readdirSync(prefix).flatMap((name) => readdirSync(join(prefix, name)))).toEqual([]);
  });

  test('leaves nothing when its client is killed, what it has started included', async () => {
    const daemon = await openDaemon();
    const program = await openProgram('client.js', hostOf(daemon));
    const { pid, child, tmp } = JSON.parse(program.line) as { pid: number; child: number; tmp: string };
    expect(alive(child)).toBe(true);
    program.child.kill('SIGKILL');
    await waitUntilGone([pid, child], 2_000);
    // Resolves when no folder is left.
    await daemon.drain();
    expect(existsSync(dirname(tmp))).toBe(false);
    expect(daemon.status().free).toBe(daemon.status().cpus);
  });

  test('is gone within a second when the daemon is killed, and what it left goes at the next start', async () => {
    const destPathPrefix = makePrefix();
    const program = await openProgram('host.js', JSON.stringify({ port: 0, destPathPrefix }));
    const addresses = JSON.parse(program.line) as Daemon['addresses'];
    const site = siteAt({ addresses });
    const { look, leaveRunning, spin } = await surroundings(site);
    const { pid, tmp } = await look();
    const child = await leaveRunning();
    const taken = await rejection(Daemon.open({ port: 0, destPathPrefix }));
    expect(taken).toMatchObject({ code: 'ERR_OFFSITE_SITES_FOLDER', pid: program.child.pid });
    const spinning = rejection(spin());
    program.child.kill('SIGKILL');
    await waitUntilGone([pid, child], 1_000);
    expect(existsSync(dirname(tmp!))).toBe(true);
    await spinning;
    const leftovers: number[] = [];
    const events = new EventEmitter<DaemonEvents>().on('leftovers', (count) => leftovers.push(count));
    const daemon = await Daemon.open({ port: 0, destPathPrefix }, { events });
    expect(leftovers).toEqual([1]);
    expect(existsSync(dirname(tmp!))).toBe(false);
    await daemon.stop();
  });

  test('begins with init() and ends with close() of the module that the daemon was given', async () => {
    const log = join(makePrefix(), 'log');
    process.env.OFFSITE_SPEC_LOG = log;
    const daemon = await openDaemon({ init: begin });
    const site = siteAt(daemon);
    const found = await (await surroundings(site)).look();
    expect(found.begun).toBe('by init');
    // What the site starts does not begin so.
    expect(found.options.join()).not.toContain('--import');
    await site.close();
    expect(readFileSync(log, 'utf8')).toBe('closed by init\n');
    // A daemon that is stopped at once asks by a signal first.
    const other = siteAt(daemon);
    await (await surroundings(other)).look();
    daemon.actor.getSnapshot().context.life.endSites();
    await daemon.stop();
    expect(readFileSync(log, 'utf8')).toBe('closed by init\nclosed by init\n');
    delete process.env.OFFSITE_SPEC_LOG;
  });

  test.runIf(isRoot)('runs as the user that the daemon was given, in a folder of his', async () => {
    const prefix = makePrefix();
    mkdirSync(join(prefix, 'sites'), { mode: 0o755 });
    // Made private by mkdtemp; a site of somebody else must pass.
    rmSync(prefix, { recursive: true });
    mkdirSync(prefix, { mode: 0o755 });
    const daemon = await openDaemon({ uid: 'nobody', destPathPrefix: prefix });
    const site = siteAt(daemon, { cwd: prefix });
    const { look, write } = await surroundings(site);
    const found = await look();
    expect(found).toMatchObject({ uid: 65_534, mode: '700', cwd: prefix });
    await write(join(found.tmp!, 'file'), 'text');
    await expect(write(join(prefix, 'file'), 'text')).rejects.toThrow('EACCES');
    await site.close();
    await daemon.drain();
    expect(existsSync(dirname(found.tmp!))).toBe(false);
  });

  test('is refused with who has the slots if none is free, and bridges take none', async () => {
    const daemon = await openDaemon({ cpus: 1 });
    const refused: unknown[] = [];
    daemon.events.on('refused', (what) => refused.push(what));
    const site = siteAt(daemon);
    await site.ready;
    const none = siteAt(daemon);
    const error = await rejection(none.ready);
    expect(error).toMatchObject({ code: 'ERR_OFFSITE_FORK', step: 'busy' });
    expect(String(error)).toContain('all 1 slots of node-1 are taken: local has 1');
    expect(refused).toMatchObject([{ why: 'busy', user: 'local' }]);
    daemon.setCpus(2);
    await siteAt(daemon).ready;
    expect(() => daemon.setCpus(-10_000)).toThrow('leaves none');
  });
});
