import { describe, expect, test } from 'vitest';
import type { Child, SupervisorOptions } from '../../../lib/index.ts';
import { Supervisor } from '../../../lib/index.ts';
import { settle, Troupe } from './actors.ts';

/** Three levels: top over middle and x, middle over low and y, low over a and b. */
const tower = async (
  troupe: Troupe,
  options: { top?: Partial<SupervisorOptions>; middle?: Partial<SupervisorOptions>; low?: object } = {},
) => {
  const low = () => troupe.supervise(['a', 'b'], { name: 'low' });
  const middle = () =>
    troupe.supervise([{ id: 'low', start: low, ...options.low }, 'y'], { name: 'middle', ...options.middle });
  const top = troupe.supervise([{ id: 'middle', start: middle }, 'x'], { name: 'top', ...options.top });
  await top.ready;
  return top;
};

describe('supervisors below supervisors', () => {
  test('start from the leaves of the first child on, and stop in the reverse order', async () => {
    const troupe = new Troupe();
    const top = await tower(troupe);
    expect(troupe.news()).toBe('+a +b +y +x');
    expect(top.countChildren()).toEqual({ specs: 2, active: 2, supervisors: 1, workers: 1 });
    const middle: Child<Supervisor> = top.child('middle');
    expect(middle.current!.name).toBe('middle');
    await top.close();
    expect(troupe.news()).toBe('-x -y -b -a');
  });

  test('are restarted by the one above when their intensity is passed, as a shutdown', async () => {
    const troupe = new Troupe();
    const top = await tower(troupe);
    const low = top.child<Supervisor>('middle').current!.child<Supervisor>('low');
    const first = low.current;
    troupe.news();
    await troupe.end('a');
    expect(troupe.news()).toBe('xa +a');
    await troupe.end('a');
    expect(troupe.news()).toBe('xa -b +a +b');
    expect(low.exit).toMatchObject({ reason: 'shutdown', cause: { reason: 'intensity' } });
    expect(low.current).not.toBe(first);
    expect(low.restarts).toBe(1);
    await top.close();
  });

  test('fail upwards over all levels when each level has had enough', async () => {
    const troupe = new Troupe();
    const top = await tower(troupe);
    troupe.news();
    const ended: string[] = [];
    for (const end of ['low', 'middle', 'top'] as const) void end;
    top.on('exit', ({ reason }) => ended.push(reason));
    // Two deaths end low, two ends of low end middle, two ends of middle end top.
    for (let death = 1; death <= 7; death++) {
      await troupe.end('a');
      expect(top.state).toBe('running');
    }
    troupe.news();
    await troupe.end('a');
    await settle();
    expect(troupe.news()).toBe('xa -b -y -x');
    expect(ended).toEqual(['intensity']);
    expect(troupe.living).toEqual([]);
  });

  test('are not restarted if they are transient, because their end is a shutdown', async () => {
    const troupe = new Troupe();
    const top = await tower(troupe, { low: { restart: 'transient' } });
    troupe.news();
    await troupe.end('a');
    await troupe.end('a');
    expect(troupe.news()).toBe('xa +a xa -b');
    const low = top.child<Supervisor>('middle').current!.child('low');
    expect(low.state).toBe('down');
    await top.close();
  });

  test('take those along that depend on them', async () => {
    const troupe = new Troupe();
    const top = await tower(troupe, { top: { strategy: 'one_for_all' }, middle: { intensity: 0 } });
    troupe.news();
    await troupe.end('y');
    expect(troupe.news()).toBe('xy -b -a -x +a +b +y +x');
    await top.close();
  });

  test('that fail to start are a failed start of the one above', async () => {
    const troupe = new Troupe();
    troupe.failures.set('b', 1);
    const inner = () => troupe.supervise(['a', 'b']);
    const outer = troupe.supervise(['x', { id: 'inner', start: inner }]);
    await expect(outer.ready).rejects.toMatchObject({
      id: 'inner',
      cause: { id: 'b', cause: { message: 'b does not start' } },
    });
    expect(troupe.news()).toBe('+x +a !b -a -x');
  });

  test('get the time to end that their spec says, and are killed with all that is below them then', async () => {
    const troupe = new Troupe();
    const stuck = () =>
      new Supervisor({
        clock: troupe.clock,
        children: [
          { id: 'never', type: 'supervisor', start: () => new Supervisor({ children: [] }) },
          troupe.spec('a'),
        ],
      });
    const top = troupe.supervise([{ id: 'stuck', start: stuck, shutdown: 50 }, 'b']);
    await top.ready;
    await top.close({ timeout: 0 });
    expect(troupe.living).toEqual([]);
    expect(top.countChildren().active).toBe(0);
  });
});
