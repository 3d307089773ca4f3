import * as v from 'valibot';

const Order = v.object({ item: v.string(), count: v.pipe(v.number(), v.minValue(1)), price: v.number() });

/** One line of an order. */
export type Order = v.InferOutput<typeof Order>;

/** Orders out of JSON, each checked. */
export const parseOrders = (json: string): Order[] => v.parse(v.array(Order), JSON.parse(json));
