import { describe, expect, test } from 'vitest';
import { transfer } from '../../lib/index.ts';
import { type Bench, type Calc, fixture, type Misbehave, rejection } from '../support/sites.ts';

/** Calls and the values they carry. */
export function calls(bench: Bench): void {
  const calc = async () => bench.site().link<Calc>(fixture('calc.js'));

  describe('calls', () => {
    test('functions become async functions', async () => {
      const { add, area } = await calc();
      expect(await add(1, 2)).toBe(3);
      expect(await area(2)).toBeCloseTo(12.566, 2);
    });

    test('constants can be awaited', async () => {
      const remote = await calc();
      expect(await remote.PI).toBe(Math.PI);
      expect(await remote.settings).toEqual({ unit: 'm', digits: [1, 2, 3] });
    });

    test('classes are constructed over there and keep their state there', async () => {
      const remote = await calc();
      const counter = await new remote.Counter(5);
      expect(await counter.increment()).toBe(6);
      expect(await counter.increment(10)).toBe(16);
      expect(await counter.value()).toBe(16);
    });

    test('two instances of one class have states of their own', async () => {
      const remote = await calc();
      const [first, second] = await Promise.all([new remote.Counter(0), new remote.Counter(100)]);
      await first.increment();
      expect([await first.value(), await second.value()]).toEqual([1, 100]);
    });

    test('a call can be made on a module that is still being linked', async () => {
      expect(await bench.site().link<Calc>(fixture('calc.js')).add(1, 2)).toBe(3);
    });

    test('a method can be called on an instance that is still being made', async () => {
      const remote = await calc();
      expect(await new remote.Counter(41).increment()).toBe(42);
    });

    test('two hundred concurrent calls each get their own answer', async () => {
      const remote = await calc();
      const wanted = Array.from({ length: 200 }, (_, index) => index * 2);
      expect(await Promise.all(wanted.map((_, index) => remote.add(index, index)))).toEqual(wanted);
    });

    test('calls from one caller begin in the order they were made', async () => {
      const remote = await calc();
      const before = (await remote.hit()).hits;
      const answers = await Promise.all(Array.from({ length: 20 }, () => remote.hit()));
      expect(answers.map(({ hits }) => hits - before)).toEqual(
        Array.from({ length: 20 }, (_, index) => index + 1),
      );
    });

    test('a function given as an argument is called back', async () => {
      const remote = await calc();
      expect(await remote.mapWith([1, 2, 3], (value) => value * 10)).toEqual([10, 20, 30]);
      expect(await remote.mapWith([4, 5], async (value) => value + 1)).toEqual([5, 6]);
    });

    test('an error thrown by a callback reaches the one who called it, with its class and code', async () => {
      const remote = await calc();
      const caught = await remote.catchFrom(() => {
        throw Object.assign(new RangeError('out of range here'), { code: 'E_HERE' });
      });
      expect(caught).toEqual({
        name: 'RangeError',
        message: expect.stringContaining('out of range here'),
        code: 'E_HERE',
      });
    });

    test('a callback may call the site again before it answers', async () => {
      const remote = await calc();
      expect(await remote.mapWith([1, 2], async (value) => remote.add(value, 100))).toEqual([101, 102]);
    });
  });

  describe('values both ways', () => {
    const values: [string, unknown, string][] = [
      ['undefined', undefined, '[object Undefined] undefined'],
      ['null', null, '[object Null] null'],
      ['NaN', Number.NaN, '[object Number] NaN'],
      ['minus zero', -0, '[object Number] -0'],
      ['minus infinity', Number.NEGATIVE_INFINITY, '[object Number] -Infinity'],
      ['a bigint', 2n ** 80n, `[object BigInt] ${2n ** 80n}`],
      ['a Map', new Map<string, unknown>([['k', { v: 1n }]]), '[object Map] [object Map]'],
      ['a Set', new Set([1, 'two', new Date(5)]), '[object Set] [object Set]'],
      ['a RegExp', /of+site/giu, '[object RegExp] /of+site/giu'],
      ['an empty string', '', '[object String] '],
      ['text beyond the basic plane', 'añ 語 🙂 \u0000 \ud800', '[object String] añ 語 🙂 \u0000 \ud800'],
      ['a Float64Array', new Float64Array([1.5, -0, Number.NaN]), '[object Float64Array] 1.5,0,NaN'],
    ];
    test.each(values)('%s arrives as it is and comes back as it is', async (_name, value, seen) => {
      const remote = await calc();
      expect(await remote.describe(value)).toBe(seen);
      const back = await remote.echo(value);
      expect(back).toStrictEqual(value);
      expect(Object.is(back, -0)).toBe(Object.is(value, -0));
    });

    test('a Date arrives as a Date', async () => {
      const remote = await calc();
      const date = new Date(Date.UTC(2024, 1, 29, 12, 30, 15, 123));
      const back = await remote.echo(date);
      expect(back).toBeInstanceOf(Date);
      expect(back).toEqual(date);
      expect(await remote.describe(date)).toMatch(/^\[object Date\]/);
    });

    test('a nested structure of all of these comes back equal', async () => {
      const remote = await calc();
      const value = {
        list: [1, undefined, null, -0, { deep: new Set([1n]) }],
        map: new Map([[{ key: 1 }, new Uint8Array([1, 2, 3])]]),
        missing: undefined,
        __proto__x: 'harmless',
      };
      expect(await remote.echo(value)).toStrictEqual(value);
    });

    test('a string of one MiB comes back whole', async () => {
      const remote = await calc();
      const text = 'größe 🙂 '.repeat(1 << 17).slice(0, 1 << 20);
      expect((await remote.echo(text)) === text).toBe(true);
    });

    test('four MiB of bytes come back whole', async () => {
      const remote = await calc();
      const bytes = new Uint8Array(4 << 20);
      for (let index = 0; index < bytes.length; index += 1) bytes[index] = (index * 31) & 255;
      const seen = await remote.checksum(bytes);
      expect(seen).toMatchObject({ length: bytes.length, kind: 'Uint8Array' });
      const back = await remote.echo(bytes);
      expect(back).toBeInstanceOf(Uint8Array);
      expect(Buffer.compare(back as Uint8Array, bytes)).toBe(0);
    });
  });

  describe('waiting has a bound', () => {
    test('a ping that is not answered in time rejects with ERR_OFFSITE_TIMEOUT, and the site lives on', async () => {
      const site = bench.fork();
      const misbehave = await site.link<Misbehave>(fixture('misbehave.js'));
      const spinning = rejection(misbehave.spin());
      const error = await rejection(site.ping({ timeout: 100 }));
      expect(error.code).toBe('ERR_OFFSITE_TIMEOUT');
      expect(error.message).toMatch(/100/);
      expect(site.state).toBe('ready');

      const controller = new AbortController();
      const aborted = rejection(site.ping({ signal: controller.signal }));
      controller.abort(new Error('no longer wanted'));
      expect((await aborted).message).toMatch(/no longer wanted/);

      const late = await rejection(site.link(fixture('calc.js'), { timeout: 100 }));
      expect(late.code).toBe('ERR_OFFSITE_TIMEOUT');

      await site.close({ timeout: 200 });
      expect((await spinning).code).toBe('ERR_OFFSITE_CLOSED');
    });

    test.each([1_000, 100_000, 1_000_000, 70_000_000])(
      'memory of %i bytes that was given away is there, and not here any more',
      async (size) => {
        const bytes = new Uint8Array(size).fill(3);
        const { checksum } = await calc();
        expect(await checksum(transfer(bytes))).toMatchObject({
          length: size,
          sum: (3 * size) % 65_521,
        });
        expect(bytes.byteLength).toBe(0);
      },
    );

    test('a signal that is aborted already rejects at once with its reason', async () => {
      const reason = new Error('it was over before it began');
      const error = await rejection(bench.site().ping({ signal: AbortSignal.abort(reason) }));
      expect(error === reason || error.cause === reason).toBe(true);
    });
  });
}
