import { expect, test } from 'vitest';
import { InOrder } from '../../../actors/remote-actor/in-order.ts';

test('what comes with numbers is performed in their order, and answered when it was performed', async () => {
  const order = new InOrder();
  const done: number[] = [];
  const take = (number: number) => order.take(number, () => done.push(number));
  const late = [take(2), take(1), take(3)];
  expect(done).toEqual([]);
  expect(take(0)).toBe(1);
  expect(done).toEqual([0, 1, 2, 3]);
  expect(await Promise.all(late)).toEqual([3, 2, 4]);
  expect(take(4)).toBe(5);
});
