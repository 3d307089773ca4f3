import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isPlain } from '../../../lib/wire/codec/plain.ts';

const cyclic: unknown[] = [];
cyclic.push(cyclic);

const deep = (levels: number): unknown => {
  let value: unknown = 1;
  for (let i = 0; i < levels; i++) value = [value];
  return value;
};

describe('isPlain', () => {
  test.each<[string, unknown]>([
    ['a string', 'x'],
    ['a boolean', false],
    ['zero', 0],
    ['a fraction', 1.5],
    ['null', null],
    ['an array', [1, 'x', null]],
    ['an object', { a: { b: [] } }],
    ['sixty levels', deep(60)],
  ])('takes %s', (_name, value) => {
    expect(isPlain(value)).toBe(true);
  });

  test.each<[string, unknown]>([
    ['undefined', undefined],
    ['minus zero', -0],
    ['NaN', Number.NaN],
    ['infinity', Number.POSITIVE_INFINITY],
    ['a bigint', 1n],
    ['a symbol', Symbol('s')],
    ['a function', () => 1],
    ['an array with a hole', new Array(3)],
    ['an array with undefined', [undefined]],
    ['a property that is undefined', { a: undefined }],
    ['a Date', new Date(0)],
    ['an Error', new Error('x')],
    ['bytes', new Uint8Array(1)],
    ['an object without prototype', Object.create(null)],
    ['an instance', new (class A {})()],
    ['a cycle', cyclic],
    ['a hundred levels', deep(100)],
  ])('leaves %s to the other codec', (_name, value) => {
    expect(isPlain(value)).toBe(false);
    expect(isPlain({ nested: [value] })).toBe(false);
  });

  test('takes only what JSON carries whole', () => {
    fc.assert(
      fc.property(fc.anything({ withBigInt: true, withDate: true, withSparseArray: true }), (value) => {
        if (isPlain(value)) expect(JSON.parse(JSON.stringify(value))).toStrictEqual(value);
      }),
    );
  });
});
