import { expect, test } from 'vitest';
import type { NetworkHost } from '../../../lib/index.ts';
import { rejection } from '../../support/sites.ts';
import { networks, tasks } from './networks.ts';

const THREADS: NetworkHost[] = [{ fork: 'virtual' }, { fork: 'virtual' }];
const { shared, fresh } = networks(THREADS);
const X = Array.from({ length: 1_000 }, (_, x) => x);

test('results are in the order of the elements, whoever has made them', async () => {
  const network = await shared();
  expect(await network.cellfun(tasks.times, [X, X])).toEqual(X.map((x) => x * x));
  expect(await network.cellfun(tasks.times, [X, X], { chunkSize: 7 })).toEqual(X.map((x) => x * x));
  expect(await network.cellfun(tasks.square, [[]])).toEqual([]);
  const sum = X.reduce((all, x) => all + x * x, 0);
  expect(await network.cellfun(tasks.times, [X, X], { fold: tasks.plus })).toBe(sum);
  const options = { vectorized: true, chunkSize: 300 } as const;
  expect(await network.cellfun(tasks.timesAll, [X, X], options)).toEqual(X.map((x) => x * x));
});

test('a failing element without a handler fails the call with its place and its error, and the network goes on', async () => {
  const network = await shared();
  const values = [4, 9, -1, 16];
  for (const options of [{}, { fold: tasks.plus }]) {
    const error = await rejection(network.cellfun(tasks.root, [values, values], options as object));
    expect(error).toMatchObject({ code: 'ERR_OFFSITE_ELEMENT', index: 2 });
    expect(error.cause).toMatchObject({ code: 'ERR_OFFSITE_REMOTE' });
    const thrown = (error.cause as Error).cause as Error;
    expect(thrown).toMatchObject({ name: 'RangeError', code: 'E_NEGATIVE' });
    expect(thrown.stack).toContain('tasks.ts');
  }
  expect(await network.cellfun(tasks.square, [[1, 2]])).toEqual([1, 4]);
});

test('what the handler gives takes the place in a fold too', async () => {
  const network = await shared();
  const values = [4, 9, -1, 16];
  const seen: unknown[] = [];
  const errorHandler = ({ index }: { index: number }, ...args: unknown[]) => {
    seen.push([index, ...args]);
    return 100;
  };
  const options = { fold: tasks.plus, errorHandler, chunkSize: 3 };
  expect(await network.cellfun(tasks.root, [values, X.slice(0, 4)], options)).toBe(109);
  expect(seen).toEqual([[2, -1, 2]]);
});

test('a process that ends takes its elements to the handler, and no others', async () => {
  const network = await fresh();
  const lost: number[] = [];
  const options = {
    chunkSize: 1,
    errorHandler: ({ index, error }: { index: number; error: unknown }) => {
      lost.push(index);
      return (error as { code: string }).code;
    },
  };
  const died = network.cellfun(tasks.die, [[1]] as never, options);
  expect(await died).toEqual(['ERR_OFFSITE_PROCESS_EXITED']);
  expect(lost).toEqual([0]);
  expect(await network.cellfun(tasks.square, [X])).toEqual(X.map((x) => x * x));
});

test('uniform output is of scalars of one type, and anything else says which', async () => {
  const network = await shared();
  expect(await rejection(network.cellfun(tasks.pair, [[1]]))).toMatchObject({
    code: 'ERR_OFFSITE_UNIFORM_OUTPUT',
    index: 0,
  });
  expect(await rejection(network.cellfun(tasks.mixed, [[1, 2]]))).toMatchObject({ index: 1 });
  expect(await network.cellfun(tasks.mixed, [[1, 2]], { uniformOutput: false })).toEqual([1, 'two']);
});

test('arrays of different lengths, and options that do not fit, are refused', async () => {
  const network = await shared();
  expect(await rejection(network.cellfun(tasks.times, [[1], [1, 2]]))).toMatchObject({ option: 'arrays' });
  expect(await rejection(network.cellfun(tasks.square, [[1]], { chunksize: 1 } as object))).toMatchObject({
    option: 'chunksize',
  });
  expect(await rejection(network.cellfun(tasks.square, [[]], { fold: tasks.plus }))).toMatchObject({
    option: 'fold',
  });
  const few = network.cellfun(tasks.tooFew, [[1, 2]], { vectorized: true, chunkSize: 2 });
  expect((await rejection(few)).message).toContain('its 2 elements, and not one of 1');
});

test('each node has as many local jobs as were asked for, which have its variables and no mailbox', async () => {
  const network = await fresh([{ fork: 'sh' }], { nlocaljobs: 3 });
  expect(network.info().nodes.map(({ nlocaljobs }) => nlocaljobs)).toEqual([0, 3]);
  // More than one element for each, so that each has one.
  const pids = new Set(await network.cellfun(tasks.pid, [X], { chunkSize: 1 }));
  expect(pids.size).toBe(3);
  await network.installVars({ factor: 3 });
  expect(await network.cellfun(tasks.scaled, [X], { chunkSize: 10 })).toEqual(X.map((x) => 3 * x));
  const sent = await network.cellfun(tasks.sendFromLocalJob, [X.slice(0, 30)], { chunkSize: 1 });
  expect(new Set(sent)).toEqual(new Set(['sent', 'ERR_OFFSITE_NO_NETWORK']));
  await network.setLocalJobs(1);
  expect(network.info().nodes[1]).toMatchObject({ nlocaljobs: 1 });
  await network.setLocalJobs(2, 2);
  expect(await network.cellfun(tasks.scaled, [X], { chunkSize: 10 })).toEqual(X.map((x) => 3 * x));
  expect(await rejection(network.setLocalJobs(2, 1))).toMatchObject({ option: 'nodes' });
});

test('variables are in all nodes, or in those that were named, and stay until they are replaced', async () => {
  const network = await shared();
  const table = Float64Array.from({ length: 5_000 }, (_, x) => x);
  await network.installVars({ table, name: 'all' });
  await network.installVars({ name: 'third' }, 3);
  expect(await network.evaluate(tasks.variable, undefined, 'name')).toEqual(
    new Map([
      [2, 'all'],
      [3, 'third'],
    ]),
  );
  expect(await network.rfeval(tasks.variable, ['table'], 3)).toEqual(table);
  expect(network.vars).toMatchObject({ table, name: 'all' });
  expect(await rejection(network.installVars({ callback: () => 1 }))).toMatchObject({
    code: 'ERR_OFFSITE_UNSERIALIZABLE',
  });
});

test('info is the same network as each node sees it', async () => {
  const network = await shared();
  const here = network.info();
  const [, two] = here.nodes;
  expect(two).toMatchObject({ id: 2, name: 'localhost', isSelf: false, isOpen: true, nlocaljobs: 1 });
  expect(two!.nproc).toBeGreaterThan(0);
  const there = await network.rfeval(tasks.info, [], 2);
  expect(there).toEqual({
    ...here,
    self: 2,
    nodes: here.nodes.map((node) => ({ ...node, isSelf: node.id === 2 })),
  });
});
