import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { StreamLink } from '../../lib/wire/link/stream-link.ts';
import { pair, rejection, settled } from './pair.ts';

const unprintable = [
  ['has no prototype', Object.assign(Object.create(null), { secret: Symbol('x') })],
  [
    'throws when it is printed',
    {
      secret: Symbol('x'),
      toString() {
        throw new Error('no text');
      },
    },
  ],
] as const;

describe('a session', () => {
  test.each(unprintable)('survives that something is thrown which %s', async (_title, thrown) => {
    const { remote, far } = pair({
      fail() {
        throw thrown;
      },
      async failLater() {
        throw thrown;
      },
      add: (a: number, b: number) => a + b,
    });
    expect(await rejection(remote.fail())).toBeInstanceOf(Error);
    expect(await rejection(remote.failLater())).toBeInstanceOf(Error);
    expect(await remote.add(1, 2)).toBe(3);
    expect(far.events.disconnected).toEqual([]);
  });

  test('gives a property that is passed as an argument back as that property', async () => {
    const { remote } = pair({
      double: (value: number) => value * 2,
      apply: async (f: (value: number) => unknown, value: number) => f(value),
    });
    expect(await remote.apply(remote.double, 21)).toBe(42);
  });

  test('takes results that were not awaited as arguments, in one round trip', async () => {
    const { remote, near } = pair({
      add: (a: number, b: number) => a + b,
      sum: ({ of }: { of: number[] }) => of,
    });
    expect(await remote.add(remote.add(1, 2), 3)).toBe(6);
    expect(await remote.sum({ of: [remote.add(1, 1), 5] })).toEqual([2, 5]);
    expect(near.link.sends).toBe(2);
    const failing = remote.add(remote.missing(), 1);
    expect((await rejection(failing)).message).toMatch(/missing is not a function/);
  });

  test('sends a hole in an array as one', async () => {
    const { remote } = pair({ echo: (value: unknown) => value });
    const holed = [1, 2, 3];
    delete holed[1];
    const back = await remote.echo(holed);
    expect(back).toEqual(holed);
    expect(1 in back).toBe(false);
  });

  test('lives on when a getter of what is being sent waits for another call', async () => {
    const { remote, far, near } = pair({
      echo: (value: unknown) => value,
      add: (a: number, b: number) => a + b,
    });
    const earlier = remote.add(1, 2);
    await settled();
    let sum: Promise<number> | undefined;
    const value = {
      n: 1n,
      get x() {
        sum ??= earlier.then((found: number) => found);
        return 1n;
      },
    };
    expect(await remote.echo(value)).toEqual({ n: 1n, x: 1n });
    expect(await sum).toBe(3);
    expect([far.events.disconnected, near.events.disconnected]).toEqual([[], []]);
  });
});

test('a stream link refuses an oversized announcement whose size comes in two pieces', async () => {
  const input = new PassThrough();
  const link = new StreamLink(input, new PassThrough());
  const gone = new Promise<Error | undefined>((resolve) => {
    link.open({ receive() {}, disconnected: resolve });
  });
  input.write(Buffer.from([0xff, 0xff]));
  await settled();
  input.write(Buffer.from([0xff, 0xff, 1, 2]));
  expect(await gone).toMatchObject({ code: 'ERR_OFFSITE_PROTOCOL' });
});
