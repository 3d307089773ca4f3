import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { roundTrip } from './there-and-back.ts';

/** Whether two graphs are alike, also in which of their parts are one object. */
const alike = (left: unknown, right: unknown): boolean => {
  const partners = new Map<unknown, unknown>();
  const taken = new Set<unknown>();
  const todo: [unknown, unknown][] = [[left, right]];
  for (let pair = todo.pop(); pair; pair = todo.pop()) {
    const [a, b] = pair;
    if (typeof a !== 'object' || a === null) {
      if (!Object.is(a, b)) return false;
      continue;
    }
    if (partners.has(a)) {
      if (partners.get(a) !== b) return false;
      continue;
    }
    if (typeof b !== 'object' || b === null || taken.has(b)) return false;
    if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
    partners.set(a, b);
    taken.add(b);
    if (a instanceof Date) {
      if (!Object.is(a.getTime(), (b as Date).getTime())) return false;
    } else if (a instanceof Map || a instanceof Set) {
      const [as, bs] = [[...a].flat(), [...(b as Map<unknown, unknown>)].flat()];
      if (a.size !== (b as typeof a).size) return false;
      as.forEach((item, i) => void todo.push([item, bs[i]]));
    } else {
      const keys = Reflect.ownKeys(a);
      if (keys.join() !== Reflect.ownKeys(b).join()) return false;
      for (const key of keys) todo.push([Reflect.get(a, key), Reflect.get(b, key)]);
    }
  }
  return true;
};

type Part = { kind: number; edges: [string, number][]; leaf: unknown };

/** Makes objects first and then joins them, so that all shapes of sharing and cycles come about. */
const grow = (parts: Part[]): unknown => {
  const made = parts.map(
    ({ kind, leaf }): unknown =>
      [{}, [], new Map(), new Set(), Object.create(null), new Date(kind), leaf][kind],
  );
  parts.forEach(({ edges }, i) => {
    const from = made[i];
    edges.forEach(([key, to], n) => {
      const item = made[to % made.length];
      if (Array.isArray(from)) from[n * 2] = item;
      else if (from instanceof Map) from.set(n % 2 ? item : key, item);
      else if (from instanceof Set) from.add(Array.isArray(item) ? key : item);
      else if (typeof from === 'object' && from !== null && !(from instanceof Date)) {
        Object.defineProperty(from, key, {
          value: item,
          configurable: true,
          enumerable: true,
          writable: true,
        });
      }
    });
  });
  return made[0];
};

describe('a graph', () => {
  test('of any shape comes back with the same parts in the same places', () => {
    const leaf = fc.constantFrom<unknown>(undefined, null, -0, Number.NaN, 7n, 'text', '', true, 0.5);
    const key = fc.oneof(
      fc.string({ maxLength: 4 }),
      fc.constantFrom('__proto__', 'constructor', 'then', '0', '7'),
    );
    const part = fc.record({
      kind: fc.nat(6),
      edges: fc.array(fc.tuple(key, fc.nat(40)), { maxLength: 5 }),
      leaf,
    });
    // fast-check prints the seed of what fails.
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 25 }), (parts) => {
        const value = grow(parts);
        expect(alike(value, roundTrip(value))).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test.each<[string, () => object]>([
    ['a plain object', () => ({ a: 1 })],
    ['an array', () => [1]],
    ['a Date', () => new Date(1)],
    ['a buffer', () => new Uint8Array(2)],
    ['an error', () => new Error('m')],
  ])('keeps the identity of what occurs twice: %s', (_name, make) => {
    const one = make();
    const back = roundTrip({ left: one, right: [one] });
    expect(back.right[0]).toBe(back.left);
    expect(back.left).toEqual(one);
    const two = roundTrip([make(), make()]);
    expect(two[0]).not.toBe(two[1]);
  });

  test('keeps the identity of what occurs twice among many plain objects', () => {
    const rows: object[] = Array.from({ length: 40 }, (_, id) => ({ id }));
    rows.push(rows[3]!, rows[30]!);
    const back = roundTrip(rows);
    expect(back[40]).toBe(back[3]);
    expect(back[41]).toBe(back[30]);
  });

  test('has errors that lead back to themselves', () => {
    const error = new AggregateError([1], 'm') as AggregateError & { self?: unknown };
    error.cause = error;
    error.self = { error };
    error.errors.push(error);
    const back = roundTrip(error) as AggregateError & { self: { error: unknown } };
    expect(back.cause).toBe(back);
    expect(back.self.error).toBe(back);
    expect(back.errors[1]).toBe(back);
    expect(back).toBeInstanceOf(AggregateError);
  });

  test('with a chain of causes longer than the stack arrives as far as the limit goes', () => {
    let error = new Error('first');
    for (let i = 0; i < 20_000; i++) error = new Error('next', { cause: error });
    let back: unknown = roundTrip(error);
    let levels = 0;
    for (; back instanceof Error; levels++) back = back.cause;
    expect(levels).toBe(1000);
    expect(back).toBe('Error: next');
  });

  test('of another realm arrives in this one', () => {
    const value = runInNewContext(
      '({ a: [1, { b: 1n }], m: new Map([[1, new Date(5)]]), r: /x/g, s: new Set([1]) })',
    );
    expect(roundTrip(value)).toStrictEqual({
      a: [1, { b: 1n }],
      m: new Map([[1, new Date(5)]]),
      r: /x/g,
      s: new Set([1]),
    });
    expect(roundTrip(runInNewContext('new RangeError("m")'))).toBeInstanceOf(RangeError);
    expect(roundTrip(runInNewContext('new Float64Array([1.5])'))).toStrictEqual(new Float64Array([1.5]));
  });

  test('is taken as its getters give it, and a getter may encode meanwhile', () => {
    const value = {
      get now() {
        return roundTrip({ inner: [1n] });
      },
      n: 1n,
    };
    expect(roundTrip(value)).toStrictEqual({ now: { inner: [1n] }, n: 1n });
  });
});

test('an error keeps a property errors that is no list, and a code that its class computes', () => {
  class FormError extends Error {
    errors = { name: ['is empty'] };
    get code() {
      return 'E_FORM';
    }
  }
  expect(roundTrip(new FormError('m'))).toMatchObject({ errors: { name: ['is empty'] }, code: 'E_FORM' });
});

test('a DOMException arrives as one', () => {
  const back = roundTrip(new DOMException('m', 'AbortError'));
  expect(back).toBeInstanceOf(DOMException);
  expect(back).toMatchObject({ name: 'AbortError', message: 'm', code: 20 });
});
