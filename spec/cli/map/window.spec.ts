import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ReorderWindow } from '../../../lib/cli/map/window.ts';

describe('ReorderWindow', () => {
  it('gives every line back once and in order, whatever the order of arrival', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }).chain((n) =>
          fc.shuffledSubarray(
            Array.from({ length: n }, (_, index) => index),
            { minLength: n, maxLength: n },
          ),
        ),
        (order) => {
          const window = new ReorderWindow(order.length);
          const written = order.flatMap((index) => window.put(index, String(index)));
          expect(written).toEqual(order.map((_, index) => String(index)));
          expect(window.held).toBe(0);
        },
      ),
    );
  });

  it('admits no more inputs than its size until the first one is written', async () => {
    const window = new ReorderWindow(2);
    await window.admit();
    await window.admit();
    let admitted = false;
    const third = window.admit().then(() => {
      admitted = true;
    });
    expect(window.put(1, 'b')).toEqual([]);
    await new Promise(setImmediate);
    expect(admitted).toBe(false);
    expect(window.put(0, 'a')).toEqual(['a', 'b']);
    await third;
    expect(admitted).toBe(true);
  });

  it('lets everybody in once it is closed', async () => {
    const window = new ReorderWindow(1);
    await window.admit();
    const waiting = Promise.all([window.admit(), window.admit()]);
    window.close();
    await waiting;
    await window.admit();
  });

  it('passes an admission on that was given back', async () => {
    const window = new ReorderWindow(1);
    await window.admit();
    const next = window.admit();
    window.leave();
    await next;
  });
});
