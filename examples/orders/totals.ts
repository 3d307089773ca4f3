import type { Order } from './parse.ts';

/** What was sold of each item, in money. */
export const totals = (orders: readonly Order[]): Record<string, number> => {
  const sums: Record<string, number> = {};
  for (const { item, count, price } of orders) sums[item] = (sums[item] ?? 0) + count * price;
  return sums;
};
