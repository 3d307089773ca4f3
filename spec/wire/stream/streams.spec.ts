import { ReadableStream, WritableStream } from 'node:stream/web';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { LimitError, ProtocolError } from '../../../lib/wire/errors.ts';
import { WINDOW } from '../../../lib/wire/stream/credit.ts';
import { type StreamKind, streamKind } from '../../../lib/wire/stream/kind.ts';
import { settled } from '../pair.ts';
import { counting, type Frame, type FrameKind, gather, ITEM, open, type Site, Tap, wire } from './wire.ts';

/** A frame that the other side would not send by itself. */
const forge = (site: Site, kind: FrameKind, id: number, home: boolean, value: unknown, bytes = 0): void =>
  site.send({ kind, id, home, value, bytes } satisfies Frame);

describe('the credit of a stream', () => {
  test('bounds what waits for a slow consumer of a million items', async () => {
    const world = wire();
    const { numbers, state } = counting(1_000_000);
    let taken = 0;
    let most = 0;
    for await (const item of world.give(numbers)) {
      if (item !== taken++) throw new Error(`${item} came out of its order.`);
      // Now and then the producer has all the time that it wants.
      if (taken % 50_000 === 0) await settled();
      most = Math.max(most, state.made - taken);
    }
    expect(taken).toBe(1_000_000);
    expect(most).toBeGreaterThan(0.9 * (WINDOW / ITEM));
    expect(most).toBeLessThanOrEqual(WINDOW / ITEM + 1);
    // A frame back for each quarter of the window.
    expect(world.near.sent.credit).toBeLessThanOrEqual(1 + (1_000_000 * ITEM) / (WINDOW / 4));
    expect(open(world)).toEqual([0, 0]);
  });

  test('counts large items by their bytes, of which the last may go beyond it, and small ones as 64', async () => {
    const world = wire();
    let made = 0;
    const large = (async function* () {
      for (;;) {
        made++;
        yield new Uint8Array(WINDOW / 2 + 1);
      }
    })();
    await world.give(large).next();
    await settled();
    // Two fill the window, and one was taken out of it, which makes room for the next.
    expect(made).toBe(3);
    made = 0;
    const small = (async function* () {
      for (;;) {
        made++;
        yield new Uint8Array(1);
      }
    })();
    await world.give(small).next();
    while (made < 16_384) await settled();
    await settled();
    expect(made).toBe(16_384);
  });

  test('never runs dry for good, whatever the sizes of the items', async () => {
    const world = wire();
    const sizes = Array.from({ length: 300 }, (_, i) => [1, WINDOW / 4 - 1, 2 * WINDOW, 63, WINDOW][i % 5]!);
    const source = (async function* () {
      for (const size of sizes) yield new Uint8Array(size);
    })();
    expect((await gather(world.give(source))).map((item) => item.length)).toEqual(sizes);
    expect([world.near.violation, world.far.violation]).toEqual([undefined, undefined]);
  });

  test('may not be exceeded by more than one item', async () => {
    const { near, far, give } = wire();
    const tap = give(new Tap() as unknown as AsyncGenerator<unknown>);
    const waiting = tap.next();
    await settled();
    // The true producer, which knows nothing of this, shall not learn of what is taken.
    near.hold();
    forge(far, 'chunk', -1, false, 'a', WINDOW + 1);
    await waiting;
    await settled();
    expect(near.violation).toBeUndefined();
    // That was taken, and makes room for one that is as large.
    forge(far, 'chunk', -1, false, 'b', WINDOW + 1);
    await settled();
    expect(near.violation).toBeUndefined();
    forge(far, 'chunk', -1, false, 'c', 1);
    await settled();
    expect(near.violation).toBeInstanceOf(ProtocolError);
  });

  test('is needed for the first item too', async () => {
    const { near, far, give } = wire();
    give(new Tap());
    forge(far, 'chunk', -1, false, 'unasked');
    await settled();
    expect(near.violation).toBeInstanceOf(ProtocolError);
  });

  test.each([0, -1, 0.5, Number.NaN, Infinity, WINDOW + 1])('can not be %d bytes', async (bytes) => {
    const { near, far, give } = wire();
    give(new Tap());
    forge(near, 'credit', -1, true, bytes);
    await settled();
    expect(far.violation).toBeInstanceOf(ProtocolError);
  });
});

describe('the table of streams', () => {
  test('reads a hundred streams at once, each in its order', async () => {
    const world = wire();
    const sources = Array.from({ length: 100 }, () => counting(200));
    const readers = sources.map(({ numbers }) => gather(world.give(numbers)));
    expect(open(world)).toEqual([100, 100]);
    const expected = [...Array(200).keys()];
    for (const items of await Promise.all(readers)) expect(items).toEqual(expected);
    expect(open(world)).toEqual([0, 0]);
  });

  test('ignores what comes too late for a stream that has ended', async () => {
    const world = wire();
    const { near, far, give } = world;
    const { numbers } = counting(2);
    await gather(give(numbers));
    for (const home of [true, false]) {
      const [from] = home ? [near] : [far];
      for (const kind of ['credit', 'stop', 'chunk', 'end', 'fail'] as const) {
        forge(from!, kind, -1, home, 'late');
      }
    }
    await settled();
    expect([near.violation, far.violation, ...open(world)]).toEqual([undefined, undefined, 0, 0]);
  });

  test('lets an end and a stop cross', async () => {
    const world = wire();
    const tap = new Tap();
    const iterator = world.give(tap as unknown as AsyncGenerator<unknown>);
    const waiting = iterator.next();
    await settled();
    world.far.hold();
    tap.finish('end');
    await settled();
    await iterator.return(undefined);
    expect(await waiting).toEqual({ value: undefined, done: true });
    world.far.letGo();
    await settled();
    // It had ended by itself, so there was nothing to return.
    expect(tap.returned).toEqual([]);
    expect([world.near.violation, world.far.violation, ...open(world)]).toEqual([undefined, undefined, 0, 0]);
  });

  test('stops a source once, however often it is told to', async () => {
    const world = wire();
    const tap = new Tap();
    world.give(tap);
    forge(world.near, 'stop', -1, true, undefined);
    forge(world.near, 'stop', -1, true, 'again');
    forge(world.near, 'credit', -1, true, 'late');
    await settled();
    world.cut();
    expect([tap.returned, tap.thrown, tap.asked]).toEqual([[undefined], [], 0]);
    expect(world.far.violation).toBeUndefined();
  });

  test('refuses ids that were never given out, and those of the wrong side or role', async () => {
    const cases: [FrameKind, number, boolean][] = [
      ['credit', -2, true],
      ['stop', 1, true],
      ['stop', 0, true],
      ['credit', Number.NaN, true],
      ['stop', -1.5, true],
      ['credit', -1, false],
      ['chunk', -1, true],
      ['fail', -1, true],
    ];
    for (const [kind, id, home] of cases) {
      const { near, far, give } = wire();
      give(new Tap());
      forge(near, kind, id, home, 1);
      await settled();
      expect(far.violation, `${kind} ${id} ${home}`).toBeInstanceOf(ProtocolError);
    }
    const { near, far, give } = wire();
    give(new WritableStream());
    forge(near, 'credit', -1, true, 1);
    await settled();
    expect(far.violation).toBeInstanceOf(ProtocolError);
  });

  test('refuses to introduce an id twice, one that is none, and an unknown kind', () => {
    const { near } = wire();
    near.streams.importValue('iterable', -1);
    const introduced: [string, number][] = [
      ['iterable', -1],
      ['readable', 1],
      ['writable', 0],
      ['iterable', Number.NaN],
      ['socket', -2],
    ];
    for (const [kind, id] of introduced) {
      expect(() => near.streams.importValue(kind as StreamKind, id)).toThrow(ProtocolError);
    }
    expect(near.streams.size).toBe(1);
  });

  test('has a limit for its own side, and for what the peer introduces', async () => {
    const world = wire({ near: 2, far: 2 });
    const first = world.give(new Tap() as unknown as AsyncGenerator<unknown>);
    world.give(new ReadableStream());
    const locked = new WritableStream();
    let thrown: unknown;
    try {
      world.far.streams.exportValue(locked);
    } catch (cause) {
      thrown = cause;
    }
    expect(thrown).toBeInstanceOf(LimitError);
    expect(thrown).toMatchObject({ code: 'ERR_OFFSITE_STREAMS', limit: 'streams', bound: 2 });
    expect(locked.locked).toBe(false);
    expect(() => world.near.streams.importValue('iterable', -9)).toThrow(ProtocolError);
    await first.return(undefined);
    await settled();
    world.give(locked);
    expect(open(world)).toEqual([2, 2]);
  });

  test('stops nothing when an introduction is withdrawn', async () => {
    const { far } = wire();
    const tap = new Tap();
    far.streams.withdraw(far.streams.exportValue(tap).id);
    await settled();
    expect([tap.returned, far.streams.size]).toEqual([[], 0]);
  });

  test('refuses what is no stream', () => {
    expect(() => wire().far.streams.exportValue({})).toThrow(TypeError);
  });
});

describe('the kind of a value', () => {
  test('is that of a stream of any realm, and of nothing else', () => {
    expect(streamKind(new ReadableStream())).toBe('readable');
    expect(streamKind(new WritableStream())).toBe('writable');
    expect(streamKind(counting(1).numbers)).toBe('iterable');
    expect(streamKind(runInNewContext('(async function* () {})()'))).toBe('iterable');
    expect(streamKind({ [Symbol.toStringTag]: 'WritableStream', getWriter() {} })).toBe('writable');
    for (const value of [undefined, null, 1, 'x', [], new Map(), {}, async function* () {}, () => {}]) {
      expect(streamKind(value)).toBeUndefined();
    }
  });
});
