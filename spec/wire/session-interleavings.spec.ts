import { ReadableStream } from 'node:stream/web';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { callSignal } from '../../lib/wire/call/scope.ts';
import { release, withOptions } from '../../lib/wire/reference/handle.ts';
import { byReference } from '../../lib/wire/reference/reference.ts';
import { type Anything, type End, pair, settled } from './pair.ts';

// One seed for each run, so that runs differ; it is in the title, so that a failure can be had again.
const seed = Number(process.env.OFFSITE_SEED ?? Date.now() % 2 ** 31);

const OPERATIONS = [
  'add',
  'fail',
  'later',
  'pipeline',
  'call back',
  'object',
  'release',
  'cancel',
  'void',
  'signal',
  'iterate',
  'break off',
  'upload',
  'write',
  'parts',
  'answer in parts',
  'result as argument',
  'ping',
] as const;

const step = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(fc.constantFrom('near', 'far'), fc.constantFrom(...OPERATIONS)) },
  { weight: 3, arbitrary: fc.tuple(fc.constantFrom('near', 'far'), fc.constantFrom('hold', 'let go')) },
  { weight: 2, arbitrary: fc.constant(['near', 'settle'] as const) },
);

const main = () => ({
  add: (a: number, b: number) => a + b,
  fail: () => {
    throw new Error('as asked');
  },
  later: async (value: unknown) => {
    await settled();
    return value;
  },
  object: () => byReference({ deep: { f: (x: unknown) => x } }),
  callBack: (f: (x: number) => unknown) => f(1),
  never: () =>
    new Promise((_resolve, reject) => {
      callSignal()?.addEventListener('abort', () => reject(new Error('given up')));
    }),
  take: (value: unknown) => typeof value,
  async *items() {
    for (let i = 0; i < 5; i++) yield i;
  },
  async count(items: AsyncIterable<unknown>) {
    let n = 0;
    for await (const _item of items) n++;
    return n;
  },
  writable: () => new WritableStream({}),
  bytes: () => new Uint8Array(300_000),
});

/** Does one thing; what it gives settles when all of it is over. */
const perform = async (name: (typeof OPERATIONS)[number], end: End): Promise<unknown> => {
  const far = end.session.main as Anything;
  switch (name) {
    case 'add':
    case 'fail':
    case 'later':
    case 'object':
      return far[name](1, 2);
    case 'pipeline':
      return far.object().deep.f(5);
    case 'call back':
      return far.callBack((x: number) => x + 1);
    case 'release': {
      const held = await far.object();
      release(held);
      return held.deep.f(1);
    }
    case 'cancel': {
      const controller = new AbortController();
      setImmediate(() => controller.abort(new Error('enough')));
      return withOptions(far, { signal: controller.signal }).never();
    }
    case 'void':
      return withOptions(far, { signal: AbortSignal.abort(new Error('early')) }).add(1, 2);
    case 'signal': {
      const controller = new AbortController();
      const called = far.take(controller.signal);
      controller.abort();
      return called;
    }
    case 'iterate':
      for await (const item of far.items()) expect(item).toBeTypeOf('number');
      return undefined;
    case 'break off':
      for await (const item of far.items()) return item;
      return undefined;
    case 'upload':
      return far.count(ReadableStream.from(['a', { b: 1 }, new Date(0)]));
    case 'write': {
      const writer = (await far.writable()).getWriter();
      writer.closed.catch(() => {});
      await writer.write(1);
      return writer.close();
    }
    case 'parts':
      return far.take(new Uint8Array(300_000));
    case 'answer in parts':
      return far.bytes();
    case 'result as argument':
      return far.add(far.add(1, 2), far.later(3));
    case 'ping':
      return end.session.ping();
  }
};

test(`each thing that two sessions ask of each other ends once, whenever the link is slow or cut, and leaves nothing (seed ${seed})`, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 25 }),
      fc.option(fc.nat(25), { nil: undefined }),
      fc.boolean(),
      async (steps, cut, cutFar) => {
        const world = pair(main(), main());
        const over = (end: End) => end.session.end(() => new Error('the link was cut'));
        let open = 0;
        const ends: Promise<void>[] = [];
        for (const [i, [side, name]] of steps.entries()) {
          const end = world[side as 'near' | 'far'];
          if (i === cut) {
            (cutFar ? world.far : world.near).link.destroy();
            await Promise.resolve();
            over(world.near);
            over(world.far);
          }
          if (name === 'hold') end.link.hold();
          else if (name === 'let go') end.link.letGo();
          else if (name === 'settle') await settled();
          else {
            open++;
            const done = () => void open--;
            ends.push(perform(name as (typeof OPERATIONS)[number], end).then(done, done));
          }
        }
        world.near.link.letGo();
        world.far.link.letGo();
        if (cut === undefined || cut >= steps.length) {
          // Nothing but messages is waited for, so this ends; a thing that hangs makes the test time out.
          await Promise.all(ends);
          expect([...world.near.events.disconnected, ...world.far.events.disconnected]).toEqual([]);
          expect([world.near.session.inFlight, world.far.session.inFlight]).toEqual([0, 0]);
          over(world.near);
          over(world.far);
        }
        await Promise.all(ends);
        await settled();
        expect(open).toBe(0);
        for (const { session, events } of [world.near, world.far]) {
          expect(session.inFlight).toBe(0);
          expect(session.references).toEqual({ exports: 0, imports: 0, streams: 0 });
          expect(events.disconnected.length).toBeLessThanOrEqual(1);
        }
      },
    ),
    { seed, numRuns: 150 },
  );
});
