import { describe, expect, test } from 'vitest';
import { settled } from '../pair.ts';
import { counting, gather, open, Tap, wire } from './wire.ts';

const DONE = { value: undefined, done: true };

/** An imported iterator over a tap. */
const tapped = () => {
  const world = wire();
  const tap = new Tap();
  return { ...world, tap, iterator: world.give(tap as unknown as AsyncGenerator<unknown>) };
};

describe('an iterable whose session ends', () => {
  test('fails for each who waits, and its source is returned', async () => {
    const world = tapped();
    const { tap, iterator, cut } = world;
    const waiting = Promise.allSettled([iterator.next(), iterator.next()]);
    await settled();
    cut('dead');
    expect(await waiting).toEqual([
      { status: 'rejected', reason: 'dead' },
      { status: 'rejected', reason: 'dead' },
    ]);
    expect(await iterator.next()).toEqual(DONE);
    expect([tap.returned.length, ...open(world)]).toEqual([1, 0, 0]);
  });

  test('gives what had arrived, then the error once, and then is done', async () => {
    const { give, cut } = wire();
    const iterator = give(counting(1e9).numbers);
    await iterator.next();
    await settled();
    cut('dead');
    expect(await iterator.next()).toEqual({ value: 1, done: false });
    await expect(gather(iterator)).rejects.toBe('dead');
    expect(await iterator.next()).toEqual(DONE);
  });

  test('fails at once if it arrives or leaves after that', async () => {
    const { near, far, cut } = wire();
    const record = far.streams.exportValue(counting(1).numbers);
    cut('dead');
    const iterator = near.streams.importValue(record.kind, record.id) as AsyncGenerator<unknown>;
    await expect(iterator.next()).rejects.toBe('dead');
    expect(() => far.streams.exportValue(counting(1).numbers)).toThrow('dead');
    expect(near.streams.size).toBe(0);
  });

  test.each(['near', 'far'] as const)(
    'leaves nothing that waits when only the %s side knows of the death',
    async (side) => {
      const world = wire();
      const tap = new Tap();
      const iterator = world.give(tap as unknown as AsyncGenerator<unknown>);
      const waiting = iterator.next().catch((cause) => cause);
      await settled();
      world[side].lose('dead');
      expect(world[side].streams.size).toBe(0);
      if (side === 'near') {
        expect(await waiting).toBe('dead');
        // Without a word from there the source is still held, until this side learns of it too.
        expect(tap.returned).toEqual([]);
      } else {
        expect(tap.returned).toHaveLength(1);
        // Its consumer can always leave.
        expect(await iterator.return(undefined)).toEqual({ value: undefined, done: true });
        expect(await waiting).toEqual({ value: undefined, done: true });
      }
      world.cut('dead');
      expect([tap.returned.length, ...open(world)]).toEqual([1, 0, 0]);
    },
  );
});
