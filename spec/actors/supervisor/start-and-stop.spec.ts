import { describe, expect, test } from 'vitest';
import { createActor, setup } from 'xstate';
import { type ChildStartError, Supervisor, SupervisorClosedError } from '../../../lib/index.ts';
import { rejection } from '../../support/sites.ts';
import { settle, Troupe } from './actors.ts';

/** A start that goes on until its test says so. */
const slow = (troupe: Troupe, id: string) => {
  let finish = () => {};
  const start = () =>
    new Promise<ReturnType<typeof createActor>>((resolve) => {
      troupe.log.push(`?${id}`);
      finish = () => resolve(createActor(troupe.logic(id)));
    });
  return { spec: { id, start }, finish: () => finish() };
};

describe('the children of a supervisor', () => {
  test.each([
    ['was stopped while it ran', true],
    ['was stopped before it was started', false],
  ])('can not be an actor that %s: nobody would learn of its end', async (_, started) => {
    const troupe = new Troupe();
    const actor = createActor(troupe.logic('b'));
    if (started) actor.start();
    actor.stop();
    const supervisor = troupe.supervise(['a', { id: 'b', start: () => actor }]);
    expect((await rejection(supervisor.ready)).message).toMatch(/an actor that has been stopped already/);
    await supervisor.ended;
    expect(troupe.living).toEqual([]);
  });

  test('can not be an actor of another parent, which can not be ended here', async () => {
    const troupe = new Troupe();
    const child = troupe.logic('b');
    const parent = createActor(
      setup({ actors: { child } }).createMachine({ invoke: { src: 'child', id: 'b' } }),
    );
    parent.start();
    const supervisor = troupe.supervise([
      'a',
      { id: 'b', start: () => parent.getSnapshot().children.b as never },
    ]);
    expect((await rejection(supervisor.ready)).message).toMatch(/an actor that another one has made/);
    await supervisor.ended;
    expect(troupe.living).toEqual(['b']);
    parent.stop();
  });

  test('start in order, each when the one before it is up, and stop in the reverse order', async () => {
    const troupe = new Troupe();
    const { spec, finish } = slow(troupe, 'b');
    const supervisor = troupe.supervise(['a', spec, 'c']);
    await settle();
    expect(troupe.news()).toBe('+a ?b');
    expect(supervisor.whichChildren().map(({ state }) => state)).toEqual(['up', 'starting', 'starting']);
    expect(supervisor.state).toBe('starting');
    finish();
    await supervisor.ready;
    expect(troupe.news()).toBe('+b +c');
    await supervisor.close();
    expect(troupe.news()).toBe('-c -b -a');
    expect(await supervisor.ended).toEqual({ reason: 'closed' });
    expect(supervisor.whichChildren()).toEqual([]);
  });

  test('all end again, in the reverse order, when one of them does not start, and the supervisor with them', async () => {
    const troupe = new Troupe();
    troupe.failures.set('c', 1);
    const supervisor = troupe.supervise(['a', 'b', 'c', 'd'], { name: 'top', intensity: 9 });
    const error = (await rejection(supervisor.ready)) as unknown as ChildStartError;
    expect(error).toMatchObject({ code: 'ERR_OFFSITE_CHILD_START', id: 'c' });
    expect(error.message).toBe('c of top could not be started: c does not start');
    expect(error.cause).toMatchObject({ message: 'c does not start' });
    await supervisor.ended;
    expect(troupe.news()).toBe('+a +b !c -b -a');
    expect(await supervisor.ended).toMatchObject({ reason: 'start-failed', cause: error });
  });

  test('that die while later ones still start are restarted when all have', async () => {
    const troupe = new Troupe();
    const { spec, finish } = slow(troupe, 'b');
    const supervisor = troupe.supervise(['a', spec], { strategy: 'rest_for_one' });
    await settle();
    await troupe.end('a');
    expect(troupe.news()).toBe('+a ?b xa');
    expect(supervisor.child('a').state).toBe('restarting');
    finish();
    await settle();
    expect(troupe.news()).toBe('+b -b +a ?b');
    await supervisor.close();
    expect(troupe.news()).toBe('-a');
    finish();
  });

  test('that still start when the supervisor is closed are given up, and what they give later is ended', async () => {
    const troupe = new Troupe();
    const { spec, finish } = slow(troupe, 'b');
    const supervisor = troupe.supervise(['a', spec, 'c']);
    await settle();
    const waiting = rejection(supervisor.child('b').whenUp());
    const asked = rejection(supervisor.startChild(troupe.spec('d')));
    await supervisor.close();
    expect(troupe.news()).toBe('+a ?b -a');
    expect(await rejection(supervisor.ready)).toBeInstanceOf(SupervisorClosedError);
    expect(await asked).toBeInstanceOf(SupervisorClosedError);
    expect((await waiting).code).toBe('ERR_OFFSITE_NO_CHILD');
    finish();
    await settle();
    expect(troupe.living).toEqual([]);
  });

  test('have so long to start as their spec says', async () => {
    const troupe = new Troupe();
    const { spec } = slow(troupe, 'b');
    const supervisor = troupe.supervise(['a', { ...spec, startTimeout: 700 }]);
    await settle();
    troupe.clock.increment(699);
    await settle();
    expect(supervisor.state).toBe('starting');
    troupe.clock.increment(1);
    const error = await rejection(supervisor.ready);
    expect(error.cause).toMatchObject({ code: 'ERR_OFFSITE_TIMEOUT', waited: 700 });
    expect(error.message).toMatch(/b was not up 700 ms after its start/);
    expect(troupe.news()).toBe('+a ?b -a');
  });

  test('have as long to start as their own children take if they are supervisors', async () => {
    const troupe = new Troupe();
    const { spec, finish } = slow(troupe, 'b');
    const inner = () => troupe.supervise([{ ...spec, startTimeout: 'infinity' }]);
    const supervisor = troupe.supervise([{ id: 'inner', start: inner }]);
    await settle();
    troupe.clock.increment(3_600_000);
    finish();
    await supervisor.ready;
    expect(supervisor.child('inner').type).toBe('supervisor');
    await supervisor.close();
  });

  test('may be done at once, which is an end like any other', async () => {
    const troupe = new Troupe();
    const done = { ...troupe.logic('a'), getInitialSnapshot: () => ({ status: 'done' as const }) };
    const supervisor = troupe.supervise([{ id: 'a', start: done as never, restart: 'transient' }, 'b'], {
      intensity: 0,
    });
    await supervisor.ready;
    await settle();
    expect(supervisor.child('a').state).toBe('down');
    expect(supervisor.child('a').exit).toEqual({ reason: 'normal' });
    await supervisor.close();
  });

  test('may be none', async () => {
    const supervisor = new Supervisor();
    await supervisor.ready;
    expect(supervisor.countChildren()).toEqual({ specs: 0, active: 0, supervisors: 0, workers: 0 });
    await supervisor.close();
  });
});

describe('a start that is not right', () => {
  test.each([
    [
      'throws',
      () => {
        throw new Error('no');
      },
      /could not be started: no/,
    ],
    [
      'rejects',
      async () => {
        throw new Error('never');
      },
      /could not be started: never/,
    ],
    [
      'gives what can not be a child',
      () => ({}) as never,
      /must give a RemoteManager, a Supervisor or an XState actor/,
    ],
    ['gives nothing', () => undefined as never, /must give a RemoteManager, a Supervisor or an XState actor/],
  ])('because it %s, is a failure to start', async (_how, start, message) => {
    const supervisor = new Supervisor({ children: [{ id: 'a', start }] });
    expect((await rejection(supervisor.ready)).message).toMatch(message);
  });

  test('because it sets up what is no site', async () => {
    const troupe = new Troupe();
    const supervisor = troupe.supervise([troupe.spec('a', { setup: () => {} })]);
    expect((await rejection(supervisor.ready)).message).toMatch(/Only a site has a setup, and a is none/);
    expect(troupe.living).toEqual([]);
  });
});

describe('the end of a supervisor', () => {
  test('comes once, however often it is asked for, and is told to those that come late', async () => {
    const troupe = new Troupe();
    const supervisor = troupe.supervise(['a']);
    await supervisor.ready;
    let exits = 0;
    supervisor.on('exit', () => exits++);
    await Promise.all([
      supervisor.close(),
      supervisor.close({ timeout: 5 }),
      supervisor[Symbol.asyncDispose](),
    ]);
    await supervisor.close();
    expect(exits).toBe(1);
    expect(await new Promise((resolve) => supervisor.on('exit', resolve))).toEqual({ reason: 'closed' });
    for (const asked of [
      supervisor.startChild(troupe.spec('b')),
      supervisor.terminateChild('a'),
      supervisor.restartChild('a'),
      supervisor.deleteChild('a'),
    ])
      expect(await rejection(asked)).toBeInstanceOf(SupervisorClosedError);
  });

  test('is not kept from coming by a listener that throws', async () => {
    const troupe = new Troupe();
    const supervisor = troupe.supervise(['a']);
    const thrown = new Promise((resolve) => {
      const others = process.listeners('uncaughtException');
      process.removeAllListeners('uncaughtException');
      process.once('uncaughtException', (error) => {
        for (const other of others) process.on('uncaughtException', other);
        resolve(error);
      });
    });
    const child = supervisor.child('a');
    child.on('down', function bad() {
      child.off('down', bad);
      throw new Error('a bad listener');
    });
    await supervisor.ready;
    await troupe.end('a');
    expect(await thrown).toMatchObject({ message: 'a bad listener' });
    expect(supervisor.child('a').state).toBe('up');
    await supervisor.close();
  });

  test('during a restart ends what was started and starts nothing more', async () => {
    const troupe = new Troupe();
    let started = 0;
    const c = slow(troupe, 'c');
    const start = () => (started++ === 0 ? createActor(troupe.logic('c')) : c.spec.start());
    const supervisor = troupe.supervise(['a', 'b', { id: 'c', start }, 'd'], { strategy: 'one_for_all' });
    await supervisor.ready;
    troupe.news();
    await troupe.end('b');
    expect(troupe.news()).toBe('xb -d -c -a +a +b ?c');
    await supervisor.close();
    expect(troupe.news()).toBe('-b -a');
    c.finish();
    await settle();
    expect(troupe.living).toEqual([]);
  });
});
