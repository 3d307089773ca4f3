import { describe, expect, test } from 'vitest';
import { Throttle, type Turn } from '../../lib/access/login/throttle.ts';

const at = () => {
  let now = 0;
  const throttle = new Throttle(() => now);
  const pass = (time: number) => {
    now += time;
  };
  return { throttle, pass };
};
const waits = (turn: Turn | number): number => (typeof turn === 'number' ? turn : turn.wait);

describe('guesses at passwords', () => {
  test('wait longer and longer, whichever address they come from', () => {
    const { throttle, pass } = at();
    const seen: number[] = [];
    for (let i = 0; i < 14; i++) {
      const wait = waits(throttle.ask('ada', `192.0.2.${i}`));
      seen.push(wait);
      pass(wait);
      // Who was told to come again asks once more.
      if (wait > 3_000) throttle.ask('ada', `192.0.2.${i}`);
    }
    expect(seen.slice(0, 10)).toEqual([0, 0, 0, 0, 0, 125, 250, 500, 1_000, 2_000]);
    expect(Math.max(...seen)).toBe(10_000);
  });

  test('wait longer from one address, whichever user they are at, and IPv6 neighbours are one', () => {
    const { throttle, pass } = at();
    let wait = 0;
    for (let i = 0; i < 30; i++) {
      wait = waits(throttle.ask(`user-${i}`, `2001:db8::${i.toString(16)}:1`));
      pass(wait);
      if (wait > 3_000) throttle.ask(`user-${i}`, '2001:db8::1');
    }
    expect(wait).toBe(60_000);
    expect(waits(throttle.ask('ada', '2001:db8:0:1::1'))).toBe(0);
    expect(waits(throttle.ask('ada', '192.0.2.1'))).toBe(0);
  });

  test('are counted when they are made and not when they have failed, and not counted if they were right', () => {
    const { throttle } = at();
    const turns = Array.from({ length: 8 }, () => throttle.ask('ada', '192.0.2.1'));
    expect(turns.map(waits)).toEqual([0, 0, 0, 0, 0, 125, 375, 875]);
    const right = at().throttle;
    for (let i = 0; i < 100; i++) {
      const turn = right.ask('ada', '192.0.2.1') as Turn;
      expect(turn.wait).toBe(0);
      turn.right();
    }
    // Somebody who has a password of his own can not wash his guesses at another's with it.
    const { throttle: washed } = at();
    for (let i = 0; i < 6; i++) {
      washed.ask('ada', '192.0.2.1');
      const own = washed.ask('eve', '192.0.2.1');
      if (typeof own !== 'number') own.right();
    }
    expect(waits(washed.ask('ada', '192.0.2.1'))).toBeGreaterThan(0);
  });

  test('that others make do not keep a user out where he has come in before', () => {
    const { throttle } = at();
    (throttle.ask('ada', '192.0.2.1') as Turn).right();
    for (let i = 0; i < 100; i++) throttle.ask('ada', `198.51.100.${i}`);
    expect(waits(throttle.ask('ada', '198.51.100.200'))).toBeGreaterThan(3_000);
    expect(waits(throttle.ask('ada', '192.0.2.1'))).toBe(0);
  });

  test('are forgotten in time, and take no more memory however many there are', () => {
    const { throttle, pass } = at();
    for (let i = 0; i < 12; i++) throttle.ask('ada', '192.0.2.1');
    expect(waits(throttle.ask('ada', '192.0.2.1'))).toBeGreaterThan(3_000);
    pass(16 * 60_000);
    expect(waits(throttle.ask('ada', '192.0.2.1'))).toBe(0);
    for (let i = 0; i < 1_500; i++) {
      const turn = throttle.ask(`user-${i}`, `10.0.${i >> 8}.${i & 255}`);
      if (typeof turn !== 'number') turn.right();
    }
    expect(throttle.size).toBe(1_024);
  });
});
