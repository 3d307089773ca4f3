// Checked by `tsc --noEmit` alone: nothing here runs.
import {
  Cluster,
  type Future,
  functionsOf,
  functor,
  type RemoteChannel,
  type WorkerPool,
} from '../../lib/index.ts';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
declare const typeOf: <T>(value: T) => { is<U>(...proof: Equal<T, U> extends true ? [] : [never]): void };

interface Shapes {
  area(shape: { width: number; height: number }): number;
  name(id: number): Promise<string>;
  each(visit: (id: number) => void): void;
  readonly count: number;
}
const { area, name, each } = functionsOf<Shapes>('file:///shapes.js');
// @ts-expect-error only functions have names
functionsOf<Shapes>('file:///shapes.js').count;

const cluster = new Cluster();
const shape = { width: 1, height: 2 };

// What a function takes and gives is inferred from the user's own module; promises are flattened.
typeOf(await cluster.remotecallFetch(area, 2, shape)).is<number>();
typeOf(await cluster.remotecallFetch(name, 2, 3)).is<string>();
typeOf(cluster.remotecall(name, 2, 3)).is<Future<string>>();
typeOf(await cluster.remotecallWait(area, 2, shape)).is<Future<number>>();
typeOf(cluster.spawnAt('any', area, shape)).is<Future<number>>();
typeOf(await cluster.remotecall(name, 2, 3).fetch()).is<string>();
// @ts-expect-error a function gets what it takes
await cluster.remotecallFetch(area, 2, 'wide');
// @ts-expect-error and all of it
await cluster.remotecallFetch(area, 2);
// @ts-expect-error a function that is not named can't travel
await cluster.remotecallFetch((x: number) => x, 2, 3);

// A callback gets what arrives over there.
await cluster.remotecallFetch(each, 2, (id) => typeOf(id).is<number>());

// A functor that gives a function is one.
typeOf(
  await cluster.remotecallFetch(
    functor(() => (x: number) => `${x}`),
    2,
    41,
  ),
).is<string>();
typeOf(functionsOf(functor(() => ({ twice: (x: number) => 2 * x }))).twice['~function']!).is<
  (x: number) => number
>();

// Names are values, and arrive as what they are.
const callOther = functor(() => (fn: typeof area) => fn.name);
typeOf(await cluster.remotecallFetch(callOther, 2, area)).is<string>();

// All of them.
typeOf(await cluster.everywhere(area, { args: [shape] })).is<ReadonlyMap<number, number>>();
// @ts-expect-error the same arguments everywhere
await cluster.everywhere(area, { args: ['wide'] });
typeOf(await cluster.everywhere(new URL('file:///shapes.js'))).is<ReadonlyMap<number, unknown>>();

// Maps take elements of the first parameter, and give results in their place.
typeOf(await cluster.pmap(name, [1, 2, 3])).is<string[]>();
// @ts-expect-error elements of another type
await cluster.pmap(name, ['1']);
typeOf(await cluster.pmap(area, [shape], { onError: () => 'none' as const })).is<(number | 'none')[]>();
for await (const each of cluster.imap(area, [shape])) typeOf(each).is<number>();

// Who came, one by one or all.
typeOf(await cluster.addProcs(2)).is<number[]>();
for await (const id of cluster.addProcs('auto')) typeOf(id).is<number>();

typeOf(cluster.channel<Date>()).is<RemoteChannel<Date>>();
for await (const date of cluster.channel<Date>(2, 8)) typeOf(date).is<Date>();
// @ts-expect-error a channel of dates
await cluster.channel<Date>().put('today');

typeOf(await cluster.remotecallFetch(area, cluster.workerPool([2, 3]), shape)).is<number>();
typeOf(cluster.workerPool()).is<WorkerPool>();
