import { afterEach, describe, expect, test, vi } from 'vitest';
import { HotLoop } from '../../../lib/wire/link/hot-loop.ts';

afterEach(() => vi.restoreAllMocks());

/** A clock that only the spec moves, in milliseconds. */
const clock = () => {
  const time = { now: 1_000 };
  vi.spyOn(performance, 'now').mockImplementation(() => time.now);
  return time;
};

/** A loop, and a promise of its next parking. */
const make = (poll: () => boolean, hotFor?: number) => {
  let parked = () => {};
  let parkings = 0;
  const loop = new HotLoop(
    poll,
    () => {
      parkings++;
      parked();
    },
    hotFor,
  );
  const parking = () =>
    new Promise<void>((resolve) => {
      parked = resolve;
    });
  return { loop, parking, parkings: () => parkings };
};

describe('a hot loop', () => {
  test('does nothing until it is touched', () => {
    const { loop, parkings } = make(() => false);
    expect([loop.turning, parkings()]).toEqual([false, 0]);
  });

  test('turns for its time after a touch, and parks then', async () => {
    const time = clock();
    let polls = 0;
    const { loop, parking } = make(() => {
      polls++;
      time.now++;
      return false;
    }, 5);
    loop.touch();
    expect(loop.turning).toBe(true);
    await parking();
    // At the times 0 to 5 after the touch.
    expect(polls).toBe(6);
    expect(loop.turning).toBe(false);
  });

  test('looks once and parks at once when it is never to be hot', async () => {
    let polls = 0;
    const { loop, parking } = make(() => {
      polls++;
      return false;
    }, 0);
    loop.touch();
    await parking();
    expect(polls).toBe(1);
  });

  test('stays hot as long as something comes', async () => {
    let left = 200;
    const { loop, parking } = make(() => left-- > 0, 0.01);
    loop.touch();
    await parking();
    expect(left).toBeLessThan(0);
  });

  test('turns once, however often it is touched, and again after it parked', async () => {
    const { loop, parking, parkings } = make(() => false, 0);
    loop.touch();
    loop.touch();
    await parking();
    await new Promise(setImmediate);
    expect(parkings()).toBe(1);
    loop.touch();
    await parking();
    expect(parkings()).toBe(2);
  });

  test('lets timers, immediates and promises go on', async () => {
    const time = clock();
    const { loop, parking } = make(() => false, 5);
    loop.touch();
    const order: string[] = [];
    const parked = parking().then(() => order.push('parked'));
    await new Promise((resolve) => setTimeout(resolve, 0));
    order.push('timer');
    await new Promise(setImmediate);
    order.push('immediate');
    expect(loop.turning).toBe(true);
    time.now += 5;
    await parked;
    expect(order).toEqual(['timer', 'immediate', 'parked']);
  });

  test('neither polls nor parks any more once it is stopped', async () => {
    let polls = 0;
    const { loop, parkings } = make(() => {
      polls++;
      return false;
    }, 1);
    loop.touch();
    loop.stop();
    loop.touch();
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    expect([polls, parkings(), loop.turning]).toEqual([0, 0, false]);
  });

  test('can be stopped by what it finds', async () => {
    let polls = 0;
    const { loop } = make(() => {
      polls++;
      loop.stop();
      return true;
    }, 1);
    loop.touch();
    for (let i = 0; i < 5; i++) await new Promise(setImmediate);
    expect(polls).toBe(1);
  });
});
