import { ReadableStream, WritableStream } from 'node:stream/web';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { WINDOW } from '../../../lib/wire/stream/credit.ts';
import { settled } from '../pair.ts';
import { counting, open, Tap, wire } from './wire.ts';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

/** Collects until something has happened because of it; the test's own bound ends it otherwise. */
const collectUntil = async (happened: () => boolean): Promise<void> => {
  while (!happened()) {
    gc();
    await settled();
  }
};

describe('a stream that its user drops', () => {
  test('is stopped if it was never read', async () => {
    const world = wire();
    const tap = new Tap();
    let cancelled = 0;
    world.give(tap);
    world.give(new ReadableStream({ cancel: () => void cancelled++ }, { highWaterMark: 0 }));
    await collectUntil(() => world.far.streams.size === 0);
    expect([tap.asked, tap.returned.length, cancelled, ...open(world)]).toEqual([0, 1, 1, 0, 0]);
  });

  test('is stopped if it was read half-way', async () => {
    const world = wire();
    const { numbers, state } = counting(1e9);
    let cancelled = 0;
    const readable = new ReadableStream({
      pull: (controller) => controller.enqueue(1),
      cancel: () => void cancelled++,
    });
    await (async () => {
      const iterator = world.give(numbers);
      for (let i = 0; i < 10; i++) await iterator.next();
      await world.give(readable).getReader().read();
    })();
    await collectUntil(() => world.far.streams.size === 0);
    expect([state.left, cancelled, ...open(world)]).toEqual([true, 1, 0, 0]);
  });

  test('is aborted at its owner if it was not closed', async () => {
    const world = wire();
    const aborted: unknown[] = [];
    const paper = new WritableStream({ abort: (reason) => void aborted.push(reason) });
    await (async () => {
      await world.give(paper).getWriter().write(1);
    })();
    await collectUntil(() => world.far.streams.size === 0);
    expect(aborted).toMatchObject([{ code: 'ERR_OFFSITE_DROPPED' }]);
    expect(world.near.streams.size).toBe(0);
  });

  test('lives as long as somebody waits for its next item, its write or its close', async () => {
    const world = wire();
    const tap = new Tap();
    const next = world.give(tap as unknown as AsyncGenerator<unknown>).next();
    let give!: (item: unknown) => void;
    const source = new ReadableStream({
      start(controller) {
        give = (item) => controller.enqueue(item);
      },
    });
    const read = world.give(source).getReader().read();
    let go!: () => void;
    const gate = new Promise<void>((resolve) => {
      go = resolve;
    });
    const closed = world.give(new WritableStream({ close: () => gate })).close();
    const written: unknown[] = [];
    const slow = world.give(
      new WritableStream({
        async write(item) {
          await gate;
          written.push(item);
        },
      }),
    );
    const write = (async (writer) => {
      await writer.write(new Uint8Array(WINDOW));
      await writer.write('last');
      await writer.close();
    })(slow.getWriter());
    for (let i = 0; i < 10; i++) {
      gc();
      await settled();
    }
    expect(open(world)).toEqual([4, 4]);
    tap.give('a');
    give('b');
    go();
    expect(await next).toEqual({ value: 'a', done: false });
    expect(await read).toEqual({ value: 'b', done: false });
    await closed;
    await write;
    expect(written[1]).toBe('last');
    await collectUntil(() => world.far.streams.size === 0);
    expect([tap.returned.length, ...open(world)]).toEqual([1, 0, 0]);
  });
});
