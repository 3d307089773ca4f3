// Checked by `tsc --noEmit` alone: nothing here runs.
import { functionsOf, functor, type Job, JobServer, type ReceivedFile } from '../../lib/index.ts';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
declare const typeOf: <T>(value: T) => { is<U>(...proof: Equal<T, U> extends true ? [] : [never]): void };

interface Work {
  area(shape: { width: number; height: number }): number;
  name(id: number): Promise<string>;
  total(list: readonly number[]): number;
  steps(n: number): AsyncGenerator<number, string>;
  now(): Date;
  rest(ms?: number): void;
}
const { area, name, total, steps, now, rest } = functionsOf<Work>('file:///work.js');
const jobs = await JobServer.open({
  ncpus: 'autodetect',
  servers: ['node-1:35000', 'auto', { host: 'b', fork: 'ssh' }],
});

// What a function takes and gives is inferred from the user's own module; promises are flattened.
typeOf(await jobs.submit(area, [{ width: 1, height: 2 }])).is<number>();
typeOf(await jobs.submit(name, [3])).is<string>();
typeOf(await jobs.submit(now)).is<Date>();
jobs.submit(rest);
jobs.submit(rest, [10], { priority: 2 });
// @ts-expect-error a function gets what it takes
jobs.submit(area, ['wide']);
// @ts-expect-error and all of it
jobs.submit(name);
// @ts-expect-error and no more
jobs.submit(name, [1, 2]);
// @ts-expect-error there is no such option
jobs.submit(name, [1], { prio: 1 });

// Plain functions and functors.
typeOf(await jobs.submit((x: number, y: string) => `${x}${y}`, [1, 'a'])).is<string>();
const joined = functor(
  { import: { path: 'node:path' } },
  ({ path }) =>
    (file: string) =>
      path.basename(file),
);
typeOf(await jobs.submit(joined, ['a'])).is<string>();

// A generator's yields are what its job says before its end, and its return the result.
const job = jobs.submit(steps, [3]);
typeOf(job).is<Job<string, number>>();
for await (const value of job.provisional) typeOf(value).is<number>();
typeOf(job.progress).is<number | undefined>();
typeOf(job.value).is<string | undefined>();
typeOf(job.files).is<readonly ReceivedFile[]>();

// Jobs are arguments, whole or in part, of their own type only.
const one = jobs.submit(name, [1]);
const size = jobs.submit(area, [{ width: jobs.submit(total, [[1, 2]]), height: 2 }]);
jobs.submit(total, [[1, size, size]]);
// @ts-expect-error a job that gives a text is no number
jobs.submit(total, [[1, one]]);
// @ts-expect-error
jobs.submit(name, [one]);

// Programs give their exit code; a text's export is unknown unless one says what it gives.
typeOf(await jobs.submit({ program: 'ls', send: true }, ['-l', 1])).is<number>();
typeOf(await jobs.submit('./work.js#sum', [1])).is<unknown>();
typeOf(await jobs.submit<number>('./work.js#sum', [1])).is<number>();

// A callback gets its job; a template takes the arguments.
jobs.submit(name, [1], { callback: ({ value }) => typeOf(value).is<string | undefined>() });
const template = jobs.template(area, { group: 'areas' });
typeOf(await template.submit({ width: 1, height: 2 })).is<number>();
// @ts-expect-error
template.submit(1);

// A map takes a list for each argument, and gives a list, or one value if it folds.
typeOf(await jobs.map(name, [1, 2, 3])).is<string[]>();
typeOf(await jobs.map((x: number, y: string) => y.repeat(x), [1, 2], ['a', 'b'], { chunk: 2 })).is<
  string[]
>();
typeOf(
  await jobs.map(area, [{ width: 1, height: 1 }], { fold: (a: number, b: number) => a + b }),
).is<number>();
typeOf(
  await jobs.map((x: number) => x, new Float64Array(3), { onError: (_error, index, x) => index + x }),
).is<number[]>();
// @ts-expect-error a list of what the function takes
void jobs.map(name, ['a']);
