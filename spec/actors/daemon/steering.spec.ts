import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { controlSocket, steeredDaemons } from '../../../actors/daemon/control-sockets.ts';
import { checkDaemonOptions, slotsOf } from '../../../actors/daemon/options.ts';
import { Scheduler } from '../../../actors/scheduler.ts';
import { type Listener, openListener } from '../../../lib/access/listener.ts';
import { type Daemon, steerLocal, steerRemote } from '../../../lib/index.ts';
import { makePrivateRoot } from '../../../lib/ticket/folder.ts';
import { closeTracked, rejection } from '../../support/sites.ts';
import { closeDaemons, openDaemon, siteAt, startOf, surroundings, TestClock, visit } from './support.ts';

const listeners: Listener[] = [];
afterEach(async () => {
  await closeTracked();
  await closeDaemons();
  for (const listener of listeners.splice(0)) await listener.close();
});

/** Another way into a daemon, by which everybody is that user. */
const asUser = async (daemon: Daemon, user: string): Promise<Pick<Daemon, 'addresses'>> => {
  const listener = await openListener({
    at: [{ host: '127.0.0.1', port: 0 }],
    access: {},
    onVisitor: (visitor) => daemon.receive({ ...visitor, user, domain: 'use' }),
  });
  listeners.push(listener);
  return listener;
};

const portOf = (daemon: Daemon): number => daemon.addresses[0]!.port;

describe('Who steers a daemon', () => {
  test('finds it by its control socket, or by its address, and has all done', async () => {
    const daemon = await openDaemon({ cpus: 2, labels: { gpu: 'no' } });
    const { pid } = await (await surroundings(siteAt(daemon))).look();
    for (const control of [steerLocal({ port: portOf(daemon) }), steerRemote(daemon.addresses[0]!)]) {
      const status = await control.status();
      expect(status).toMatchObject({ name: 'node-1', state: 'serving', cpus: 2, free: 1, pid: process.pid });
      expect(status).toMatchObject({ labels: { gpu: 'no' }, restartWorkers: false, started: 1 });
      expect(status.addresses).toEqual(daemon.addresses);
      expect(await control.clients()).toMatchObject([{ user: 'local', sites: [{ pid }] }]);
      await control.setCpus(3);
      expect(daemon.status()).toMatchObject({ cpus: 3, free: 2 });
      await control.setCpus(2);
      expect(await rejection(control.setCpus(-1_000))).toMatchObject({ code: 'ERR_OFFSITE_OPTION' });
      const up = new AbortController();
      const drained = rejection(control.drain({ signal: up.signal }));
      while ((await control.status()).state === 'serving');
      up.abort(new Error('not so long'));
      expect(await drained).toMatchObject({ message: 'not so long' });
      expect(daemon.status().state).toBe('draining');
      await control.resume();
      expect((await control.status()).state).toBe('serving');
    }
    await steerLocal({ port: portOf(daemon) }).stop({ now: true });
    expect(await daemon.ended).toEqual({ why: 'killed' });
    const gone = await rejection(Promise.resolve().then(() => steerLocal({ port: portOf(daemon) })));
    expect(gone).toMatchObject({ code: 'ERR_OFFSITE_CONTROL' });
    expect(await rejection(steerRemote({ host: '127.0.0.1', port: 1 }).status())).toBeInstanceOf(Error);
  });

  test('has to say which of several is meant, and sockets of dead ones are swept', async () => {
    const [one, other] = [await openDaemon(), await openDaemon()];
    const dead = controlSocket(makePrivateRoot(), 2 ** 22 + 1, 1);
    writeFileSync(dead, '');
    expect(steeredDaemons().map(({ port }) => port)).toEqual(
      expect.arrayContaining([portOf(one), portOf(other)]),
    );
    expect(() => rmSync(dead)).toThrow('ENOENT');
    expect(() => steerLocal({ pid: process.pid })).toThrow(`port ${portOf(other)}`);
  });

  test('is asked for what there is, and must be of the domain admin', async () => {
    const daemon = await openDaemon();
    const admin = await visit(daemon, '/admin');
    for (const [question, code] of [
      [{ ask: 'secrets' }, 'ERR_OFFSITE_OPTION'],
      [{ do: 'toString' }, 'ERR_OFFSITE_OPTION'],
      [{ do: 'setCpus', cpus: 'many' }, 'ERR_OFFSITE_OPTION'],
    ] as const) {
      admin.say(question);
      expect(await admin.next('error')).toMatchObject({ code });
    }
    const strangers: string[] = [];
    daemon.events.on('stranger', ({ user, path }) => strangers.push(`${user} ${path}`));
    const stranger = await visit(await asUser(daemon, 'eve'), '/admin');
    stranger.say({ do: 'stop', now: true });
    expect(await stranger.next('error')).toMatchObject({ code: 'ERR_OFFSITE_ACCESS' });
    await stranger.closed();
    const lost = await visit(daemon, '/elsewhere');
    expect(await lost.next('error')).toMatchObject({ message: 'A daemon has nothing at /elsewhere.' });
    await lost.closed();
    expect(strangers).toEqual(['eve /admin', 'local /elsewhere']);
    expect(daemon.status().state).toBe('serving');
  });
});

describe('Who asks for /node', () => {
  test('is told how the node does, at once, at each change and from time to time', async () => {
    const clock = new TestClock('2026-06-01T00:00Z');
    const daemon = await openDaemon({ cpus: 1, maxFileSize: 10, restartWorkers: true }, clock);
    const node = await visit(daemon, '/node');
    const state = {
      name: 'node-1',
      state: 'serving',
      cpus: 1,
      free: 1,
      maxFileSize: 10,
      restartWorkers: true,
    };
    expect(await node.next('node')).toMatchObject(state);
    const site = siteAt(daemon);
    await site.ready;
    expect(await node.next('node')).toMatchObject({ ...state, free: 0 });
    clock.increment(5_000);
    expect(await node.next('node')).toMatchObject({
      load: expect.any(Number),
      memory: { total: expect.any(Number) },
    });
    daemon.setCpus(3);
    expect(await node.next('node')).toMatchObject({ cpus: 3, free: 2 });
    void daemon.drain();
    expect(await node.next('node')).toMatchObject({ state: 'draining' });
  });
});

describe('Users of a daemon', () => {
  test('share its slots: the one who has the fewest is first', async () => {
    const daemon = await openDaemon({ cpus: 1 });
    const [ada, bob] = [await asUser(daemon, 'ada'), await asUser(daemon, 'bob')];
    const held = await visit(ada, '/site');
    held.say(startOf('ada 1'));
    await held.next('spawned');
    const started: string[] = [];
    daemon.events.on('site', ({ user, name }) => started.push(`${user}: ${name}`));
    const visits = [];
    for (const [who, name] of [
      [ada, 'ada 2'],
      [ada, 'ada 3'],
      [bob, 'bob 1'],
    ] as const) {
      const one = await visit(who, '/site');
      one.say(startOf(name, { waits: true }));
      visits.push(one);
    }
    const [second, third, first] = visits;
    // What was said last has come when somebody else is refused who said it later.
    const late = await visit(bob, '/site');
    late.say(startOf('bob 2'));
    expect(await late.next('refused')).toMatchObject({
      why: 'busy',
      what: 'all 1 slots of node-1 are taken: ada has 1, and 3 wait.',
    });
    held.hangUp();
    await first!.next('spawned');
    first!.hangUp();
    await second!.next('spawned');
    second!.hangUp();
    await third!.next('spawned');
    third!.hangUp();
    await daemon.drain();
    expect(started).toEqual(['bob: bob 1', 'ada: ada 2', 'ada: ada 3']);
  });
});

describe('Options of a daemon', () => {
  test('are checked once, and the wrong one is named', () => {
    const wrong = (options: object): string => {
      try {
        checkDaemonOptions(options);
      } catch (cause) {
        return (cause as { option: string }).option;
      }
      return 'none';
    };
    expect(wrong({})).toBe('none');
    expect(wrong({ colour: 'red' })).toBe('colour');
    expect(wrong({ port: 70_000 })).toBe('port');
    expect(wrong({ host: ['::1', 'a b'] })).toBe('host');
    expect(wrong({ host: ['::1'], extIpAddr: ['1.2.3.4', '5.6.7.8'] })).toBe('extIpAddr');
    expect(wrong({ cpus: 1.5 })).toBe('cpus');
    expect(wrong({ serviceHours: { start: '17:00', stop: '06:00', end: '08:00' } })).toBe('none');
    expect(wrong({ serviceHours: { start: '17:00', end: '8:00' } })).toBe('serviceHours.end');
    expect(wrong({ init: '/not/there.js' })).toBe('init');
    expect(wrong({ access: { secret: 'text' } })).toBe('access.secret');
    expect(wrong({ scheduler: [{ address: { host: 'here', port: 0 } }] })).toBe('scheduler.0.address');
    expect(() => slotsOf(-1_000)).toThrow('leaves none');
    expect(slotsOf(0)).toBe(0);
  });

  test('say which addresses clients are told, and one port for all', async () => {
    const daemon = await openDaemon({
      host: ['127.0.0.1', '127.0.0.2'],
      extIpAddr: ['198.51.100.7', '198.51.100.8:80'],
    });
    const [one, other] = daemon.addresses;
    expect(one!.host).toBe('198.51.100.7');
    expect(other).toEqual({ host: '198.51.100.8', port: 80 });
    await visit({ addresses: [{ host: '127.0.0.2', port: one!.port }] }, '/node').then(({ hangUp }) =>
      hangUp(),
    );
    expect(daemon.controlSocket).toBe(join(makePrivateRoot(), `${process.pid}-${one!.port}.ctl`));
  });
});

describe('A daemon behind a router', () => {
  test('serves at a scheduler that it has dialled, and leaves when it stops', async () => {
    await using scheduler = await Scheduler.open({ port: 0, nodes: [] });
    const lines: string[] = [];
    const daemon = await openDaemon({ cpus: 1, scheduler: [{ address: scheduler.addresses[0]! }] });
    daemon.events.on('scheduler', (line) => lines.push(line));
    const node = await visit(scheduler, '/node?client=spec');
    expect(await node.next('node')).toMatchObject({ name: 'node-1', cpus: 1, state: 'serving' });
    const { pid } = await (await surroundings(siteAt(scheduler))).look();
    expect(daemon.clients()).toMatchObject([{ user: 'scheduler', sites: [{ pid }] }]);
    await daemon.stop({ now: true });
    expect(await node.next('gone')).toBe('node-1');
    expect(await daemon.ended).toEqual({ why: 'killed' });
    expect(lines[0]).toContain('serves at the scheduler');
  });
});
