import { expect, test } from 'vitest';
import { InOrder } from '../../../actors/remote-actor/in-order.ts';

test('what comes with numbers is performed in their order, and answered when it was performed', async () => {
  const order = new InOrder();
  const done: number[] = [];
  const take = (number: number) => order.take(number, () => done.push(number));
  const late = [2, 1, 3].map((number) => take(number) as Promise<number>);
  expect(done).toEqual([]);
  expect(take(0)).toBe(1);
  expect(done).toEqual([0, 1, 2, 3]);
  expect(await Promise.all(late)).toEqual([3, 2, 4]);
  expect(take(4)).toBe(5);
  // One that failed on the way is made again, and those behind it go on; one that throws holds up nobody.
  expect(take(2)).toBe(6);
  const failing = () => {
    throw new Error('no');
  };
  const early = order.take(6, failing) as Promise<unknown>;
  const behind = take(7);
  expect(() => order.take(5, failing)).toThrow('no');
  await expect(early).rejects.toThrow('no');
  expect(await behind).toBe(7);
});
