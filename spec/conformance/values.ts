import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { transfer } from '../../lib/index.ts';
import { FarAwayError, Money, Place, Point } from '../support/fixtures/registered.js';
import type { Lines } from '../support/lines.ts';
import { rejection } from '../support/sites.ts';

const cycle = () => {
  const value: Record<string, unknown> = { list: [], map: new Map() };
  value.self = value;
  (value.list as unknown[]).push(value, value.list);
  (value.map as Map<unknown, unknown>).set(value, value);
  return value;
};
const holed = () => {
  const list: unknown[] = [1, 2, 3];
  delete list[1];
  list.length = 5;
  return list;
};
const bare = () => Object.assign(Object.create(null) as object, { a: 1 });
const memory = () => new Uint8Array([0, 1, 2, 250]).buffer;

/** Everything that crosses by value; it looks the same over there, and is the same when it comes back. */
const table: [string, unknown][] = [
  ['a string', 'größe 🙂'],
  ['half of a surrogate pair', '\ud800'],
  ['a large number', 2 ** 53],
  ['the smallest number', Number.MIN_VALUE],
  ['minus zero', -0],
  ['NaN', Number.NaN],
  ['infinity', Number.POSITIVE_INFINITY],
  ['a negative bigint', -(2n ** 70n)],
  ['true', true],
  ['null', null],
  ['undefined', undefined],
  ['undefined as a property', { there: undefined }],
  ['a boxed string, number, boolean and bigint', [Object('s'), Object(1), Object(false), Object(3n)]],
  ['a Date', new Date(1e12)],
  ['an invalid Date', new Date(Number.NaN)],
  ['a RegExp', /of+(site)/giu],
  ['a URL', new URL('https://user@example.org:81/a?b=c#d')],
  ['a Map with objects for keys', new Map<unknown, unknown>([[{ a: 1 }, new Set([1n, 'two'])]])],
  ['an empty Set', new Set()],
  ['an array with holes', holed()],
  ['an array of arrays', [[], [[1]], []]],
  ['an object without a prototype', bare()],
  ['a property named __proto__', JSON.parse('{"__proto__": {"polluted": true}, "constructor": 1}')],
  ['keys in the order of their making', { z: 1, a: 2, 10: 'x', 9: 'y' }],
  ['a cycle through an object, an array and a Map', cycle()],
  ['a Buffer', Buffer.from('bytes')],
  ['an ArrayBuffer', memory()],
  ['a DataView', new DataView(memory())],
  ['an empty Uint8Array', new Uint8Array()],
  ['a BigInt64Array', new BigInt64Array([-1n, 2n])],
  ['a Float32Array', new Float32Array([1.5, -0])],
  ['a Uint8ClampedArray', new Uint8ClampedArray([300])],
  ['an instance of a registered class', new Point(3, 4)],
  ['an instance of a class under another name', new Place(3, 4, 'here')],
];

const named = Object.assign([1], { name: 'list' });
class Rows extends Array<number> {}
class Secret {}

/** Everything that is refused, and where in it the reason lies. */
const refused: [string, unknown, string][] = [
  ['a symbol', { a: Symbol('no') }, 'arguments[0].a'],
  ['a key that is a symbol', { [Symbol('no')]: 1 }, 'arguments[0]'],
  ['a named property of an array', { named }, 'arguments[0].named'],
  ['an instance of a class that nobody registered', new Secret(), 'arguments[0]'],
  ['an instance of a class that extends Array', { rows: Rows.from([1]) }, 'arguments[0].rows'],
  ['a promise', [Promise.resolve()], 'arguments[0][0]'],
  ['a generator', [(function* () {})()], 'arguments[0][0]'],
  ['a WeakMap', new WeakMap(), 'arguments[0]'],
  ['a symbol deep in a Map', new Map([['k', [Symbol('no')]]]), 'arguments[0]'],
];

/** What crosses by value, what it loses, and what does not cross. */
export function byValue(lines: Lines): void {
  const remote = async () => (await lines.shared()).remote;
  const echo = async <T>(value: T) => (await remote()).echo(value) as Promise<T>;

  describe('values', () => {
    test.each(table)('%s looks the same over there and comes back equal', async (_title, value) => {
      const wire = await remote();
      expect(await wire.seen(value)).toBe(inspect(value, { depth: 20 }));
      expect(await wire.echo(value)).toStrictEqual(value);
    });

    test('what occurs twice is one object over there', async () => {
      const wire = await remote();
      const [point, bytes] = [new Point(0, 1), new Uint8Array(8)];
      expect(await wire.same(point, point)).toBe(true);
      expect(await wire.same(bytes, bytes)).toBe(true);
      const { a, b } = await echo({ a: bytes, b: new Uint8Array(bytes.buffer, 4) });
      a[4] = 9;
      expect(b[0]).toBe(9);
    });

    test('a view that is alone takes only its own part along', async () => {
      const back = await echo(new DataView(memory(), 1, 2));
      expect([back.byteLength, back.buffer.byteLength, back.getUint8(0)]).toEqual([2, 2, 1]);
    });

    test('a copy is a copy: what is changed over there or here afterwards is not changed for the other', async () => {
      const wire = await remote();
      const value = { list: [1] };
      const back = wire.echo(value);
      value.list.push(2);
      expect(await back).toEqual({ list: [1] });
    });

    test('instances of registered classes have their methods over there and here', async () => {
      const wire = await remote();
      expect(await wire.lengthOf(new Place(3, 4, 'here'))).toBe(5);
      const place = await wire.place(6, 8, 'there');
      expect(place).toBeInstanceOf(Place);
      expect([place.length(), place.name]).toEqual([10, 'there']);
    });

    test('values of a registered type are made again from what they say of themselves', async () => {
      const wire = await remote();
      expect(await wire.centsOf(new Money(250))).toBe(250);
      const back = await echo(new Map([['price', new Money(3)]]));
      expect(back.get('price')).toBeInstanceOf(Money);
      expect(back.get('price')!.cents).toBe(3);
    });

    test('an error of a registered class arrives as that class, with the stack of both sides', async () => {
      const wire = await remote();
      const error = await rejection(
        (async function whoCalls() {
          await wire.farAway(7);
        })(),
      );
      expect(error).toBeInstanceOf(FarAwayError);
      expect(error).toMatchObject({ name: 'FarAwayError', message: 'That is too far.', distance: 7 });
      const [there, here] = error.stack!.split('--- called from here ---');
      expect(there).toMatch(/at .*farAway.*wire\.js:\d+/);
      expect(here).toMatch(/at .*whoCalls/);
    });

    test('properties that are not enumerable, lastIndex and accessors are lost, as postMessage loses them', async () => {
      const value = {
        get sum() {
          return 3;
        },
      };
      Object.defineProperty(value, 'hidden', { value: 1, enumerable: false });
      const sticky = /x/g;
      sticky.lastIndex = 5;
      const back = await echo([value, sticky] as const);
      expect(Object.getOwnPropertyDescriptors(back[0])).toEqual({
        sum: { value: 3, writable: true, enumerable: true, configurable: true },
      });
      expect(back[1].lastIndex).toBe(0);
    });

    test.each(refused)('%s is refused with its path, and nothing is sent', async (_title, value, path) => {
      const wire = await remote();
      const error = await rejection(wire.note(value));
      expect(error.code).toBe('ERR_OFFSITE_UNSERIALIZABLE');
      expect(String(error.path).startsWith(path)).toBe(true);
      expect(await wire.told()).toEqual([]);
    });

    test('what is refused in a result says where it lies, and that it is of the result', async () => {
      const error = await rejection((await remote()).secret());
      expect(error).toMatchObject({ code: 'ERR_OFFSITE_UNSERIALIZABLE', path: 'result.rows[0]' });
    });

    test('memory that moves is empty where it was, and there where it went', async () => {
      const wire = await remote();
      const bytes = new Uint8Array(100_000).fill(3);
      expect(await wire.sizeOf(transfer(bytes))).toBe(100_000);
      expect(bytes.byteLength).toBe(0);
      const back = await wire.moved(100_000);
      expect([back.length, back.at(-1)]).toEqual([100_000, 7]);
    });

    test('memory that was to move stays when its value can not be sent', async () => {
      const wire = await remote();
      const bytes = new Uint8Array(1_000).fill(3);
      await rejection(wire.note({ bytes: transfer(bytes), no: Symbol('no') }));
      expect(bytes.byteLength).toBe(1_000);
    });

    test('shared memory is shared with a thread of this process, and refused elsewhere', async () => {
      const wire = await remote();
      const shared = new SharedArrayBuffer(8);
      if (lines.sharesMemory) {
        expect(await wire.increase(shared, 1)).toBe(0);
        expect(new Int32Array(shared)[1]).toBe(1);
        return;
      }
      const error = await rejection(wire.increase(shared, 1));
      expect(error).toMatchObject({ code: 'ERR_OFFSITE_UNSERIALIZABLE', path: 'arguments[0]' });
    });

    test('bytes of every size around those where they take another way come back whole', async () => {
      for (const size of [65_535, 65_536, 262_143, 262_144, 262_145, 3_000_001]) {
        const bytes = new Uint8Array(size).map((_, index) => index * 31);
        expect(Buffer.compare(await echo(bytes), bytes)).toBe(0);
      }
    });
  });
}
