import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Ending } from '../../../actors/remote-manager/ending.ts';
import type { ForkedSite } from '../../../lib/fork/fork-method.ts';

const FOREVER = 2 ** 31 - 1;

/** A site that ends only by what is named, and what was done to it. */
const siteThatHeeds = (heeds: 'SIGTERM' | 'SIGKILL' | 'abandon') => {
  const done: string[] = [];
  let exit!: () => void;
  const exited = new Promise<void>((resolve) => {
    exit = resolve;
  });
  const act = async (what: string) => {
    done.push(what);
    if (what === heeds) exit();
  };
  const forked = { exited, kill: act, abandon: () => act('abandon') } as unknown as ForkedSite;
  return { done, exit, forked };
};
const reached = () => false;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('a site that is to end', () => {
  test('is asked, then gets SIGTERM, then SIGKILL', async () => {
    const { done, forked } = siteThatHeeds('SIGKILL');
    const ending = new Ending();
    const pressed = ending.press(forked, undefined, reached);
    await vi.advanceTimersByTimeAsync(2_999);
    expect(done).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(done).toEqual(['SIGTERM']);
    await vi.advanceTimersByTimeAsync(1_000);
    await pressed;
    expect(done).toEqual(['SIGTERM', 'SIGKILL']);
  });

  test('gets nothing of that once it has ended', async () => {
    const { done, exit, forked } = siteThatHeeds('SIGTERM');
    const pressed = new Ending().press(forked, FOREVER, reached);
    exit();
    await pressed;
    expect(done).toEqual([]);
  });

  test('gets SIGKILL and nothing else if it is killed, before it was asked or after', async () => {
    for (const before of [true, false]) {
      const { done, forked } = siteThatHeeds('SIGKILL');
      const ending = new Ending();
      if (before) ending.kill();
      const pressed = ending.press(forked, FOREVER, reached);
      ending.kill();
      // No time passes.
      await pressed;
      expect(done).toEqual(['SIGKILL']);
      expect(ending.brutal).toBe(true);
    }
  });

  test('gets SIGKILL at once if it is killed while it has SIGTERM', async () => {
    const { done, forked } = siteThatHeeds('SIGKILL');
    const ending = new Ending();
    const pressed = ending.press(forked, 0, reached);
    await vi.advanceTimersByTimeAsync(1);
    ending.kill();
    await pressed;
    expect(done).toEqual(['SIGTERM', 'SIGKILL']);
  });

  test('is given up at once if it is cut off, because it hears no signal', async () => {
    const { done, forked } = siteThatHeeds('abandon');
    await Promise.all([new Ending().press(forked, 0, () => true), vi.advanceTimersByTimeAsync(1)]);
    expect(done).toEqual(['abandon']);
  });

  test('may be hurried before it is asked, and the shortest bound counts', async () => {
    const { done, forked } = siteThatHeeds('SIGTERM');
    const ending = new Ending();
    ending.hurry(5);
    await vi.advanceTimersByTimeAsync(5);
    await ending.press(forked, FOREVER, reached);
    expect(done).toEqual(['SIGTERM']);
    ending.hurry(FOREVER);
    ending.over();
    // Nobody's timer holds the program.
    expect(vi.getTimerCount()).toBe(0);
  });

  test('that heeds nothing is not waited for for ever', async () => {
    const { done, forked } = siteThatHeeds('abandon');
    const pressed = new Ending().press(forked, 0, reached);
    await vi.advanceTimersByTimeAsync(2_001);
    await pressed;
    expect(done).toEqual(['SIGTERM', 'SIGKILL']);
  });
});
