import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { dial } from '../../lib/access/dial.ts';
import { keyLine, newKey } from '../../lib/access/key-file.ts';
import { closeDaemons, hostOf, openDaemon, TestClock } from '../actors/daemon/support.ts';
import { newSecret, type ServedHost, startServe } from '../support/daemon.ts';
import { closeJobs, openJobs } from '../support/jobs.ts';
import { alive, waitUntilGone } from '../support/processes.ts';
import { rejection } from '../support/sites.ts';
import { openRelay } from './relay.ts';
import { firstSaid, REPEATS, serverOf, tasks } from './served.ts';

const SOON = 2_000;
const each = Array.from({ length: REPEATS }, (_, at) => at);

/** A daemon that ends with its test. */
const serve = async (words: string[] = [], secret = newSecret()): Promise<ServedHost> => {
  const host = await startServe(words, {}, secret);
  onTestFinished(() => host.close());
  return host;
};

describe('defects of nodes that others have, each tried 20 times with keys', () => {
  closeJobs();
  afterEach(closeDaemons);
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'offsite-defects-'));
    return () => rmSync(folder, { recursive: true, force: true });
  });

  test('D3. a node that is lost rejects its jobs that are not to be run again, and those that wait for it, 20 times', async () => {
    const host = await serve(['--cpus', String(REPEATS)]);
    // Each way to it is a node; the last one is lost because its daemon is killed.
    const relays = await Promise.all(each.map(() => openRelay(host.port)));
    onTestFinished(async () => void (await Promise.all(relays.map((relay) => relay.cut()))));
    const servers = relays.map((relay, at) =>
      serverOf({ ...host, host: relay.host }, { name: `node-${at}`, cpus: 1 }),
    );
    const jobs = await openJobs({ ncpus: 0, servers, nodeTimeout: 1_000 });
    await new Promise<void>((resolve) => {
      const look = () => Object.keys(jobs.getActiveNodes()).length === REPEATS && resolve();
      jobs.on('node', look);
      look();
    });
    const running = each.map((at) => jobs.submit(tasks.announce, [], { node: `node-${at}` }));
    await Promise.all(running.map(firstSaid));
    const waiting = each.map((at) => jobs.submit(tasks.add, [at, 1], { node: `node-${at}` }));
    for (const at of each) {
      const job = running[at]!;
      expect([job.status, job.node]).toEqual(['provisional', `node-${at}`]);
      if (at < REPEATS - 1) await relays[at]!.cut();
      else host.kill('SIGKILL');
      expect(await rejection(job.result)).toMatchObject({
        code: 'ERR_OFFSITE_JOB_LOST',
        node: `node-${at}`,
        mayHaveRun: true,
      });
    }
    for (const [at, job] of waiting.entries()) {
      expect(await rejection(job.result)).toMatchObject({
        code: 'ERR_OFFSITE_JOB_NO_NODE',
        message: expect.stringContaining(`node-${at}: it is out of reach`),
      });
    }
    expect(jobs.pending).toBe(0);
  });

  test('D6. hours from 17:00 to 08:00 hold for 20 days, with nobody connected too, and it serves again on each', async () => {
    const secret = newSecret();
    const secretFile = join(folder, 'keys');
    writeFileSync(secretFile, `${secret}\n`, { mode: 0o600 });
    const clock = new TestClock('2026-06-01T12:00Z');
    const serviceHours = { start: '17:00', stop: '06:00', end: '08:00', timeZone: 'UTC' };
    const daemon = await openDaemon({ serviceHours, access: { secretFile }, host: ['127.0.0.1'] }, clock);
    const [HOUR, seen] = [60, [] as string[]];
    const state = () => daemon.status().state;
    for (const day of each) {
      seen.push(state());
      await clock.advance(5 * HOUR);
      seen.push(state());
      // Every fifth night somebody has a job there which would never end.
      const isUsed = day % 5 === 0;
      const jobs =
        isUsed &&
        (await openJobs({ ncpus: 0, servers: [serverOf({ host: hostOf(daemon), secret } as ServedHost)] }));
      const job = jobs ? jobs.submit(tasks.announce) : undefined;
      const pid = job && ((await firstSaid(job)) as number);
      await clock.advance(13 * HOUR);
      seen.push(state());
      if (pid) expect(alive(pid)).toBe(true);
      await clock.advance(2 * HOUR);
      seen.push(state());
      if (pid) {
        expect(await rejection(job!.result)).toMatchObject({ code: 'ERR_OFFSITE_JOB_LOST' });
        await waitUntilGone([pid], SOON);
      }
      if (jobs) await jobs.terminate();
      await clock.advance(4 * HOUR);
    }
    expect(seen).toEqual(each.flatMap(() => ['closed', 'serving', 'draining', 'closed']));
  });

  test('D8. 20 clients that live and are idle keep what their setup has made, across three leases', async () => {
    const LEASE = 1_500;
    const users = each.map((at) => keyLine(newKey(`user-${at}`, 'use')));
    const watcher = newSecret();
    const secretFile = join(folder, 'keys');
    writeFileSync(secretFile, [...users, watcher, ''].join('\n'), { mode: 0o600 });
    const daemon = await openDaemon({
      access: { secretFile },
      host: ['127.0.0.1'],
      cpus: REPEATS,
      zombieInterval: LEASE,
    });
    const clients = await Promise.all(
      users.map((secret) =>
        openJobs({
          ncpus: 0,
          setup: tasks.setup,
          servers: [serverOf({ host: hostOf(daemon), secret } as ServedHost, { cpus: 1 })],
        }),
      ),
    );
    const look = () => Promise.all(clients.map((jobs) => jobs.submit(tasks.setupSeen)));
    const before = await look();
    expect(before.map(({ setups }) => setups)).toEqual(each.map(() => 1));
    expect(new Set(daemon.clients().map(({ user }) => user)).size).toBe(REPEATS);
    // Somebody else is asked for a sign of life three times a lease, as they are.
    const { socket } = await dial(daemon.addresses[0]!, { path: '/node', credentials: { secret: watcher } });
    await new Promise<void>((resolve, reject) => {
      let pings = 0;
      socket.on('error', () => {});
      socket.on('close', () => reject(new Error('The daemon has hung up.')));
      socket.on('ping', () => ++pings === 10 && resolve());
      socket.resume();
    });
    socket.terminate();
    expect(await look()).toEqual(before);
  });

  test('D11. a daemon that is killed leaves no processes of jobs, nor what these have started, 20 times', async () => {
    const secret = newSecret();
    const start = (at: number) =>
      serve(['--cpus', '1', '--name', `node-${at}`, '--dest-path-prefix', join(folder, String(at))], secret);
    const hosts: ServedHost[] = [];
    // Not all at once: these are two processors.
    for (let at = 0; at < REPEATS; at += 4) {
      hosts.push(...(await Promise.all([0, 1, 2, 3].map((more) => start(at + more)))));
    }
    const jobs = await openJobs({ ncpus: 0, servers: hosts.map((host) => serverOf(host)) });
    const all = each.map((at) => jobs.submit(tasks.announceBoth, [], { node: `node-${at}` }));
    const pids = (await Promise.all(all.map(firstSaid))) as number[][];
    for (const [at, host] of hosts.entries()) {
      expect(pids[at]!.every(alive)).toBe(true);
      host.kill('SIGKILL');
      await host.ended;
      await waitUntilGone(pids[at]!, SOON);
      expect(await rejection(all[at]!.result)).toMatchObject({ code: 'ERR_OFFSITE_JOB_LOST' });
    }
  });
});
