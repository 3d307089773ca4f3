import { describe, expect, test } from 'vitest';
import { registerClass, registerType } from '../../../lib/wire/codec/register.ts';
import { UndecodableError, UnserializableError } from '../../../lib/wire/errors.ts';
import { classes, leafTypes } from '../../../lib/wire/shared.ts';
import { decode, encode, roundTrip } from './there-and-back.ts';

class Point {
  x: number;
  y: unknown;
  constructor(x: number, y: unknown) {
    this.x = x;
    this.y = y;
  }
  get norm() {
    return this.x * 2;
  }
}

class Money {
  readonly #cents: number;
  constructor(cents: number) {
    this.#cents = cents;
  }
  get cents() {
    return this.#cents;
  }
}

describe('registerClass', () => {
  test('makes instances arrive as instances, with cycles', () => {
    registerClass(Point);
    const point = new Point(1, 2n);
    const loop = new Point(3, undefined);
    loop.y = [loop];
    const back = roundTrip({ point, loop });
    expect(back.point).toBeInstanceOf(Point);
    expect(back.point).toStrictEqual(point);
    expect(back.point.norm).toBe(2);
    expect((back.loop.y as unknown[])[0]).toBe(back.loop);
  });

  test('does not speak for a class that extends it', () => {
    registerClass(Point);
    class Far extends Point {}
    expect(() => encode([new Far(1, 2)])).toThrow(/value\[0\] is an instance of Far/);
  });

  test('on one side only fails what arrives, and says what to do', () => {
    class Lonely {}
    registerClass(Lonely, 'app.Lonely');
    const body = encode(new Lonely());
    classes.delete('app.Lonely');
    expect(() => decode(body)).toThrow(UndecodableError);
    expect(() => decode(body)).toThrow(/app\.Lonely.*registerClass/);
  });

  test('of an error makes it arrive as that class, also under another name', () => {
    class QuotaError extends RangeError {
      left = 3;
    }
    registerClass(QuotaError, 'app.QuotaError');
    const back = roundTrip(new QuotaError('m'));
    expect(back).toBeInstanceOf(QuotaError);
    expect(back.left).toBe(3);
  });

  test.each<[string, unknown]>([
    ['a class that extends a built-in one', class extends Map {}],
    ['a built-in class', Map],
    ['Object', Object],
    ['an arrow function', () => 1],
    ['nothing', undefined],
  ])('refuses %s', (_name, given) => {
    expect(() => registerClass(given as typeof Point, 'name')).toThrow(TypeError);
  });

  test('refuses a name that is none', () => {
    expect(() => registerClass(class {}, '')).toThrow(TypeError);
    expect(() => registerClass(class {}, '__proto__')).toThrow(TypeError);
  });
});

describe('registerType', () => {
  const isMoney = (value: unknown): value is Money => value instanceof Money;

  test('teaches a type of which nothing is seen from outside', () => {
    registerType<Money, number>({
      name: 'Money',
      isApplicable: isMoney,
      serialize: ({ cents }) => cents,
      deserialize: (cents) => new Money(cents),
    });
    const price = new Money(250);
    const back = roundTrip({ price, again: price, list: [new Money(1), new Date(2)] });
    expect(back.price).toBeInstanceOf(Money);
    expect(back.price.cents).toBe(250);
    expect(back.again).toBe(back.price);
    expect(back.list[1]).toEqual(new Date(2));
  });

  test('teaches what extends a built-in class too', () => {
    class Tags extends Set<string> {}
    registerType<Tags, string[]>({
      name: 'Tags',
      isApplicable: (value): value is Tags => value instanceof Tags,
      serialize: (tags) => [...tags],
      deserialize: (tags) => new Tags(tags),
    });
    const back = roundTrip([new Tags(['a', 'b']), new Set(['a'])]);
    expect(back[0]).toBeInstanceOf(Tags);
    expect([...back[0]!]).toEqual(['a', 'b']);
    expect(back[1]).not.toBeInstanceOf(Tags);
  });

  test('refuses what JSON would lose of its values', () => {
    class Odd {}
    registerType({
      name: 'Odd',
      isApplicable: (value): value is Odd => value instanceof Odd,
      serialize: () => ({ when: new Date() }),
      deserialize: () => new Odd(),
    });
    expect(() => encode(new Odd())).toThrow(UnserializableError);
    expect(() => encode(new Odd())).toThrow(/type Odd.*serialize\(\)/);
  });

  test('goes before what a value could be read as: one that can be iterated is no stream', () => {
    class Span {
      readonly to: number;
      constructor(to: number) {
        this.to = to;
      }
      async *[Symbol.asyncIterator]() {
        for (let i = 0; i < this.to; i++) yield i;
      }
    }
    registerType<Span, number>({
      name: 'Span',
      isApplicable: (value): value is Span => value instanceof Span,
      serialize: ({ to }) => to,
      deserialize: (to) => new Span(to),
    });
    expect(roundTrip([new Span(3)])[0]).toBeInstanceOf(Span);
  });

  test('on one side only fails what arrives, and says what to do', () => {
    registerType<Money, number>({
      name: 'Money2',
      isApplicable: isMoney,
      serialize: ({ cents }) => cents,
      deserialize: (cents) => new Money(cents),
    });
    const body = encode(new Money(1));
    leafTypes.pop();
    expect(() => decode(body)).toThrow(/Money2.*registerType/);
  });
});
