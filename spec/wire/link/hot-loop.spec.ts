import { describe, expect, test } from 'vitest';
import { HotLoop } from '../../../lib/wire/link/hot-loop.ts';

/** A loop whose clock and turns are this spec's: one turn takes a millisecond. */
const make = (hotFor = 5) => {
  const turns: (() => void)[] = [];
  const world = { time: 1_000, looksAtClock: 0, polls: 0, parkings: 0, there: 0, onPoll: () => {} };
  const loop = new HotLoop(
    () => {
      world.polls++;
      world.onPoll();
      return world.there-- > 0;
    },
    () => void world.parkings++,
    {
      hotFor,
      clock: () => {
        world.looksAtClock++;
        return world.time;
      },
      schedule: (turn) => void turns.push(turn),
    },
  );
  /** Lets the loop turn until it parks, or so many times. */
  const turn = (times = 1_000) => {
    for (let i = 0; i < times && turns.length > 0; i++) {
      turns.shift()!();
      world.time++;
    }
  };
  /** Ends so many windows without an arrival. */
  const miss = (windows: number) => {
    for (let i = 0; i < windows; i++) {
      loop.touch();
      turn();
    }
  };
  return { loop, world, turns, turn, miss };
};

describe('a hot loop', () => {
  test('does nothing until it is touched', () => {
    const { loop, world, turns } = make();
    expect([loop.turning, turns.length, world.parkings]).toEqual([false, 0, 0]);
  });

  test('turns for its time after a touch, and parks then', () => {
    const { loop, world, turn } = make(5);
    loop.touch();
    expect(loop.turning).toBe(true);
    turn();
    // At the times 0 to 5 of its window, with one look at the clock each.
    expect([world.polls, world.looksAtClock, world.parkings]).toEqual([6, 6, 1]);
    expect(loop.turning).toBe(false);
  });

  test('looks once and parks when its window is nothing', () => {
    const { loop, world, turn } = make(0);
    loop.touch();
    turn();
    expect([world.polls, world.parkings]).toEqual([1, 1]);
  });

  test.each(['what it finds', 'what is told to it', 'what is sent'] as const)(
    'begins its window anew with %s',
    (how) => {
      const { loop, world, turn } = make(5);
      loop.touch();
      turn(4);
      if (how === 'what it finds') world.there = 1;
      if (how === 'what is told to it') loop.arrived();
      if (how === 'what is sent') loop.touch();
      turn(5);
      expect([loop.turning, world.parkings]).toEqual([true, 0]);
      turn();
      expect(world.polls).toBe(10);
    },
  );

  test('turns once, however often it is touched, and again after it parked', () => {
    const { loop, turns, turn, world } = make();
    loop.touch();
    loop.touch();
    loop.arrived();
    expect(turns).toHaveLength(1);
    turn();
    loop.touch();
    turn();
    expect(world.parkings).toBe(2);
  });

  test('neither polls nor parks any more once it is stopped', () => {
    const { loop, turn, world } = make();
    loop.touch();
    loop.stop();
    loop.touch();
    turn();
    loop.arrived();
    expect([world.polls, world.parkings, loop.turning]).toEqual([0, 0, false]);
  });

  test('can be stopped by what it finds', () => {
    const { loop, turn, world } = make();
    world.onPoll = () => loop.stop();
    world.there = 9;
    loop.touch();
    turn();
    expect([world.polls, world.parkings, loop.turning]).toEqual([1, 0, false]);
  });

  test('lets timers, immediates and promises go on, and parks by itself', async () => {
    const time = { now: 0 };
    const order: string[] = [];
    let parked = () => {};
    const parking = new Promise<void>((resolve) => {
      parked = resolve;
    }).then(() => order.push('parked'));
    const loop = new HotLoop(
      () => false,
      () => parked(),
      { clock: () => time.now },
    );
    loop.touch();
    await new Promise((resolve) => setTimeout(resolve, 0));
    order.push('timer');
    await new Promise(setImmediate);
    order.push('immediate');
    expect(loop.turning).toBe(true);
    time.now += 5;
    await parking;
    expect(order).toEqual(['timer', 'immediate', 'parked']);
  });
});

describe('a loop that turned in vain', () => {
  test('is cold after three windows in a row, and then parks at once', () => {
    const { loop, miss, turns } = make();
    miss(2);
    expect(loop.cold).toBe(false);
    miss(1);
    expect(loop.cold).toBe(true);
    loop.touch();
    loop.arrived();
    expect([turns.length, loop.turning]).toEqual([0, false]);
  });

  test('stays hot if only two in a row were in vain, whoever told of the arrival', () => {
    for (const how of ['found', 'told'] as const) {
      const { loop, world, turn, miss } = make();
      for (let round = 0; round < 10; round++) {
        miss(1);
        loop.touch();
        turn(2);
        if (how === 'found') world.there = 1;
        else loop.arrived();
        turn();
        expect(loop.cold).toBe(false);
      }
    }
  });

  test('does not take what ends its sleep for an arrival within a window', () => {
    const { loop, turn } = make();
    for (let i = 0; i < 3; i++) {
      expect(loop.cold).toBe(false);
      loop.arrived();
      turn();
    }
    expect(loop.cold).toBe(true);
  });

  test('tries one window at the hundredth arrival, and stays cold for another hundred if that was in vain', () => {
    const { loop, world, turn, miss } = make();
    miss(3);
    for (let probe = 0; probe < 3; probe++) {
      const { parkings } = world;
      for (let i = 1; i < 100; i++) {
        loop.arrived();
        loop.touch();
        expect(loop.turning).toBe(false);
      }
      loop.arrived();
      expect(loop.turning).toBe(true);
      turn();
      expect([loop.cold, world.parkings]).toEqual([true, parkings + 1]);
    }
  });

  test('is hot again if something arrived within that window', () => {
    const { loop, world, turn, miss } = make();
    miss(3);
    for (let i = 0; i < 100; i++) loop.arrived();
    turn(2);
    world.there = 1;
    turn();
    expect(loop.cold).toBe(false);
    miss(1);
    expect(loop.cold).toBe(false);
    miss(1);
    expect(loop.cold).toBe(true);
  });
});
