import { expect, test, vi } from 'vitest';

const copy = async () => {
  vi.resetModules();
  return {
    ...(await import('../../lib/wire/reference/reference.ts')),
    ...(await import('../../lib/wire/codec/register.ts')),
    ...(await import('../../lib/wire/shared.ts')),
    ...(await import('./codec/there-and-back.ts')),
  };
};

test('what is marked or registered with one copy of the code is known to another', async () => {
  const [one, other] = [await copy(), await copy()];
  expect(one.byReference).not.toBe(other.byReference);
  expect(other.isByReference(one.byReference({}))).toBe(true);

  class Point {
    x = 1;
  }
  class Money {
    readonly #cents = 5;
    get cents() {
      return this.#cents;
    }
  }
  one.registerClass(Point, 'shared.Point');
  other.roundTrip([new Date(0)]);
  one.registerType({
    name: 'shared.Money',
    isApplicable: (value): value is Money => value instanceof Money,
    serialize: ({ cents }) => cents,
    deserialize: () => new Money(),
  });
  const back = other.roundTrip([new Point(), new Money()]);
  expect(back[0]).toBeInstanceOf(Point);
  expect(back[1]).toBeInstanceOf(Money);
});
