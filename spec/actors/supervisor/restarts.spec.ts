import { describe, expect, test } from 'vitest';
import { createActor } from 'xstate';
import { Supervisor } from '../../../lib/index.ts';
import { type Reason, settle, Troupe } from './actors.ts';

const reasons: Reason[] = ['normal', 'shutdown', 'crashed', 'killed'];
const types = ['permanent', 'transient', 'temporary'] as const;

/** What follows when b of a, b and c is to be started again; its own end is before that. */
const restarted = {
  one_for_one: '+b',
  rest_for_one: '-c +b +c',
  one_for_all: '-c -a +a +b +c',
};

/** Whether OTP starts a child of this type again that ended for this reason. */
const comesBack = {
  permanent: { normal: true, shutdown: true, crashed: true, killed: true },
  transient: { normal: false, shutdown: false, crashed: true, killed: true },
  temporary: { normal: false, shutdown: false, crashed: false, killed: false },
};

const rows = types.flatMap((type) => reasons.map((reason) => ({ type, reason })));

describe.each(['one_for_one', 'rest_for_one', 'one_for_all'] as const)('a %s supervisor', (strategy) => {
  test.each(rows)('does as OTP does when a $type child ends: $reason', async ({ type, reason }) => {
    const troupe = new Troupe();
    const own = (id: string) => troupe.ownSpec(id, id === 'b' ? { restart: type } : {});
    const supervisor = troupe.supervise(['a', 'b', 'c'].map(own), { strategy });
    await supervisor.ready;
    troupe.news();
    const b = supervisor.child('b');
    await troupe.end('b', reason);
    const end = reason === 'shutdown' ? '-b' : 'xb';
    const back = comesBack[type][reason];
    expect(troupe.news()).toBe(back ? `${end} ${restarted[strategy]}` : end);
    expect(b.state).toBe(back ? 'up' : type === 'temporary' ? 'gone' : 'down');
    expect(b.restarts).toBe(back ? 1 : 0);
    expect(b.exit?.reason).toBe(reason);
    expect(supervisor.child('c').restarts).toBe(back && strategy !== 'one_for_one' ? 1 : 0);
    await supervisor.close();
    expect(troupe.living).toEqual([]);
  });
});

describe('a simple_one_for_one supervisor', () => {
  test.each(rows)('does as OTP does when a $type child ends: $reason', async ({ type, reason }) => {
    const troupe = new Troupe();
    const supervisor = new Supervisor({
      clock: troupe.clock,
      strategy: 'simple_one_for_one',
      children: [{ id: 'w', restart: type, start: (name: string) => createActor(troupe.logic(name)) }],
    });
    for (const name of ['a', 'b', 'c']) await supervisor.startChild(name);
    troupe.news();
    const b = supervisor.child('w/2');
    await troupe.end('b', reason);
    const end = reason === 'shutdown' ? '-b' : 'xb';
    const back = comesBack[type][reason];
    expect(troupe.news()).toBe(back ? `${end} +b` : end);
    // Nothing is kept of a dynamic child that is not started again.
    expect(b.state).toBe(back ? 'up' : 'gone');
    expect(supervisor.whichChildren().map(({ id }) => id)).toEqual(
      back ? ['w/1', 'w/2', 'w/3'] : ['w/1', 'w/3'],
    );
    await supervisor.close();
    expect(troupe.living).toEqual([]);
  });
});

describe('the others of a group', () => {
  test('are started again if they are transient or had been terminated, and are gone if they are temporary', async () => {
    const troupe = new Troupe();
    const supervisor = troupe.supervise(
      [
        troupe.spec('a', { restart: 'temporary' }),
        troupe.spec('b', { restart: 'transient' }),
        'c',
        troupe.spec('d', { restart: 'temporary' }),
        'e',
      ],
      { strategy: 'one_for_all' },
    );
    await supervisor.ready;
    await supervisor.terminateChild('e');
    troupe.news();
    await troupe.end('c');
    expect(troupe.news()).toBe('xc -d -b -a +b +c +e');
    expect(supervisor.whichChildren().map(({ id, state }) => `${id} ${state}`)).toEqual([
      'b up',
      'c up',
      'e up',
    ]);
    await supervisor.close();
  });

  test('are told apart by where they stand: those before the dead one live on under rest_for_one', async () => {
    const troupe = new Troupe();
    const supervisor = troupe.supervise(['a', 'b', 'c'], { strategy: 'rest_for_one', intensity: 9 });
    await supervisor.ready;
    troupe.news();
    await troupe.end('c');
    expect(troupe.news()).toBe('xc +c');
    await troupe.end('a');
    expect(troupe.news()).toBe('xa -c -b +a +b +c');
    await supervisor.close();
  });

  test('count one restart only when several die at once, and start once', async () => {
    const troupe = new Troupe();
    const supervisor = troupe.supervise(['a', 'b', 'c'], { strategy: 'one_for_all', intensity: 1 });
    await supervisor.ready;
    troupe.news();
    void troupe.end('a');
    void troupe.end('b');
    await troupe.end('c');
    expect(troupe.news()).toBe('xa xb xc +a +b +c');
    expect(supervisor.state).toBe('running');
    await supervisor.close();
  });

  test('count a restart each when several die at once and depend on nobody', async () => {
    const troupe = new Troupe();
    const supervisor = troupe.supervise(['a', 'b', 'c'], { intensity: 2 });
    await supervisor.ready;
    void troupe.end('a');
    void troupe.end('b');
    await troupe.end('c');
    expect(await supervisor.ended).toMatchObject({ reason: 'intensity' });
  });
});

describe('a restart that fails', () => {
  test.each([
    ['one_for_one', 'xb !b !b +b'],
    ['rest_for_one', 'xb -c !b !b +b +c'],
    ['one_for_all', 'xb -c -a +a !b -a +a !b -a +a +b +c'],
  ] as const)('is tried again, and each attempt counts: %s', async (strategy, log) => {
    const troupe = new Troupe();
    const supervisor = troupe.supervise(['a', 'b', 'c'], { strategy, intensity: 3 });
    await supervisor.ready;
    troupe.news();
    troupe.failures.set('b', 2);
    await troupe.end('b');
    expect(troupe.news()).toBe(log);
    expect(supervisor.child('b').restarts).toBe(3);
    await troupe.end('b');
    expect(await supervisor.ended).toMatchObject({ reason: 'intensity' });
    expect(troupe.living).toEqual([]);
  });

  test('is the next cause under rest_for_one when it is that of a later child', async () => {
    const troupe = new Troupe();
    const supervisor = troupe.supervise(['a', 'b', 'c'], { strategy: 'rest_for_one', intensity: 2 });
    await supervisor.ready;
    troupe.news();
    troupe.failures.set('c', 1);
    await troupe.end('b');
    expect(troupe.news()).toBe('xb -c +b !c +c');
    await supervisor.close();
  });

  test('starves neither a request nor the program, however often it fails', async () => {
    const troupe = new Troupe();
    const supervisor = troupe.supervise(['a', 'b'], { intensity: Infinity });
    await supervisor.ready;
    troupe.failures.set('a', Infinity);
    await troupe.end('a');
    expect(supervisor.child('a').state).toBe('restarting');
    await troupe.end('b');
    expect(supervisor.child('b').state).toBe('up');
    await supervisor.startChild(troupe.spec('c'));
    await supervisor.terminateChild('a');
    expect(supervisor.child('a').state).toBe('down');
    troupe.news();
    await settle();
    expect(troupe.news()).toBe('');
    await supervisor.restartChild('a').catch(() => {});
    troupe.failures.delete('a');
    await supervisor.restartChild('a');
    troupe.failures.set('a', Infinity);
    await troupe.end('a');
    await supervisor.close();
    troupe.news();
    await settle();
    expect(troupe.news()).toBe('');
  });

  test('starves nothing in a group either', async () => {
    const troupe = new Troupe();
    const supervisor = troupe.supervise(['a', 'b'], { strategy: 'one_for_all', intensity: Infinity });
    await supervisor.ready;
    troupe.failures.set('b', Infinity);
    await troupe.end('b');
    expect((await supervisor.startChild(troupe.spec('c'))).id).toBe('c');
    await supervisor.terminateChild('b');
    await settle();
    // Who was not at fault comes back without it.
    expect(troupe.living).toEqual(['a', 'c']);
    await supervisor.close();
    expect(troupe.living).toEqual([]);
  });
});
