import { afterEach, describe, expect, inject, test } from 'vitest';
import {
  AddProcsError,
  Cluster,
  ClusterClosedError,
  type ClusterOptions,
  functionsOf,
  functor,
  OptionError,
  ProcessExitedException,
  RemoteException,
  TimeoutError,
  UnserializableError,
} from '../../lib/index.ts';
import { alive, waitUntilGone } from '../support/processes.ts';
import { fixture, rejection } from '../support/sites.ts';

const work = functionsOf<typeof import('../support/fixtures/cluster.js')>(fixture('cluster.js'));

const open = new Set<Cluster>();
const cluster = (options?: ClusterOptions): Cluster => {
  const made = new Cluster(options);
  open.add(made);
  return made;
};
afterEach(async () => {
  await Promise.all([...open].map((each) => each.close()));
  open.clear();
});

const ssh = inject('ssh');
type Add = (to: Cluster, count: number) => PromiseLike<number[]>;
const methods: [name: string, add: Add][] = [
  ['virtual', (to, count) => to.addProcs(count, { fork: 'virtual' })],
  ['sh', (to, count) => to.addProcs(count, { fork: 'sh' })],
  ...(ssh.unavailable === undefined
    ? [['ssh', (to, count) => to.addProcs([[ssh.host, count]], { sshflags: ssh.options })] as [string, Add]]
    : []),
];

describe.each(methods)('A cluster of %s sites', (_name, add) => {
  test('calls functions of modules and functors in its workers, and they in each other', async () => {
    const here = cluster();
    const [a, b] = await add(here, 2);
    expect(await here.remotecallFetch(work.square, a!, 7)).toBe(49);
    expect(
      await here.remotecallFetch(
        functor(() => (x: number) => x + 1),
        b!,
        41,
      ),
    ).toBe(42);
    expect(await here.remotecallFetch(work.callFrom, a!, work.myid, b!)).toBe(b);
    expect(await here.remotecallFetch(work.callFrom, a!, work.callFrom, 1, work.myid, b!)).toBe(b);
  });

  test('tells what a function threw from what went wrong on the way', async () => {
    const here = cluster();
    const [a, b] = await add(here, 2);
    const thrown = await rejection(here.remotecallFetch(work.callFrom, a!, work.fail, b!, 'no such range'));
    expect(thrown).toBeInstanceOf(RemoteException);
    expect(thrown).toMatchObject({ id: a, cause: { id: b, cause: { message: 'no such range' } } });
    expect(thrown.cause).toMatchObject({ name: 'RemoteException', code: 'ERR_OFFSITE_REMOTE' });
    const gone = here.remotecallFetch(work.callFrom, a!, work.exit, b!, 3);
    expect(await rejection(gone)).toMatchObject({
      id: a,
      cause: { code: 'ERR_OFFSITE_PROCESS_EXITED', id: b, reason: 'crashed', mayHaveRun: true },
    });
    expect(await rejection(here.remotecallFetch(work.same, a!, Symbol('s')))).toBeInstanceOf(
      UnserializableError,
    );
    expect(await here.remotecallFetch(work.square, a!, 2)).toBe(4);
  });
});

test('A worker that joins later has run what was run everywhere, before anybody can call it', async () => {
  const here = cluster();
  await here.addProcs(1, { fork: 'virtual' });
  await here.everywhere(work.keep, { args: ['first'] });
  await here.everywhere(work.keep, { args: ['second'] });
  const [late] = await here.addProcs(1, { fork: 'virtual' });
  expect(await here.remotecallFetch(work.keptValue, late!)).toBe('second');
});

test('What fails everywhere is one AggregateError with the id of each, and is not run by those that join later', async () => {
  const here = cluster();
  await here.addProcs(2, { fork: 'virtual' });
  const failed = await rejection(here.everywhere(work.fail, { args: ['never'] }));
  expect(failed).toBeInstanceOf(AggregateError);
  expect((failed.errors as RemoteException[]).map(({ id }) => id)).toEqual([1, 2, 3]);
  expect(await here.addProcs(1, { fork: 'virtual' })).toEqual([4]);
});

test('Workers are given as they come, and the failures at the end, with those that came staying', async () => {
  const here = cluster();
  const added = here.addProcs({
    launch: () => [
      { site: { fork: 'virtual' } },
      { site: { fork: ['false'] } },
      { site: { fork: 'virtual' } },
    ],
  });
  const came: number[] = [];
  const failed = await rejection(
    (async () => {
      for await (const id of added) came.push(id);
    })(),
  );
  expect(failed).toBeInstanceOf(AddProcsError);
  expect(failed.errors).toHaveLength(1);
  expect(came.sort()).toEqual([...(failed.ids as number[])]);
  expect(here.workers).toEqual(came);
  expect(await rejection(Promise.resolve(added))).toBe(failed);
});

test('A cluster that is closed while workers start leaves none, and refuses everything afterwards', async () => {
  const here = cluster();
  const [pid] = [...(await here.addProcs(1, { fork: 'sh' }))].map((id) => here.site(id)!.pid!);
  const adding = rejection(Promise.resolve(here.addProcs(2, { fork: 'sh' })));
  await here.close();
  expect(await adding).toBeInstanceOf(AddProcsError);
  await waitUntilGone([pid!], 1_000);
  expect(await rejection(here.remotecallFetch(work.myid, 2))).toBeInstanceOf(ClusterClosedError);
  expect(await rejection(Promise.resolve(here.addProcs(1)))).toBeInstanceOf(AddProcsError);
  await here.close();
});

test('A worker that is killed is told of with its reason, and everybody who waits for it wakes', async () => {
  const here = cluster();
  const [a, b] = await here.addProcs(2, { fork: 'sh' });
  const left = new Promise((resolve) => here.on('leave', (...what) => resolve(what)));
  const heard = resolvers();
  const waits = [
    rejection(here.remotecallFetch(work.never, b!, () => heard.resolve(undefined))),
    rejection(here.remotecallFetch(work.callFrom, a!, work.never, b!)),
  ];
  await heard.promise;
  const pid = here.site(b!)!.pid!;
  process.kill(pid, 'SIGKILL');
  expect(await left).toEqual([b, 'crashed', undefined]);
  const [own, others] = await Promise.all(waits);
  expect(own).toBeInstanceOf(ProcessExitedException);
  expect(own).toMatchObject({ id: b, reason: 'crashed', mayHaveRun: true });
  expect(others).toMatchObject({ id: a, cause: { id: b, reason: 'crashed' } });
  expect(alive(pid)).toBe(false);
});

test('A call may be bounded by time and by a signal', async () => {
  const here = cluster();
  const [a] = await here.addProcs(1, { fork: 'virtual' });
  expect(await rejection(here.within({ timeout: 5 }).remotecallFetch(work.never, a!))).toBeInstanceOf(
    TimeoutError,
  );
  const controller = new AbortController();
  const given = here
    .within({ signal: controller.signal })
    .remotecallFetch(work.untilAborted, a!, () => controller.abort(new Error('enough')));
  expect(await rejection(given)).toMatchObject({ message: 'enough' });
  expect(() => here.within({ timeout: -1 })).toThrow(OptionError);
});

test('Workers that may not call each other say so, and process 1 still may', async () => {
  const here = cluster({ topology: 'master_worker' });
  const [a, b] = await here.addProcs(2, { fork: 'virtual' });
  const refused = await rejection(here.remotecallFetch(work.callFrom, a!, work.myid, b!));
  expect(refused.cause).toMatchObject({ code: 'ERR_OFFSITE_TOPOLOGY' });
  expect(await here.remotecallFetch(work.callFrom, a!, work.myid, 1)).toBe(1);
});

test('The end of a cluster is told to all who wait: for a call here, for a Future, for a pool, and in a map that tries again', async () => {
  const here = cluster();
  const [a] = await here.addProcs(1, { fork: 'virtual' });
  const pool = here.workerPool([a!]);
  await pool.take();
  const heard = resolvers();
  const elastic = here.elasticPool({ max: 1 }, { fork: 'virtual' });
  await elastic.take();
  const waits = [
    here.remotecallFetch(work.never, 1, () => heard.resolve(undefined)),
    here.future().fetch(),
    here.channel().take(),
    pool.take(),
    elastic.take(),
    here.pmap(work.untilAborted, [() => {}, () => {}], { retry: { delays: [1] } }),
  ].map((each) => rejection(each));
  await heard.promise;
  await here.close();
  for (const error of await Promise.all(waits)) expect(error.code).toMatch(/^ERR_OFFSITE_/);
});

test('A worker that dies of what runs everywhere is a failure, and not left out', async () => {
  const here = cluster();
  const [a, b] = await here.addProcs(2, { fork: 'sh' });
  const failed = await rejection(here.everywhere(work.exit, { args: [3], procs: [a!, b!] }));
  expect((failed.errors as ProcessExitedException[]).map(({ id }) => id)).toEqual([a, b]);
  const [c] = await here.addProcs(1, { fork: 'sh' });
  const all = await rejection(here.everywhere(work.exitWorker, { args: [3] }));
  expect((all.errors as ProcessExitedException[]).map(({ id }) => id)).toEqual([c]);
});

test('An interrupt gives up a call too that waits for its module', async () => {
  const here = cluster();
  const [a] = await here.addProcs(1, { fork: 'virtual' });
  // The call leaves before the interrupt, and its module is loaded only then.
  const called = rejection(here.remotecallFetch(work.never, a!));
  await here.remotecallFetch(
    functor(() => () => 0),
    a!,
  );
  await here.interrupt([a!]);
  expect(await called).toMatchObject({ cause: { code: 'ERR_OFFSITE_INTERRUPTED' } });
});

test('Options that can not be are refused at the door', async () => {
  const here = cluster();
  await expect(here.remotecallFetch(work.square, '2' as never, 2)).rejects.toThrow(OptionError);
  expect(() => here.everywhere(work.square, { arg: [5] } as never)).toThrow(/no "arg"/);
  expect(() => here.everywhere(work.square, 5 as never)).toThrow(OptionError);
  expect(() => new Cluster({ topology: 'star' as never })).toThrow(OptionError);
  expect(() => new Cluster({ topolgy: 'custom' } as never)).toThrow(/no option "topolgy"/);
});

const resolvers = () => {
  let resolve!: (value: unknown) => void;
  const promise = new Promise((give) => {
    resolve = give;
  });
  return { promise, resolve };
};
