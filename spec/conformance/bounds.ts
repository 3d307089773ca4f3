import { beforeEach, describe, expect, test } from 'vitest';
import { release, withOptions } from '../../lib/index.ts';
import type { Lines } from '../support/lines.ts';
import { rejection } from '../support/sites.ts';

const nested = (depth: number) => {
  let value: object = {};
  for (let level = 1; level < depth; level++) value = { value };
  return value;
};
const callbacks = (count: number) => Array.from({ length: count }, () => () => 1);
async function* nothing() {}

/** What one line may take is bounded; what is too much is refused alone, and the line lives. */
export function bounds(lines: Lines): void {
  const refused = async (promise: PromiseLike<unknown>, limit: string, bound: number) => {
    const code = `ERR_OFFSITE_${limit.replace(/[A-Z]/g, '_$&').toUpperCase()}`;
    expect(await rejection(promise)).toMatchObject({ name: 'LimitError', code, limit, bound });
  };

  describe('bounds', () => {
    // Each case needs a line of its own, and bounds are kept by sessions, which don't know how they were forked.
    beforeEach((context) => {
      if (!lines.near)
        context.skip('Bounds are tried where a line is quick to have: virtual, sh, WebSocket.');
    });

    test('a value that is nested too deep is refused, in arguments and in results', async () => {
      const { remote: wire } = await lines.own({ depth: 20 });
      expect(await wire.echo(nested(18))).toEqual(nested(18));
      await refused(wire.echo(nested(30)), 'depth', 20);
      await refused(wire.nested(30), 'depth', 20);
      expect(await wire.add(1, 1)).toBe(2);
    });

    test('a message that is too large is refused, in arguments and in results', async () => {
      const { remote: wire } = await lines.own({ messageSize: 1_000_000 });
      for (const size of [900_000, 400_000, 70_000]) {
        expect(await wire.sizeOf(new Uint8Array(size))).toBe(size);
        expect(await wire.bytes(size)).toHaveLength(size);
      }
      for (const size of [1_000_001, 5_000_000]) {
        await refused(wire.sizeOf(new Uint8Array(size)), 'messageSize', 1_000_000);
        await refused(wire.bytes(size), 'messageSize', 1_000_000);
      }
      await refused(wire.echo('x'.repeat(1_000_001)), 'messageSize', 1_000_000);
      expect(await wire.add(1, 1)).toBe(2);
    });

    test('several messages that are large but allowed may be on their way at once', async () => {
      const { remote: wire } = await lines.own({ messageSize: 1_000_000 });
      const sizes = Array.from({ length: 5 }, (_, index) => 900_000 + index);
      expect(await Promise.all(sizes.map((size) => wire.sizeOf(new Uint8Array(size))))).toEqual(sizes);
      const results = await Promise.all(sizes.map((size) => wire.bytes(size)));
      expect(results.map(({ length }) => length)).toEqual(sizes);
    });

    test('the text of a message has a bound of its own, and bytes beside it do not count', async () => {
      const { remote: wire } = await lines.own({ frameSize: 300_000 });
      expect(await wire.echo('x'.repeat(290_000))).toHaveLength(290_000);
      await refused(wire.echo('x'.repeat(300_001)), 'frameSize', 300_000);
      await refused(wire.seen('x'.repeat(290_000).split('')), 'frameSize', 300_000);
      expect(await wire.sizeOf(new Uint8Array(2_000_000))).toBe(2_000_000);
      expect(await wire.bytes(2_000_000)).toHaveLength(2_000_000);
      const texts = Array.from({ length: 20 }, (_, index) => 'x'.repeat(200_000 + index));
      expect(await Promise.all(texts.map((text) => wire.echo(text)))).toEqual(texts);
      expect(await wire.add(1, 1)).toBe(2);
    });

    test('a small bound for text leaves large bytes and many small calls alone', async () => {
      const { remote: wire } = await lines.own({ frameSize: 10_000 });
      const calls = Array.from({ length: 2_000 }, (_, index) => wire.add(index, 1));
      expect(await Promise.all(calls)).toHaveLength(2_000);
      expect(await wire.sizeOf(new Uint8Array(300_000))).toBe(300_000);
      expect(await wire.bytes(300_000)).toHaveLength(300_000);
    });

    test('references have a bound, in arguments and in results, and what is given back makes room', async () => {
      const { remote: wire } = await lines.own({ references: 50 });
      await refused(wire.hold(...callbacks(60)), 'references', 50);
      await refused(wire.accounts(60), 'references', 50);
      await wire.hold(...callbacks(40));
      const accounts = await wire.accounts(40);
      await refused(wire.hold(...callbacks(20)), 'references', 50);
      for (const account of accounts) release(account);
      expect(await wire.accounts(40)).toHaveLength(40);
    });

    test('exactly as many references as are allowed can be held here', async () => {
      const { remote: wire } = await lines.own({ references: 20 });
      let held = 0;
      const hold = async () => {
        await wire.hold(() => 1);
        held += 1;
      };
      const error = await rejection(
        (async () => {
          for (;;) await hold();
        })(),
      );
      expect(error).toMatchObject({ code: 'ERR_OFFSITE_REFERENCES' });
      expect(held).toBe(20);
      expect(await wire.add(1, 1)).toBe(2);
    });

    test('signals count as references', async () => {
      const { remote: wire } = await lines.own({ references: 20 });
      const controllers = Array.from({ length: 30 }, () => new AbortController());
      await refused(wire.hold(...controllers.map(({ signal }) => signal)), 'references', 20);
      expect(await wire.add(1, 1)).toBe(2);
    });

    test('calls that wait have a bound', async () => {
      const { remote: wire } = await lines.own({ calls: 20 });
      const waiting = Array.from({ length: 20 }, () => wire.never().then(() => {}));
      await refused(wire.add(1, 1), 'calls', 20);
      for (const each of waiting) each.catch(() => {});
    });

    test('calls whose results nobody wants are refused beyond the bound too, and the line lives', async () => {
      const { remote: wire } = await lines.own({ calls: 20 });
      for (let count = 0; count < 30; count++) void wire.untilGivenUp(() => {});
      for (let count = 0; count < 30; count++) void wire.never();
      expect(await wire.echo('alive').catch((error: { code: string }) => error.code)).toMatch(
        /^(alive|ERR_OFFSITE_CALLS)$/,
      );
    });

    test('so are results that are kept because nobody has awaited them, and the calls are made all the same', async () => {
      const { remote: wire } = await lines.own({ references: 20 });
      const calls = Array.from({ length: 60 }, (_, index) => wire.note(index));
      expect(await wire.add(1, 1)).toBe(2);
      expect(await wire.told()).toHaveLength(60);
      expect(await calls[0]).toBeUndefined();
      await refused(calls.at(-1)!, 'references', 20);
    });

    test('calls that were given up and still run count over there, and the line lives', async () => {
      const { remote: wire } = await lines.own({ calls: 20 });
      const bounded = withOptions(wire, { timeout: 1 });
      for (let count = 0; count < 30; count++) {
        expect((await rejection(bounded.never())).code).toMatch(/^ERR_OFFSITE_(TIMEOUT|CALLS)$/);
      }
      await refused(wire.add(1, 1), 'calls', 20);
    });

    test('streams that are open have a bound, in arguments and in results, and those that end make room', async () => {
      const { remote: wire } = await lines.own({ streams: 10 });
      await refused(wire.openStreams(11), 'streams', 10);
      await refused(wire.hold(Array.from({ length: 11 }, nothing)), 'streams', 10);
      for (let round = 0; round < 3; round++) {
        const streams = await wire.openStreams(10);
        await refused(wire.openStreams(1), 'streams', 10);
        for (const stream of streams) expect(await stream.next()).toMatchObject({ value: 0 });
        for (const stream of streams) expect(await stream.next()).toMatchObject({ done: true });
      }
    });
  });
}
