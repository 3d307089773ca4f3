import { describe, expect, test } from 'vitest';
import { backoffDelay } from '../../../actors/supervisor/backoff.ts';
import { settle, Troupe } from './actors.ts';

const backoff = { initial: 100, max: 1_000, factor: 2, jitter: 0 };

/** Lets time pass, and what follows from it. */
const pass = async (troupe: Troupe, ms: number) => {
  troupe.clock.increment(ms);
  await settle();
};

describe('the delay of a restart', () => {
  test('grows from the first to the longest', () => {
    const delays = [0, 1, 2, 3, 4, 5, 1_000].map((before) => backoffDelay(backoff, before, () => 1));
    expect(delays).toEqual([100, 200, 400, 800, 1_000, 1_000, 1_000]);
  });

  test('leaves the share to chance that is its jitter', () => {
    const some = { ...backoff, jitter: 0.5 };
    expect(backoffDelay(some, 1, () => 0)).toBe(200);
    expect(backoffDelay(some, 1, () => 1)).toBe(100);
    expect(backoffDelay({ ...backoff, jitter: 1 }, 1, () => 1)).toBe(0);
  });
});

describe('a supervisor with a backoff', () => {
  test('waits before each restart, longer each time, and begins anew when the child was up for long', async () => {
    const troupe = new Troupe();
    const supervisor = troupe.supervise(['a', 'b'], { backoff, intensity: Infinity });
    await supervisor.ready;
    troupe.news();
    for (const delay of [100, 200, 400]) {
      await troupe.end('a');
      await pass(troupe, delay - 1);
      expect(troupe.news()).toBe('xa');
      expect(supervisor.child('a').state).toBe('restarting');
      await pass(troupe, 1);
      expect(troupe.news()).toBe('+a');
    }
    await pass(troupe, 1_000);
    await troupe.end('a');
    await pass(troupe, 100);
    expect(troupe.news()).toBe('xa +a');
    await supervisor.close();
  });

  test('also waits longer for a start that fails, and for a group', async () => {
    const troupe = new Troupe();
    const supervisor = troupe.supervise(['a', 'b', 'c'], {
      strategy: 'one_for_all',
      backoff,
      intensity: Infinity,
    });
    await supervisor.ready;
    troupe.news();
    troupe.failures.set('b', 1);
    await troupe.end('b');
    expect(troupe.news()).toBe('xb -c -a');
    expect(supervisor.whichChildren().map(({ state }) => state)).toEqual(Array(3).fill('restarting'));
    await pass(troupe, 100);
    expect(troupe.news()).toBe('+a !b -a');
    await pass(troupe, 199);
    expect(troupe.news()).toBe('');
    await pass(troupe, 1);
    expect(troupe.news()).toBe('+a +b +c');
    await supervisor.close();
  });

  test('answers requests meanwhile, and takes a restart back that is not wanted any more', async () => {
    const troupe = new Troupe();
    const supervisor = troupe.supervise(['a', 'b'], { backoff, intensity: Infinity });
    await supervisor.ready;
    await troupe.end('a');
    troupe.news();
    await supervisor.startChild(troupe.spec('c'));
    await supervisor.terminateChild('a');
    await pass(troupe, 10_000);
    expect(troupe.news()).toBe('+c');
    await supervisor.deleteChild('a');
    await troupe.end('b');
    await supervisor.close();
    await pass(troupe, 10_000);
    expect(troupe.living).toEqual([]);
    expect(troupe.news()).toBe('xb -c');
  });

  test('ends at once when it is closed while a group waits', async () => {
    const troupe = new Troupe();
    const supervisor = troupe.supervise(['a', 'b', 'c'], { strategy: 'rest_for_one', backoff });
    await supervisor.ready;
    troupe.news();
    await troupe.end('b');
    await supervisor.close();
    await pass(troupe, 10_000);
    expect(troupe.news()).toBe('xb -c -a');
  });

  test('restarts more of a group when an earlier child dies while the later ones wait', async () => {
    const troupe = new Troupe();
    const supervisor = troupe.supervise(['a', 'b', 'c'], { strategy: 'rest_for_one', backoff, intensity: 9 });
    await supervisor.ready;
    troupe.news();
    await troupe.end('c');
    await pass(troupe, 50);
    await troupe.end('b');
    await pass(troupe, 50);
    expect(troupe.news()).toBe('xc xb');
    await pass(troupe, 50);
    expect(troupe.news()).toBe('+b +c');
    await supervisor.close();
  });

  test.each(['one_for_one', 'one_for_all'] as const)('leaves no timer behind: %s', async (strategy) => {
    const troupe = new Troupe();
    const supervisor = troupe.supervise(['a', 'b'], { backoff, strategy });
    await supervisor.ready;
    await troupe.end('a');
    await supervisor.close({ timeout: 1_000 });
    const { timeouts } = troupe.clock as unknown as { timeouts: Map<unknown, unknown> };
    expect(timeouts.size).toBe(0);
  });
});
