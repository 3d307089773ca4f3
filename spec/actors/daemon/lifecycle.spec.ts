import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import { Daemon } from '../../../lib/index.ts';
import { alive, waitUntilGone } from '../../support/processes.ts';
import { closeTracked, rejection } from '../../support/sites.ts';
import {
  closeDaemons,
  hostOf,
  openDaemon,
  openProgram,
  siteAt,
  startOf,
  surroundings,
  TestClock,
  visit,
} from './support.ts';

afterEach(async () => {
  await closeTracked();
  await closeDaemons();
});

const HOUR = 60;
const overnight = { start: '17:00', stop: '06:00', end: '08:00', timeZone: 'UTC' };

describe('A daemon', () => {
  test('D6. keeps its hours past midnight, drains, kills, and serves again the next day', async () => {
    const clock = new TestClock('2026-06-01T16:00Z');
    const daemon = await openDaemon({ serviceHours: overnight }, clock);
    const next = { at: Date.parse('2026-06-01T17:00Z'), state: 'serving' };
    expect(daemon.status()).toMatchObject({ state: 'closed', next });
    expect(String(await rejection(siteAt(daemon).ready))).toContain('is closed until 2026-06-01 17:00 (UTC)');
    // Nobody is connected meanwhile.
    await clock.advance(HOUR);
    expect(daemon.status().state).toBe('serving');
    const { look } = await surroundings(siteAt(daemon));
    const { pid } = await look();
    await clock.advance(13 * HOUR);
    expect(daemon.status()).toMatchObject({ state: 'draining', free: daemon.status().cpus - 1 });
    const late = await rejection(siteAt(daemon).ready);
    expect(String(late)).toContain('starts no more sites, and takes clients again at 2026-06-02 17:00 (UTC)');
    expect(() => daemon.resume()).toThrow('takes clients again at 2026-06-02 17:00 (UTC)');
    expect(await look()).toMatchObject({ pid });
    await clock.advance(2 * HOUR);
    expect(daemon.status().state).toBe('closed');
    await waitUntilGone([pid], 2_000);
    await clock.advance(9 * HOUR);
    expect(daemon.status().state).toBe('serving');
    expect(await (await surroundings(siteAt(daemon))).look()).not.toMatchObject({ pid });
  });

  test('is closed at the end of its hours with nobody there, and ends what a stop still waits for', async () => {
    const clock = new TestClock('2026-06-01T07:00Z');
    const daemon = await openDaemon(
      { serviceHours: { start: '06:00', end: '08:00', timeZone: 'UTC' } },
      clock,
    );
    const { look } = await surroundings(siteAt(daemon));
    const { pid } = await look();
    const stopped = daemon.stop();
    await clock.advance(30);
    expect(alive(pid)).toBe(true);
    await clock.advance(30);
    await stopped;
    expect(alive(pid)).toBe(false);
    expect(await daemon.ended).toEqual({ why: 'stopped' });
  });

  test('drains: starts nothing more, tells when all have ended, and takes clients again', async () => {
    const daemon = await openDaemon({ cpus: 1 });
    const site = siteAt(daemon);
    await site.ready;
    const waits = await visit(daemon, '/site');
    waits.say(startOf('waits', { waits: true }));
    const ended: string[] = [];
    const drained = daemon.drain().then(() => ended.push('drained'));
    expect(await waits.next('refused')).toMatchObject({ why: 'draining' });
    expect(await rejection(siteAt(daemon).ready)).toMatchObject({ step: 'busy' });
    const again = rejection(daemon.drain());
    daemon.resume();
    expect(await again).toMatchObject({ code: 'ERR_OFFSITE_DAEMON' });
    await expect(drained).rejects.toThrow('takes clients again');
    expect(ended).toEqual([]);
    const whole = daemon.drain();
    await site.close();
    await whole;
    expect(daemon.status()).toMatchObject({ state: 'draining', free: 1 });
    daemon.resume();
    await siteAt(daemon).ready;
  });

  test('stops when its sites have ended, or at once with all of them', async () => {
    const daemon = await openDaemon();
    const { look, spin } = await surroundings(siteAt(daemon));
    const { pid } = await look();
    const spinning = rejection(spin());
    const stopped = daemon.stop();
    await new Promise((resolve) => setImmediate(resolve));
    expect(daemon.status().state).toBe('draining');
    expect(() => daemon.resume()).toThrow('is being stopped');
    expect(alive(pid)).toBe(true);
    await daemon.stop({ now: true });
    await stopped;
    expect(alive(pid)).toBe(false);
    expect(await daemon.ended).toEqual({ why: 'killed' });
    expect(await spinning).toMatchObject({ code: 'ERR_OFFSITE_CRASHED' });
    // Nobody is there any more, and it can be asked again.
    expect(await rejection(siteAt(daemon).ready)).toBeInstanceOf(Error);
    await daemon.stop();
  });

  test('ends after as many clients as it was to serve, of whom each had a site', async () => {
    expect(await (await openDaemon({ serve: 0 })).ended).toEqual({ why: 'served' });
    const daemon = await openDaemon({ serve: 1 });
    const looks = await visit(daemon, '/node');
    await looks.next('node');
    looks.hangUp();
    await once(daemon.events, 'clientGone');
    expect(daemon.status()).toMatchObject({ served: 0, state: 'serving' });
    const site = siteAt(daemon);
    await site.ready;
    await site.close();
    expect(await daemon.ended).toEqual({ why: 'served' });
  });

  test('ends when nobody has used it for as long as it was to bear that', async () => {
    const clock = new TestClock('2026-06-01T00:00Z');
    const daemon = await openDaemon({ idleExit: 10 * 60_000 }, clock);
    await clock.advance(9);
    const site = siteAt(daemon);
    await site.ready;
    await clock.advance(20);
    expect(daemon.status().state).toBe('serving');
    const gone = once(daemon.events, 'clientGone');
    await site.close();
    await gone;
    await clock.advance(9);
    expect(daemon.status().state).toBe('serving');
    await clock.advance(1);
    expect(await daemon.ended).toEqual({ why: 'idle' });
  });

  test('D8. a live idle client keeps its site across many leases, and one that stands still loses it', async () => {
    const daemon = await openDaemon({ zombieInterval: 600 });
    const idle = await visit(daemon, '/site');
    idle.say(startOf('idle'));
    const { pid } = await idle.next('spawned');
    const program = await openProgram('client.js', hostOf(daemon));
    const still = JSON.parse(program.line) as { pid: number };
    program.child.kill('SIGSTOP');
    await waitUntilGone([still.pid], 5_000);
    // It was asked three times a lease.
    await idle.pings(9);
    expect(alive(pid as unknown as number)).toBe(true);
    program.child.kill('SIGKILL');
    const ended = once(daemon.events, 'siteEnded');
    idle.hangUp();
    await ended;
  });

  test('gives a slot that is waited for to the user who has the fewest', async () => {
    const daemon = await openDaemon({ cpus: 1 });
    const started: string[] = [];
    daemon.events.on('site', ({ name }) => started.push(name));
    const first = await visit(daemon, '/site?client=1');
    first.say(startOf('first'));
    await first.next('spawned');
    const second = await visit(daemon, '/site?client=2');
    second.say(startOf('second', { waits: true }));
    const third = await visit(daemon, '/site?client=2');
    third.say(startOf('third', { waits: true }));
    first.hangUp();
    await second.next('spawned');
    second.hangUp();
    await third.next('spawned');
    expect(started).toEqual(['first', 'second', 'third']);
    expect(daemon.clients()).toMatchObject([{ sites: [{ name: 'third' }] }]);
    third.hangUp();
    await daemon.drain();
  });

  test('can be given up while it opens, and leaves nothing then', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    expect(await rejection(Daemon.open({ port: 0 }, { signal }))).toMatchObject({ message: 'enough' });
    const later = new AbortController();
    const opening = rejection(Daemon.open({ port: 0 }, { signal: later.signal }));
    later.abort(new Error('enough'));
    expect(await opening).toMatchObject({ message: 'enough' });
  });
});
