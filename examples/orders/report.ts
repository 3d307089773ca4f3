import { parseOrders } from './parse.ts';
import { totals } from './totals.ts';

/** Reads orders and sums them up by item; throws valibot's error for what is none. */
export const report = (json: string): Record<string, number> => totals(parseOrders(json));

/** Where this module says that it lies, and which Node.js runs it. */
export const where = (): string => `${import.meta.url} on Node.js ${process.versions.node}`;
