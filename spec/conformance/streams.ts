import { Readable } from 'node:stream';
import { ReadableStream, TransformStream, WritableStream } from 'node:stream/web';
import { describe, expect, test } from 'vitest';
import { FarAwayError } from '../support/fixtures/registered.js';
import { collectedUntil, type Lines, signalled, type Wire } from '../support/lines.ts';
import { rejection } from '../support/sites.ts';

const MEBIBYTE = 1024 * 1024;

type Items<T> = AsyncIterable<T>;

/** What is read or written bit by bit, in both directions. */
export function streams(lines: Lines): void {
  const remote = async () => (await lines.shared()).remote;
  const read = async <T>(source: AsyncIterable<T> | PromiseLike<AsyncIterable<T>>) => {
    const items: T[] = [];
    for await (const item of await source) items.push(item);
    return items;
  };

  describe('streams', () => {
    test('a generator over there is read here, and gives what it returned', async () => {
      const items = await (await remote()).numbers(2);
      expect(await items.next()).toEqual({ value: 0, done: false });
      expect(await items.next()).toEqual({ value: 1, done: false });
      expect(await items.next()).toEqual({ value: 'that was all', done: true });
      expect(await items.next()).toEqual({ value: undefined, done: true });
    });

    test('the result of a call that was not awaited is read at once', async () => {
      const wire = await remote();
      const items: number[] = [];
      for await (const item of wire.numbers(3) as unknown as Items<number>) items.push(item);
      expect(items).toEqual([0, 1, 2]);
    });

    test('a break here ends the generator over there, and its finally block runs', async () => {
      const wire = await remote();
      const ended = signalled();
      for await (const item of await wire.numbers(1_000_000, ended.tell)) if (item === 3) break;
      await ended.told;
    });

    test('a break over there ends the generator here', async () => {
      const wire = await remote();
      const ended = signalled();
      async function* endless() {
        try {
          for (let item = 0; ; item++) yield item;
        } finally {
          ended.tell();
        }
      }
      expect(await wire.take(endless(), 3)).toEqual([0, 1, 2]);
      await ended.told;
    });

    test('an error of the source comes behind its items, as what it is, in both directions', async () => {
      const wire = await remote();
      const items = await wire.failingAfter(2);
      expect([(await items.next()).value, (await items.next()).value]).toEqual([0, 1]);
      const error = await rejection(items.next());
      expect(error).toBeInstanceOf(FarAwayError);
      expect(error).toMatchObject({ message: 'The source ran dry.', distance: 2 });
      async function* failing() {
        yield 1;
        throw new FarAwayError('Here too.', 1);
      }
      expect(await rejection(wire.collect(failing()))).toMatchObject({ name: 'FarAwayError', distance: 1 });
    });

    test('a source runs ahead of its reader by a window, and no further', async () => {
      const wire = await remote();
      const items = await wire.numbers(1_000_000);
      expect(await wire.producedItems()).toBe(0);
      await items.next();
      // Each item counts 64 bytes at least, and the window is one MiB.
      let ahead = 0;
      for (let now = -1; now !== ahead; ) [now, ahead] = [ahead, await wire.producedItems()];
      expect(ahead).toBeGreaterThan(1);
      expect(ahead).toBeLessThanOrEqual(MEBIBYTE / 64 + 2);
      await items.return('');
    });

    test('large items come whole and in order, in both directions', async () => {
      const wire = await remote();
      const there = await read(wire.blocks(6, 700_000));
      expect(there.map((block) => [block.length, block[0], block.at(-1)])).toEqual(
        Array.from({ length: 6 }, (_, index) => [700_000, index, index]),
      );
      async function* blocks() {
        for (let index = 0; index < 6; index++) yield new Uint8Array(700_000).fill(index);
      }
      const back = (await wire.collect(blocks())) as Uint8Array[];
      expect(back.map((block) => [block.length, block[0]])).toEqual(
        Array.from({ length: 6 }, (_, index) => [700_000, index]),
      );
    });

    test('what a generator returns is whole too, however large it is', async () => {
      const items = await (await remote()).returning(5 * MEBIBYTE);
      const { value, done } = await items.next();
      expect([done, value.length, value.every((byte) => byte === 1)]).toEqual([true, 5 * MEBIBYTE, true]);
    });

    test('streams of streams are read, and many at once', async () => {
      const wire = await remote();
      const sizes: number[] = [];
      for await (const inner of await wire.manyStreams(5)) sizes.push((await read(inner)).length);
      expect(sizes).toEqual([1, 2, 3, 4, 5]);
      const counts = await Promise.all(
        Array.from({ length: 50 }, async (_, index) => (await read(wire.numbers(index))).length),
      );
      expect(counts).toEqual(Array.from({ length: 50 }, (_, index) => index));
    });

    test('a Readable of Node.js is read over there, and destroyed when it is not wanted any more', async () => {
      const wire = await remote();
      expect(await wire.collect(Readable.from(['a', 'b']))).toEqual(['a', 'b']);
      const endless = new Readable({ objectMode: true, read: () => void endless.push(1) });
      const closed = new Promise((resolve) => endless.once('close', resolve));
      expect(await wire.take(endless, 2)).toEqual([1, 1]);
      await closed;
    });

    test('a ReadableStream arrives as one, in both directions', async () => {
      const wire = await remote();
      const theirs = await wire.readable(['x', { y: 1n }]);
      expect(theirs).toBeInstanceOf(ReadableStream);
      expect(await read(theirs)).toEqual(['x', { y: 1n }]);
      expect(await wire.drain(ReadableStream.from([1, 2]))).toEqual([1, 2]);
    });

    test('a ReadableStream that is cancelled here is cancelled over there with the reason', async () => {
      const wire = await remote();
      const cancelled = signalled<[unknown]>();
      const stream = new ReadableStream({ pull: () => {}, cancel: cancelled.tell });
      const back = (await wire.echo(stream)) as ReadableStream<unknown>;
      await back.cancel('no more');
      expect(await cancelled.told).toEqual(['no more']);
    });

    test('a WritableStream takes what is written on the other side, and its end', async () => {
      const wire = await remote();
      const seen: unknown[] = [];
      const theirs = await wire.writable((what, item) => void seen.push([what, item]));
      const writer = theirs.getWriter();
      await writer.write(1);
      await writer.write({ two: 2 });
      await writer.close();
      expect(seen).toEqual([
        ['write', 1],
        ['write', { two: 2 }],
        ['close', undefined],
      ]);
      const items: unknown[] = [];
      const ours = new WritableStream({ write: (item) => void items.push(item) });
      await wire.writeAll(ours, ['a', 'b']);
      expect(items).toEqual(['a', 'b']);
    });

    test('a WritableStream that is aborted here is aborted over there with the reason', async () => {
      const aborted = signalled<[unknown]>();
      const theirs = await (await remote()).writable((what, item) => {
        if (what === 'abort') aborted.tell(item);
      });
      await theirs.abort(new RangeError('too much'));
      expect((await aborted.told)[0]).toMatchObject({ name: 'RangeError', message: 'too much' });
    });

    test('a TransformStream crosses as its two ends', async () => {
      const wire = await remote();
      const upper = new TransformStream<string, string>({
        transform: (text, controller) => controller.enqueue(text.toUpperCase()),
      });
      const ends = (await wire.echo(upper)) as Pick<typeof upper, 'readable' | 'writable'>;
      expect(await read(ReadableStream.from(['a', 'b']).pipeThrough(ends))).toEqual(['A', 'B']);
    });

    test('a stream of a third site passes through, and is ended there by a break here', async () => {
      const wire = await remote();
      const below = await wire.siteBelow();
      const ended = signalled();
      for await (const item of await below.numbers(1_000_000, ended.tell)) if (item === 2) break;
      await ended.told;
      expect(await below.collect(await wire.numbers(3))).toEqual([0, 1, 2]);
    });

    test('an item that can not be sent ends the stream with its path, and the line lives', async () => {
      const wire = await remote();
      const ended = signalled();
      async function* bad() {
        try {
          yield 1;
          yield { no: Symbol('no') };
        } finally {
          ended.tell();
        }
      }
      expect(await rejection(wire.collect(bad()))).toMatchObject({ code: 'ERR_OFFSITE_UNSERIALIZABLE' });
      await ended.told;
      expect(await wire.add(1, 1)).toBe(2);
    });

    test('the end of the other realm wakes a reader and a writer that wait, and ends the source here', async () => {
      const line = await lines.own();
      const ended = signalled();
      async function* endless() {
        try {
          for (let item = 0; ; item++) yield item;
        } finally {
          ended.tell();
        }
      }
      const items = await line.remote.waitingAfter(1);
      expect(await items.next()).toMatchObject({ value: 0 });
      const writer = (
        await line.remote.writable((what) => what === 'write' && new Promise(() => {}))
      ).getWriter();
      writer.closed.catch(() => {});
      // Its item fills the window, so that the next one waits.
      await writer.write(new Uint8Array(MEBIBYTE));
      const taking = rejection(line.remote.collect(endless()));
      const waiting = [items.next(), writer.write(2)].map(rejection);
      await line.remote.add(1, 1);
      await line.kill();
      for (const error of [...(await Promise.all(waiting)), await taking]) {
        expect(error).toMatchObject({ code: 'ERR_OFFSITE_CRASHED' });
      }
      await ended.told;
    });

    test('a stream that nobody here reads any more is ended over there', async () => {
      const wire = await remote();
      let ended = false;
      await (async (from: typeof wire & { numbers: Wire['numbers'] }) => {
        const items = await from.numbers(1_000_000, () => {
          ended = true;
        });
        await items.next();
      })(wire as never);
      await collectedUntil(() => ended);
    });
  });
}
