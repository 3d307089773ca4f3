/** What the specs of pools have their workers do. */
import type { Broadcast } from '../../../lib/cluster/broadcast/broadcast.ts';

export const double = (x: number): number => x * 2;
export const plus = (x: number, y: number, z = 0): number => x + y + z;
export const doubleLater = async (x: number): Promise<number> => {
  await new Promise((resolve) => setImmediate(resolve));
  return x * 2;
};
/** Refuses every seventh. */
export const picky = (x: number): number => {
  if (x % 7 === 3) throw new RangeError(`no ${x}`);
  return x;
};
/** Asks the spec, which may take its time. */
export const ask = async (x: number, callback: (x: number) => Promise<number> | number): Promise<number> =>
  callback(x);
export const spin = (ms: number): number => {
  const end = performance.now() + ms;
  while (performance.now() < end);
  return ms;
};
export const identity = (x: unknown): unknown => x;
export const sum = (a: number, b: number): number => a + b;
export const concat = (a: string, b: string): string => `${a}${b}`;
export const letter = (x: number): string => String.fromCharCode(97 + x);
export const later = async (a: number, b: number): Promise<number> => {
  await Promise.resolve();
  return a + b;
};
export const nothing = (): void => {};
export const scaled = (x: number, factors: Broadcast<Float64Array>): number => x * factors.value[x]!;
export const lengthOf = (text: Broadcast<string>): number => text.value.length;
export const within = async ({ held }: { held: Broadcast<string> }): Promise<[boolean, string]> => [
  held.isLoaded,
  await held.load(),
];
export const die = (): never => process.exit(3);
const known = new WeakSet<object>();
/** Whether it has got the very same object before. */
export const seen = (_x: number, rows: number[]): boolean => {
  const before = known.has(rows);
  known.add(rows);
  return before;
};
