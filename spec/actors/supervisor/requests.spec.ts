import { describe, expect, test } from 'vitest';
import { createActor, fromTransition } from 'xstate';
import { Supervisor } from '../../../lib/index.ts';
import { rejection } from '../../support/sites.ts';
import { Troupe } from './actors.ts';

describe('what can be asked of a supervisor', () => {
  test('is to start one more child, which is the last then, and is started again with the others', async () => {
    const troupe = new Troupe();
    const supervisor = troupe.supervise(['a'], { strategy: 'one_for_all' });
    const child = await supervisor.startChild(troupe.spec('b'));
    expect(child).toBe(supervisor.child('b'));
    expect(supervisor.whichChildren().map(({ id }) => id)).toEqual(['a', 'b']);
    troupe.news();
    await troupe.end('a');
    expect(troupe.news()).toBe('xa -b +a +b');
    await supervisor.close();
  });

  test('keeps nothing of a child that did not start', async () => {
    const troupe = new Troupe();
    const supervisor = troupe.supervise([]);
    troupe.failures.set('b', 1);
    expect(await rejection(supervisor.startChild(troupe.spec('b')))).toMatchObject({
      code: 'ERR_OFFSITE_CHILD_START',
      id: 'b',
    });
    expect(supervisor.whichChildren()).toEqual([]);
    await supervisor.startChild(troupe.spec('b'));
    await supervisor.close();
  });

  test('is refused with what OTP says: not found, running, restarting, already there', async () => {
    const troupe = new Troupe();
    const supervisor = troupe.supervise(['a', 'b', 'c'], { backoff: { initial: 10 }, intensity: 9 });
    await supervisor.ready;
    await supervisor.terminateChild('b');
    await troupe.end('c');
    const code = async (asked: Promise<unknown>) => (await rejection(asked)).code;
    for (const method of ['restartChild', 'deleteChild'] as const) {
      expect(await code(supervisor[method]('a'))).toBe('ERR_OFFSITE_CHILD_RUNNING');
      expect(await code(supervisor[method]('c'))).toBe('ERR_OFFSITE_CHILD_RESTARTING');
      expect(await code(supervisor[method]('x'))).toBe('ERR_OFFSITE_NO_CHILD');
    }
    expect(await code(supervisor.terminateChild('x'))).toBe('ERR_OFFSITE_NO_CHILD');
    expect(await code(supervisor.startChild(troupe.spec('a')))).toBe('ERR_OFFSITE_CHILD_RUNNING');
    expect(await code(supervisor.startChild(troupe.spec('b')))).toBe('ERR_OFFSITE_CHILD_PRESENT');
    expect(() => supervisor.child('x')).toThrow(/has no child "x"/);
    // Ending what has ended is no error.
    await supervisor.terminateChild('b');
    await supervisor.deleteChild('b');
    expect(() => supervisor.child('b')).toThrow(/has no child/);
    await supervisor.close();
  });

  test('leaves a child down that can not be restarted by hand', async () => {
    const troupe = new Troupe();
    const supervisor = troupe.supervise(['a']);
    await supervisor.ready;
    await supervisor.terminateChild('a');
    troupe.failures.set('a', 1);
    expect((await rejection(supervisor.restartChild('a'))).code).toBe('ERR_OFFSITE_CHILD_START');
    expect(supervisor.child('a').state).toBe('down');
    expect((await supervisor.restartChild('a')).state).toBe('up');
    expect(supervisor.child('a').restarts).toBe(0);
    await supervisor.close();
  });

  test('is how many children there are, and of which kind', async () => {
    const troupe = new Troupe();
    const supervisor = troupe.supervise(['a', { id: 's', start: () => troupe.supervise(['x']) }, 'b']);
    await supervisor.ready;
    await supervisor.terminateChild('b');
    expect(supervisor.countChildren()).toEqual({ specs: 3, active: 2, supervisors: 1, workers: 2 });
    await supervisor.close();
  });

  test("is a child's spec, with its defaults", async () => {
    const troupe = new Troupe();
    const spec = troupe.spec('a');
    const supervisor = troupe.supervise([spec]);
    expect(supervisor.getChildSpec('a')).toMatchObject({ ...spec, restart: 'permanent', significant: false });
    await supervisor.close();
  });
});

describe('a simple_one_for_one supervisor', () => {
  const counter = fromTransition(
    (state: number, event: { type: 'add'; by: number }) => state + event.by,
    ({ input }: { input: number }) => input,
  );

  test('starts children of one template by its arguments, all at once if that is asked', async () => {
    const supervisor = new Supervisor({
      strategy: 'simple_one_for_one',
      children: [{ id: 'counter', start: (from: number) => createActor(counter, { input: from }) }],
    });
    const children = await Promise.all(
      [1, 2, 3].map((from) => supervisor.startChild<ReturnType<typeof createActor<typeof counter>>>(from)),
    );
    expect(children.map(({ id }) => id)).toEqual(['counter/1', 'counter/2', 'counter/3']);
    expect(children.map(({ current }) => current!.getSnapshot().context)).toEqual([1, 2, 3]);
    expect(supervisor.countChildren()).toEqual({ specs: 1, active: 3, supervisors: 0, workers: 3 });
    await supervisor.terminateChild('counter/2');
    expect(supervisor.whichChildren().map(({ id }) => id)).toEqual(['counter/1', 'counter/3']);
    await supervisor.close();
    expect(children.map(({ state }) => state)).toEqual(['gone', 'gone', 'gone']);
  });

  test('ends all of them at once, however many they are, and warns of no leak', async () => {
    const warnings: Error[] = [];
    const note = (warning: Error) => warnings.push(warning);
    process.on('warning', note);
    const supervisor = new Supervisor({
      strategy: 'simple_one_for_one',
      children: [{ id: 'inner', start: () => new Supervisor() }],
    });
    await Promise.all(Array.from({ length: 20 }, () => supervisor.startChild()));
    await supervisor.close();
    await new Promise(setImmediate);
    process.off('warning', note);
    expect(warnings).toEqual([]);
  });

  test('gives the argument to an actor logic as its input, at each restart as well', async () => {
    const troupe = new Troupe();
    const inputs: unknown[] = [];
    const logic = troupe.logic('a');
    const start = {
      ...logic,
      getInitialSnapshot: (...args: unknown[]) => {
        inputs.push(args[1]);
        return (logic.getInitialSnapshot as (...args: unknown[]) => never)(...args);
      },
    };
    const supervisor = new Supervisor<[number]>({
      strategy: 'simple_one_for_one',
      children: [{ id: 'w', start: start as never }],
    });
    await supervisor.startChild(7);
    await troupe.end('a');
    expect(inputs).toEqual([7, 7]);
    await supervisor.close();
  });

  test('has neither restartChild nor deleteChild, and one template', async () => {
    const template = { id: 'w', start: counter };
    const supervisor = new Supervisor<[number]>({ strategy: 'simple_one_for_one', children: [template] });
    expect((await rejection(supervisor.restartChild('w/1'))).message).toMatch(/there is no restartChild/);
    expect((await rejection(supervisor.deleteChild('w/1'))).message).toMatch(/there is no deleteChild/);
    await supervisor.close();
    expect(() => new Supervisor({ strategy: 'simple_one_for_one', children: [] as never })).toThrow(
      /one child spec, the template/,
    );
  });
});

describe('the actors below a supervisor', () => {
  test('are in the system of its own actor, where their siblings find them by their system ids', async () => {
    const troupe = new Troupe();
    const supervisor = troupe.supervise([troupe.spec('a', { systemId: 'first' })]);
    await supervisor.ready;
    const before = supervisor.actor.system.get('first' as never);
    expect(before).toBe(supervisor.child('a').current);
    await troupe.end('a');
    expect(supervisor.actor.system.get('first' as never)).toBe(supervisor.child('a').current);
    expect(supervisor.actor.system.get('first' as never)).not.toBe(before);
    await supervisor.close();
  });
});
