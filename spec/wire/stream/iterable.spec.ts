import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { UndecodableError, UnserializableError } from '../../../lib/wire/errors.ts';
import { rejection, settled } from '../pair.ts';
import { counting, gather, open, Tap, wire } from './wire.ts';

const DONE = { value: undefined, done: true };

/** An imported iterator over a tap. */
const tapped = () => {
  const world = wire();
  const tap = new Tap();
  return { ...world, tap, iterator: world.give(tap as unknown as AsyncGenerator<unknown>) };
};

describe('an iterable of another site', () => {
  test('gives its items in their order, and then what the generator returned', async () => {
    const world = wire();
    const { numbers, state } = counting(1_000);
    const iterator = world.give(numbers);
    for (let i = 0; i < 1_000; i++) expect(await iterator.next()).toEqual({ value: i, done: false });
    expect(await iterator.next()).toEqual({ value: 'counted', done: true });
    expect(await iterator.next()).toEqual(DONE);
    expect(state.left).toBe(true);
    expect(open(world)).toEqual([0, 0]);
  });

  test('is not asked for anything before its consumer asks', async () => {
    const { tap, iterator } = tapped();
    await settled();
    expect(tap.asked).toBe(0);
    const first = iterator.next();
    await settled();
    tap.give('a');
    expect(await first).toEqual({ value: 'a', done: false });
  });

  test('may be an object whose iterator answers without a promise', async () => {
    const { give } = wire();
    let at = 0;
    const source = {
      [Symbol.asyncIterator]: () => ({ next: () => ({ value: at, done: ++at > 5_000 }) }),
    } as unknown as AsyncIterable<number>;
    expect(await gather(give(source))).toHaveLength(5_000);
  });

  test('answers several nexts that wait in their order', async () => {
    const { tap, iterator } = tapped();
    const all = Promise.all([iterator.next(), iterator.next(), iterator.next()]);
    for (const answer of ['a', 'b']) {
      await settled();
      tap.give(answer);
    }
    await settled();
    tap.finish('end');
    expect(await all).toEqual([
      { value: 'a', done: false },
      { value: 'b', done: false },
      { value: 'end', done: true },
    ]);
  });

  test('fails behind the items that came before its error, once', async () => {
    const world = wire();
    const iterator = world.give(
      (async function* () {
        yield 1;
        yield 2;
        throw new RangeError('no more');
      })(),
    );
    const first = await iterator.next();
    await settled();
    expect([first.value, (await iterator.next()).value]).toEqual([1, 2]);
    expect((await rejection(iterator.next())).message).toBe('no more');
    expect(await iterator.next()).toEqual(DONE);
    expect(open(world)).toEqual([0, 0]);
  });

  test('tells one of those who wait of its error, and the others that it is done, as generators do', async () => {
    const { tap, iterator } = tapped();
    const waiting = Promise.allSettled([iterator.next(), iterator.next()]);
    await settled();
    tap.fail('broken');
    expect(await waiting).toEqual([
      { status: 'rejected', reason: 'broken' },
      { status: 'fulfilled', value: DONE },
    ]);
  });

  test('fails if it throws at once, or if what it gives is no result', async () => {
    const world = wire();
    const bad = (next: () => unknown) =>
      world.give({ [Symbol.asyncIterator]: () => ({ next }) } as unknown as AsyncGenerator<unknown>);
    const throwing = bad(() => {
      throw new Error('at once');
    });
    expect((await rejection(throwing.next())).message).toBe('at once');
    expect(await rejection(bad(async () => 7).next())).toBeInstanceOf(TypeError);
    expect(await rejection(bad(() => null).next())).toBeInstanceOf(TypeError);
    expect(open(world)).toEqual([0, 0]);
  });

  test('is left when its consumer breaks out of the loop', async () => {
    const world = wire();
    const { numbers, state } = counting(1e9);
    for await (const item of world.give(numbers)) if (item === 100) break;
    await settled();
    expect(state.left).toBe(true);
    expect(open(world)).toEqual([0, 0]);
  });

  test('is stopped without being started by a return before the first next', async () => {
    const world = wire();
    const { numbers, state } = counting(10);
    expect(await world.give(numbers as AsyncGenerator<unknown>).return(5)).toEqual({ value: 5, done: true });
    await settled();
    expect(state).toEqual({ made: 0, left: false });
    expect(await numbers.next()).toEqual(DONE);
    let made = 0;
    const iterable = { [Symbol.asyncIterator]: () => ({ next: async () => ({ value: ++made }) }) };
    await world.give(iterable as unknown as AsyncGenerator<unknown>).return(undefined);
    await settled();
    expect(made).toBe(0);
    expect(open(world)).toEqual([0, 0]);
  });

  test('lets its consumer go at once even if it never answers, and is returned once', async () => {
    const world = tapped();
    const { tap, iterator } = world;
    const waiting = iterator.next();
    await settled();
    expect(await iterator.return('enough')).toEqual({ value: 'enough', done: true });
    expect(await waiting).toEqual(DONE);
    expect(await iterator.return('again')).toEqual({ value: 'again', done: true });
    await settled();
    expect([tap.asked, tap.returned.length, world.near.sent.stop]).toEqual([1, 1, 1]);
    // An answer that comes after all is dropped, be it an error.
    tap.fail('late');
    await settled();
    expect([world.far.sent.fail, ...open(world)]).toEqual([0, 0, 0]);
    const second = tapped();
    void second.iterator.next();
    await settled();
    await second.iterator.return(undefined);
    await settled();
    second.tap.give('late');
    await settled();
    expect([second.far.sent.chunk, second.tap.asked]).toEqual([0, 1]);
  });

  test('may fail while it is returned, which concerns nobody any more', async () => {
    const world = wire();
    const iterator = world.give(
      (async function* () {
        try {
          yield 1;
          yield 2;
        } finally {
          // biome-ignore lint/correctness/noUnsafeFinally: this is what is tested.
          throw new Error('in return');
        }
      })(),
    );
    await iterator.next();
    expect(await iterator.return(undefined as never)).toEqual(DONE);
    const throwing = {
      next: async () => ({ value: 1 }),
      return: () => {
        throw new Error('at once');
      },
    };
    const other = world.give({
      [Symbol.asyncIterator]: () => throwing,
    } as unknown as AsyncGenerator<unknown>);
    await other.next();
    await other.return(undefined);
    await settled();
    expect([world.far.violation, ...open(world)]).toEqual([undefined, 0, 0]);
  });

  test('gets the error that its consumer throws in, and is returned if it would go on', async () => {
    const { tap, iterator } = tapped();
    void iterator.next();
    const cause = new Error('bad item');
    expect(await rejection(iterator.throw(cause))).toBe(cause);
    await settled();
    expect([tap.thrown, tap.returned]).toEqual([[cause], []]);
    const { give } = wire();
    const caught: unknown[] = [];
    const numbers = (async function* () {
      for (;;) {
        try {
          yield caught.length;
        } catch (error) {
          caught.push(error);
        }
      }
    })();
    const other = give(numbers);
    await other.next();
    await rejection(other.throw(cause));
    await settled();
    expect(caught).toEqual([cause]);
    expect(await numbers.next()).toEqual(DONE);
  });

  test('is disposed of by leaving the block', async () => {
    const { tap, iterator } = tapped();
    await iterator[Symbol.asyncDispose]();
    await settled();
    expect(tap.returned).toEqual([undefined]);
  });

  test('fails with the error of an item that can not be sent, and its source is told to stop', async () => {
    const world = wire();
    const state = { left: false };
    const iterator = world.give(
      (async function* () {
        try {
          yield 'good';
          yield Symbol('bad');
          yield 'never';
        } finally {
          state.left = true;
        }
      })() as AsyncGenerator<unknown>,
    );
    await iterator.next();
    expect(await rejection(iterator.next())).toBeInstanceOf(UnserializableError);
    await settled();
    expect([state.left, ...open(world)]).toEqual([true, 0, 0]);
  });

  test('fails with the refusal if what its generator returned, or threw, can not be sent', async () => {
    const { give } = wire();
    const ending = async function* (throws: boolean): AsyncGenerator<unknown> {
      yield 1;
      if (throws) throw Symbol('bad');
      return Symbol('bad');
    };
    for (const throws of [false, true]) {
      const iterator = give(ending(throws));
      await iterator.next();
      expect(await rejection(iterator.next())).toBeInstanceOf(UnserializableError);
    }
  });

  test('is stopped when an item of it can not be read', async () => {
    const { near, far, tap, iterator } = tapped();
    const waiting = iterator.next();
    await settled();
    near.streams.onFail(-1, false, new UndecodableError('torn'));
    expect(await rejection(waiting)).toBeInstanceOf(UndecodableError);
    await settled();
    expect([tap.thrown.length, near.streams.size, far.streams.size]).toEqual([1, 0, 0]);
  });

  test('may be a Readable of Node.js, which is destroyed also when it has no chunk to give, or was never read', async () => {
    const { give } = wire();
    expect(await gather(give(Readable.from(['a', 'b'])))).toEqual(['a', 'b']);
    const silent = new Readable({ read() {} });
    const iterator = give(silent as AsyncIterable<unknown>) as AsyncGenerator<unknown>;
    void iterator.next();
    await settled();
    await iterator.return(undefined);
    const unread = new Readable({ read() {} });
    await rejection(
      (give(unread as AsyncIterable<unknown>) as AsyncGenerator<unknown>).throw(new Error('no')),
    );
    await settled();
    expect([silent.destroyed, unread.destroyed]).toEqual([true, true]);
  });

  test('can be passed on from site to site', async () => {
    const first = wire();
    const second = wire();
    const { numbers, state } = counting(1e9);
    const iterator = second.give(first.give(numbers as AsyncGenerator<unknown>));
    expect([(await iterator.next()).value, (await iterator.next()).value]).toEqual([0, 1]);
    await iterator.return(undefined);
    await settled();
    expect([state.left, ...open(first), ...open(second)]).toEqual([true, 0, 0, 0, 0]);
  });
});
