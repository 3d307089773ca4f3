import { ReadableStream, WritableStream } from 'node:stream/web';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { WINDOW } from '../../../lib/wire/stream/credit.ts';
import { settled } from '../pair.ts';
import { open, Tap, wire } from './wire.ts';

// One seed for each run, so that runs differ; it is in the titles, so that a failure can be had again.
const seed = Number(process.env.OFFSITE_SEED ?? Date.now() % 2 ** 31);

const step = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('produce', 'consume', 'consume', 'settle') },
  { weight: 2, arbitrary: fc.constantFrom('hold', 'let go') },
  { weight: 1, arbitrary: fc.constantFrom('finish', 'fail', 'stop', 'throw', 'cut near', 'cut far') },
);

/** What a consumer saw: items, and how it ended. */
interface Seen {
  items: number[];
  errors: unknown[];
  dones: number;
}

/**
 * A Web stream's items, read one by one. Not with the stream's own iterator: that of Node.js 20 forgets a `next` that it
 * has queued when the one before it is answered, and a `return` then fails without cancelling.
 */
const readsOf = (stream: ReadableStream<unknown>) => {
  const reader = stream.getReader();
  const iterator: AsyncIterator<unknown> = {
    next: () => reader.read() as Promise<IteratorResult<unknown>>,
    async return() {
      await reader.cancel();
      return { done: true, value: undefined };
    },
  };
  return iterator;
};

const check = (made: number, { items }: Seen, { lossless }: { lossless: boolean }) => {
  // At most once, in order, and without a gap.
  expect(items).toEqual([...Array(items.length).keys()]);
  expect(items.length).toBeLessThanOrEqual(made);
  if (lossless) expect(items.length).toBe(made);
};

test(`an iterable gives each item once and in order, loses none unless stopped, and leaves nothing (seed ${seed})`, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.boolean(), async (steps, web) => {
      const world = wire();
      const { near, far } = world;
      const tap = new Tap();
      // The Web stream asks the same tap, so that the same steps make it go.
      const source = new ReadableStream(
        {
          async pull(controller) {
            const { value, done } = await tap.next();
            if (done) controller.close();
            else controller.enqueue(value);
          },
          cancel: (reason) => void tap.return(reason),
        },
        { highWaterMark: 0 },
      );
      const iterator = web
        ? readsOf(world.give(source))
        : world.give(tap as unknown as AsyncGenerator<unknown>);
      const seen: Seen = { items: [], errors: [], dones: 0 };
      const waiting: Promise<void>[] = [];
      let made = 0;
      let given = 0;
      let broken = false;
      const consume = () =>
        waiting.push(
          iterator.next().then(
            ({ value, done }) => {
              if (done) seen.dones++;
              else seen.items.push(value as number);
            },
            (cause) => void seen.errors.push(cause),
          ),
        );
      const answer = (how: (tap: Tap) => void) => {
        if (tap.asked === given) return false;
        given++;
        how(tap);
        return true;
      };
      for (const name of steps) {
        if (name === 'produce' && answer((t) => t.give(made))) made++;
        if (name === 'consume') consume();
        if (name === 'settle') await settled();
        if (name === 'hold') (made % 2 ? near : far).hold();
        if (name === 'let go') for (const site of [near, far]) site.letGo();
        if (name === 'finish') answer((t) => t.finish());
        if (name === 'fail') answer((t) => t.fail('failed'));
        if (name === 'stop' || name === 'throw') {
          broken = true;
          const ending =
            name === 'throw' && iterator.throw ? iterator.throw('thrown') : iterator.return?.(undefined);
          waiting.push(
            Promise.resolve(ending).then(
              () => {},
              () => {},
            ),
          );
        }
        if (name.startsWith('cut')) {
          broken = true;
          (name === 'cut near' ? near : far).lose('cut');
          await settled();
          (name === 'cut near' ? far : near).lose('cut');
        }
      }
      for (const site of [near, far]) site.letGo();
      await settled();
      // Whoever still waits is answered until the source's end; then all must be over.
      while (answer((t) => t.give(made))) {
        made++;
        await settled();
        if (seen.items.length + seen.errors.length + seen.dones >= waiting.length) break;
      }
      while (seen.dones === 0 && seen.errors.length === 0) {
        consume();
        await settled();
        answer((t) => t.finish());
        await settled();
      }
      await Promise.all(waiting);
      check(made, seen, { lossless: !broken });
      expect([near.violation, far.violation, ...open(world)]).toEqual([undefined, undefined, 0, 0]);
      expect(tap.returned.length + tap.thrown.length).toBeLessThanOrEqual(1);
    }),
    { seed, numRuns: 300 },
  );
});

test(`a WritableStream takes each item once and in order, loses none unless stopped, and leaves nothing (seed ${seed})`, async () => {
  const kinds = fc.constantFrom(
    'write',
    'write',
    'write',
    'take',
    'take',
    'settle',
    'break',
    'abort',
    'cut',
    'hold',
    'let go',
  );
  await fc.assert(
    fc.asyncProperty(fc.array(kinds, { maxLength: 40 }), async (steps) => {
      const world = wire();
      const { near, far } = world;
      const seen: Seen = { items: [], errors: [], dones: 0 };
      let permits = 0;
      let broken = false;
      let wake = () => {};
      let faulty = false;
      const owner = new WritableStream<Uint8Array & { nth: number }>({
        async write(item) {
          while (permits === 0)
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
          permits--;
          if (faulty) throw new Error('broken');
          seen.items.push(item.nth);
        },
      });
      const writer = world.give(owner).getWriter();
      const take = (count: number) => {
        permits += count;
        wake();
      };
      const waiting: Promise<unknown>[] = [];
      let made = 0;
      for (const name of steps) {
        if (name === 'write') {
          // Three of them are more than the window.
          const item = Object.assign(new Uint8Array(WINDOW / 2.5), { nth: made++ });
          waiting.push(
            writer.write(item).catch(() => {
              broken = true;
            }),
          );
        }
        if (name === 'take') take(1);
        if (name === 'settle') await settled();
        if (name === 'break') faulty = broken = true;
        if (name === 'hold') (made % 2 ? near : far).hold();
        if (name === 'let go') for (const site of [near, far]) site.letGo();
        if (name === 'abort') {
          broken = true;
          waiting.push(writer.abort('enough').catch(() => {}));
        }
        if (name === 'cut') {
          broken = true;
          world.cut('cut');
        }
      }
      for (const site of [near, far]) site.letGo();
      take(1_000);
      waiting.push(writer.close().catch(() => {}));
      await Promise.all(waiting);
      await settled();
      check(made, seen, { lossless: !broken });
      expect([near.violation, far.violation, ...open(world)]).toEqual([undefined, undefined, 0, 0]);
    }),
    { seed, numRuns: 200 },
  );
});
