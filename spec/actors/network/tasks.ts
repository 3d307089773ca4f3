/** What the specs of networks have nodes do. */
import { setTimeout as delay } from 'node:timers/promises';
import { currentNetwork } from '../../../lib/cluster.ts';
import { byReference } from '../../../lib/site.ts';

export const times = (x: number, y: number): number => x * y;
export const plus = (x: number, y: number): number => x + y;
export const square = (x: number): number => x * x;
export const same = (x: unknown): unknown => x;
export const pair = (x: number): number[] => [x, x];
export const mixed = (x: number): number | string => (x === 2 ? 'two' : x);
export const timesAll = (xs: ArrayLike<number>, ys: ArrayLike<number>): number[] =>
  Array.from(xs, (x, at) => x * ys[at]!);
export const tooFew = (xs: number[]): number[] => xs.slice(1);
export const pid = (_: number): number => process.pid;
export const who = (): number[] => [currentNetwork().self.id, ...currentNetwork().nodes.map(({ id }) => id)];
export const info = () => currentNetwork().info();
export const die = (): never => process.exit(3);

/** Refuses what is below 0. */
export const root = (x: number, _y?: number): number => {
  if (x < 0) throw Object.assign(new RangeError(`no root of ${x}`), { code: 'E_NEGATIVE' });
  return Math.sqrt(x);
};
export const fail = (message: string): never => {
  throw new RangeError(message);
};
export const failAfterMessage = async (message: string): Promise<never> => {
  await currentNetwork().send('still to be read', 1);
  throw new RangeError(message);
};
/** One node fails, and the other waits for it. */
export const failOrWait = async (who: number): Promise<unknown> => {
  const network = currentNetwork();
  if (network.myid === who) throw new RangeError('no part of mine');
  return network.receive(who);
};

/** Takes a value from one node and sends it to another. */
export const passOn = async (from: number, to: number): Promise<void> => {
  const network = currentNetwork();
  await network.send(await network.receive(from), to);
};
/** Sends so many numbers to a node, each when the one before was taken. */
export const sendMany = async (count: number, to: number): Promise<number> => {
  for (let at = 0; at < count; at++) await currentNetwork().send(at, to);
  return count;
};
/** The same, all at once. */
export const sendAtOnce = async (count: number, to: number): Promise<void> => {
  await Promise.all(Array.from({ length: count }, (_, at) => currentNetwork().send(at, to)));
};
/** Sends numbers for as long as it can, and says how many were taken. */
export const sender = () => {
  let taken = 0;
  return byReference({
    start(count: number, to: number): void {
      for (let at = 0; at < count; at++) {
        void currentNetwork()
          .send(at, to)
          .then(() => taken++);
      }
    },
    taken: () => taken,
  });
};
export const readMany = async (count: number, from: number): Promise<unknown[]> => {
  const values: unknown[] = [];
  while (values.length < count) values.push(await currentNetwork().receive(from));
  return values;
};
/** Sends back what comes, so many times. */
export const echo = async (count: number): Promise<void> => {
  for (let at = 0; at < count; at++) {
    const { from, value } = await currentNetwork().receive();
    await currentNetwork().send(value, from);
  }
};
/** How long each way there and back took to another node that echoes, in milliseconds. */
export const ping = async (to: number, count: number): Promise<number[]> => {
  const times: number[] = [];
  for (let at = 0; at < count; at++) {
    const start = performance.now();
    await currentNetwork().send(at, to);
    await currentNetwork().receive(to);
    times.push(performance.now() - start);
  }
  return times;
};
export const variable = (name: string): unknown => currentNetwork().vars[name];
export const scaled = (x: number): number => x * (currentNetwork().vars.factor as number);
export const sendFromLocalJob = async (x: number): Promise<string> => {
  try {
    await currentNetwork().send(x, 1);
    return 'sent';
  } catch (error) {
    return (error as { code: string }).code;
  }
};
export const askNode = (to: number): Promise<unknown> => {
  const { square: name } = functions;
  return currentNetwork().rfeval(name as never, [7] as never, to);
};
export const wait = async (ms: number): Promise<void> => {
  await delay(ms);
};
const functions = (await import('../../../lib/cluster.ts')).functionsOf<{ square: typeof square }>(
  new URL(import.meta.url),
);
