import { deepStrictEqual } from 'node:assert';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeBody, encodeBody } from '../../../lib/wire/codec/codec.ts';
import { LimitError, UndecodableError, UnserializableError } from '../../../lib/wire/errors.ts';
import { Outbox } from '../../../lib/wire/frame/outbox.ts';
import { contextOf, decode, encode, roundTrip } from './there-and-back.ts';

const cyclic: { self?: unknown; list: unknown[]; when: Date } = { list: [], when: new Date(1) };
cyclic.self = cyclic;
cyclic.list.push(cyclic.list);

const bytes = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]).buffer;

describe('a value', () => {
  test.each<[string, unknown]>([
    ['undefined', undefined],
    ['null', null],
    ['false', false],
    ['zero', 0],
    ['minus zero', -0],
    ['NaN', Number.NaN],
    ['infinity', Number.POSITIVE_INFINITY],
    ['minus infinity', Number.NEGATIVE_INFINITY],
    ['the largest number', Number.MAX_VALUE],
    ['the smallest number', Number.MIN_VALUE],
    ['a bigint', -(2n ** 100n)],
    ['an empty string', ''],
    ['text of all planes', 'añ 語 🙂 \u0000\u2028'],
    ['half a surrogate pair', '\ud800'],
    ['an empty array', []],
    ['an array with undefined', [undefined, 1, undefined]],
    ['minus zero and NaN in an array', [-0, Number.NaN]],
    ['an empty object', {}],
    ['a property that is undefined', { a: undefined, b: 1 }],
    ['a key with a dot', { 'a.b': new Date(1), a: { b: 1n } }],
    ['a key with a backslash', { 'a\\.b': new Date(1), 'c\\': 1n }],
    ['an empty key', { '': 1n }],
    ['keys like indices', { 0: 1n, 1: new Date(2) }],
    ['holes in an array', Object.assign(new Array(5), { 1: 'a', 3: undefined })],
    ['an array of holes', new Array(4_000_000_000)],
    ['a hole at the end', [1, ...new Array(0)].concat(new Array(1))],
    ['a boxed number', Object(-0)],
    ['a boxed text', Object('ab')],
    ['a boxed bigint', Object(1n)],
    [
      'keys of the prototype beside what is rich',
      JSON.parse('{"__proto__":{"a":1},"constructor":[2],"prototype":3}', (_, value) =>
        value === 2 ? 2n : value,
      ),
    ],
    ['a key of the prototype as plain data', JSON.parse('{"__proto__":{"a":1},"constructor":2}')],
    ['a Date', new Date(1_700_000_000_123)],
    ['a Date before Christ', new Date(-1e14)],
    ['a RegExp', /of+si[\]/]te\//giu],
    ['a URL', new URL('https://user@example.org:8080/a%20b?c=d#e')],
    [
      'a Map',
      new Map<unknown, unknown>([
        ['k', 1n],
        [{ key: true }, new Map([[1, [undefined]]])],
        [Number.NaN, -0],
      ]),
    ],
    ['an empty Map', new Map()],
    ['a Set', new Set<unknown>([1, 'two', new Date(3), new Set([4n])])],
    ['text in an array with text of its own', ['["reference"]', '{"json":1}']],
    ['an object in the form of the codec', { json: 1, meta: { values: { a: ['Date'] } }, when: new Date(4) }],
    ['a cycle', cyclic],
  ])('comes back as it is: %s', (_name, value) => {
    // Not toStrictEqual, which takes a property that is called constructor for the class.
    deepStrictEqual(roundTrip(value), value);
    deepStrictEqual(roundTrip({ deep: [value] }), { deep: [value] });
  });

  test('keeps the difference between zero and minus zero', () => {
    expect(Object.is(roundTrip(-0), -0)).toBe(true);
    expect(Object.is(roundTrip(0), 0)).toBe(true);
    expect(Object.is((roundTrip({ a: [-0] }) as { a: number[] }).a[0], -0)).toBe(true);
  });

  test('keeps an invalid Date invalid', () => {
    const back = roundTrip({ when: new Date(Number.NaN) }) as { when: Date };
    expect(back.when).toBeInstanceOf(Date);
    expect(back.when.getTime()).toBeNaN();
  });

  test('without a prototype arrives without one', () => {
    const back = roundTrip(Object.assign(Object.create(null), { a: 1 }));
    expect(Object.getPrototypeOf(back)).toBeNull();
    expect(back).toEqual({ a: 1 });
  });

  test('that occurs twice beside what is not plain is one object there too', () => {
    const shared = { when: new Date(1) };
    const back = roundTrip({ a: shared, b: [shared] }) as { a: object; b: object[] };
    expect(back.b[0]).toBe(back.a);
  });

  test('nested nine hundred levels deep comes back', () => {
    let value: unknown = [1n];
    for (let i = 0; i < 900; i++) value = [value];
    expect(roundTrip(value)).toEqual(value);
  });

  test('comes back whatever it is made of', () => {
    const leaf = fc.oneof(
      fc.anything({ maxDepth: 0 }),
      fc.bigInt(),
      fc.date({ noInvalidDate: true }),
      fc.uint8Array(),
      fc.float64Array(),
      fc.constant(undefined),
      fc.string({ unit: 'binary' }),
    );
    const key = fc.oneof(
      fc.string(),
      fc.constantFrom('__proto__', 'constructor', 'prototype', 'toJSON', 'then'),
    );
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        leaf,
        fc.array(tie('tree')),
        fc.dictionary(key, tie('tree'), { noNullPrototype: true }),
        fc.array(fc.tuple(tie('tree'), tie('tree'))).map((entries) => new Map(entries)),
        fc.array(tie('tree')).map((items) => new Set(items)),
      ),
    }));
    fc.assert(
      fc.property(tree, (value) => {
        deepStrictEqual(roundTrip(value), value);
      }),
      { numRuns: 300 },
    );
  });
});

describe('bytes', () => {
  test.each<[string, ArrayBufferView | ArrayBuffer]>([
    ['Buffer', Buffer.from(bytes.slice(0))],
    ['ArrayBuffer', bytes.slice(0)],
    ['DataView', new DataView(bytes.slice(0))],
    ['Uint8Array', new Uint8Array(bytes.slice(0))],
    ['Uint8ClampedArray', new Uint8ClampedArray(bytes.slice(0))],
    ['Int8Array', new Int8Array(bytes.slice(0))],
    ['Uint16Array', new Uint16Array(bytes.slice(0))],
    ['Int16Array', new Int16Array(bytes.slice(0))],
    ['Uint32Array', new Uint32Array(bytes.slice(0))],
    ['Int32Array', new Int32Array(bytes.slice(0))],
    ['Float32Array', new Float32Array([1.5, -0, Number.NaN])],
    ['Float64Array', new Float64Array([1.5, -0, Number.NaN])],
    ['BigInt64Array', new BigInt64Array(bytes.slice(0))],
    ['BigUint64Array', new BigUint64Array(bytes.slice(0))],
  ])('of a %s arrive as one, alone and beside others', (name, value) => {
    for (const back of [roundTrip(value), (roundTrip([{ a: 1 }, value]) as unknown[])[1]]) {
      expect((back as object).constructor.name).toBe(name);
      expect(back).toStrictEqual(value);
    }
    expect(Buffer.isBuffer(roundTrip(value))).toBe(name === 'Buffer');
  });

  test('of an empty view arrive', () => {
    expect(roundTrip(new Float64Array(0))).toStrictEqual(new Float64Array(0));
    expect(roundTrip([new Uint8Array(0), Buffer.alloc(0)])).toStrictEqual([
      new Uint8Array(0),
      Buffer.alloc(0),
    ]);
  });

  test('of a part of a larger memory arrive alone, aligned or not', () => {
    const back = roundTrip(new Uint8Array(bytes, 3, 5)) as Uint8Array;
    expect([...back]).toEqual([4, 5, 6, 7, 8]);
    expect(back.buffer.byteLength).toBe(5);
    expect(roundTrip({ a: 'x', b: new Float64Array(bytes, 8, 1) })).toStrictEqual({
      a: 'x',
      b: new Float64Array(bytes.slice(8)),
    });
  });

  test('stand behind the text raw, not in it', () => {
    expect(encode(new Uint8Array(100_000)).length).toBeLessThan(100_300);
  });

  test('that are the same object twice are sent once or twice, but arrive alike', () => {
    const one = new Uint8Array([1, 2]);
    expect(roundTrip([one, { one }])).toStrictEqual([one, { one }]);
  });
});

describe('plain data', () => {
  test('goes as JSON behind one byte', () => {
    const body = encode({ a: [1, 'x', null] });
    expect(body.subarray(1).toString()).toBe('{"a":[1,"x",null]}');
  });

  test('of nothing is one byte', () => {
    expect(encode(undefined)).toHaveLength(1);
  });
});

describe('what can not be sent', () => {
  class Secret {
    #value = 1;
    reveal() {
      return this.#value;
    }
  }
  let deep: unknown = 1n;
  for (let i = 0; i < 1100; i++) deep = { deeper: deep };

  test.each<[string, unknown, string, RegExp]>([
    ['a symbol', Symbol('no'), 'value', /a symbol/],
    ['a symbol in a row', { rows: [{ id: 1 }, { id: Symbol('no') }] }, 'value.rows[1].id', /a symbol/],
    ['a key that is no identifier', { 'a b': [Symbol('no')] }, 'value["a b"][0]', /a symbol/],
    ['a promise', [Promise.resolve(1)], 'value[0]', /a promise.*await/],
    ['an instance', { it: new Secret() }, 'value.it', /Secret.*byReference/],
    ['a WeakMap', new WeakMap(), 'value', /WeakMap/],
    ['a generator', [(function* () {})()], 'value[0]', /send plain data/],
    [
      'an instance in a Map in a Set',
      new Set([new Map([['k', new Secret()]])]),
      'value.values()[0].k',
      /registerClass/,
    ],
    ['a key that is a symbol', { a: { [Symbol('s')]: 1 } }, 'value.a[Symbol(s)]', /under a symbol/],
    [
      'a property of an array',
      { a: Object.assign([1], { name: 1 }) },
      'value.a.name',
      /property of an array/,
    ],
    [
      'a property of a long array',
      Object.assign(new Array(300).fill(1), { name: 1 }),
      'value.name',
      /property of an array/,
    ],
    ['a property of a Map', Object.assign(new Map(), { name: 1 }), 'value.name', /property of a Map/],
    [
      'a property of bytes',
      Object.assign(Buffer.alloc(300), { name: 1 }),
      'value.name',
      /property of a Buffer/,
    ],
    ['a class that extends Map', new (class Registry extends Map {})(), 'value', /Registry/],
    ['a class that extends Array', [new (class Row extends Array {})()], 'value[0]', /Row/],
    ['a class that extends Date', new (class Day extends Date {})(), 'value', /Day/],
    [
      'shared memory on a link that has none',
      [new Uint8Array(new SharedArrayBuffer(1))],
      'value[0]',
      /slice\(\)/,
    ],
    ['a value of a Map', new Map([['k', Symbol('no')]]), 'value.k', /a symbol/],
    ['a key of a Map', new Map([[Symbol('no'), 1]]), 'value.keys()[0]', /a symbol/],
    ['a member of a Set', new Set([1, Symbol('no')]), 'value.values()[1]', /a symbol/],
  ])('is refused with the path to it: %s', (_name, value, path, message) => {
    const { context, withdrawn } = contextOf();
    const outbox = new Outbox();
    try {
      encodeBody(outbox, value, context, 'value');
      expect.unreachable('it was encoded');
    } catch (error) {
      expect(error).toBeInstanceOf(UnserializableError);
      expect(error).toMatchObject({ path, code: 'ERR_OFFSITE_UNSERIALIZABLE' });
      expect((error as Error).message).toMatch(message);
      expect((error as Error).message).toContain(path);
    }
    expect(outbox.length).toBe(0);
    expect(withdrawn).toEqual([]);
  });

  test('because it is nested too deep is refused by its limit, and not by a stack overflow', () => {
    let list: object | undefined;
    for (let i = 0; i < 100_000; i++) list = { next: list, n: 1n };
    for (const value of [deep, list, JSON.parse(`${'['.repeat(1001)}${']'.repeat(1001)}`)]) {
      expect(() => encode(value)).toThrow(LimitError);
      expect(() => encode(value)).toThrow(/value[.[].* deeper than 1000 levels.*option depth/);
    }
    try {
      encode(list);
    } catch (error) {
      expect(error).toMatchObject({ code: 'ERR_OFFSITE_DEPTH', limit: 'depth', bound: 1000 });
      expect((error as Error).message.length).toBeLessThan(500);
    }
  });

  test('because it is deeper than the option allows begins at the first level beyond', () => {
    const { context } = contextOf({ depth: 2 });
    expect(roundTrip([[1]], context)).toEqual([[1]]);
    expect(roundTrip([[1n]], context)).toEqual([[1n]]);
    expect(() => encode([[[1]]], context)).toThrow(LimitError);
    expect(() => encode([[[1n]]], context)).toThrow(LimitError);
    for (const body of [encode([[[1]]]), encode([[[1n], [2n]]])]) {
      expect(() => decode(body, context)).toThrow(UndecodableError);
    }
  });

  test('takes back the references that were introduced before it failed', () => {
    const { context, values, withdrawn } = contextOf();
    const failing = {
      callback: () => 1,
      later: {
        get late(): unknown {
          if (values.length === 0) return 1n;
          throw new Error('the getter fails');
        },
      },
    };
    expect(() => encode(failing, context)).toThrow('the getter fails');
    expect(withdrawn).toEqual([-1]);
    expect(encode({ callback: () => 1, n: 1n }, context).length).toBeGreaterThan(0);
  });
});

describe('references', () => {
  test('cross as a record of the tables, wherever they are in a value', () => {
    const { context, values } = contextOf();
    const callback = () => 1;
    const body = encode({ on: [callback], n: 1n }, context);
    expect(values).toEqual([callback]);
    const back = decodeBody(body, 0, body.length, context) as { on: unknown[]; n: bigint };
    expect(back.on[0]).toBe(callback);
    expect(back.n).toBe(1n);
  });
});

describe('a body that is damaged', () => {
  test.each<[string, Buffer]>([
    ['nothing', Buffer.alloc(0)],
    ['an unknown kind', Buffer.from([9])],
    ['half a text', Buffer.from('\u0000{"a":')],
    ['no text', Buffer.from([0])],
    ['a rich body without anything', Buffer.from([1])],
    ['a text that does not fit', Buffer.concat([Buffer.from([1]), Buffer.alloc(8, 0x7f)])],
    ['a text of negative size', Buffer.from([1, ...new Uint8Array(new Float64Array([-1]).buffer)])],
  ])('is an UndecodableError: %s', (_name, body) => {
    expect(() => decode(body)).toThrow(UndecodableError);
  });

  test('is an UndecodableError or a value, but never anything else, whatever its bytes are', () => {
    const good = encode({ a: new Uint8Array(9), b: [1n, new Date(1)], c: new Map([[1, 2]]) });
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 8 }), (changes) => {
        const damaged = Buffer.from(good);
        for (const [at, to] of changes) damaged[at] = to;
        try {
          decode(damaged);
        } catch (error) {
          expect(error).toBeInstanceOf(UndecodableError);
        }
      }),
      { numRuns: 3_000 },
    );
  });
});
