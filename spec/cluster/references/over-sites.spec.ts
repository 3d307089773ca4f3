import { afterAll, beforeAll, describe, expect, expectTypeOf, test } from 'vitest';
import {
  Cluster,
  type FunctionName,
  Future,
  functionsOf,
  ProcessExitedException,
  type RemoteChannel,
} from '../../../lib/index.ts';
import { fixture, rejection } from '../../support/sites.ts';

const work = functionsOf<typeof import('../../support/fixtures/references.js')>(fixture('references.js'));

describe.each(['virtual', 'sh'] as const)('In a cluster of %s sites', (fork) => {
  let cluster: Cluster;
  let a: number;
  let b: number;

  beforeAll(async () => {
    cluster = new Cluster();
    [a, b] = (await cluster.addProcs(2, { fork })) as [number, number];
  });
  afterAll(() => cluster.close());

  test('55. A Future here or there is not ready until somebody sets it, anywhere.', async () => {
    for (const owner of [1, a]) {
      const future = cluster.future<string>(owner);
      expect(await future.isReady()).toBe(false);
      const far = cluster.remotecallFetch(work.fetch, b, future);
      await cluster.remotecallFetch(work.put, a, future, 'value');
      expect(await far).toBe('value');
      expect(await future.fetch()).toBe('value');
      expect(await rejection(future.put('again'))).toMatchObject({ code: 'ERR_OFFSITE_FUTURE_SET' });
    }
  });

  test('What a call makes stays where it ran, and can be made, sent and fetched by any process.', async () => {
    const future = cluster.remotecall(work.add, a, 1, 2);
    expectTypeOf(future).toEqualTypeOf<Future<number>>();
    expect(future.owner).toBe(a);
    expect(await cluster.remotecallFetch(work.fetch, b, future)).toBe(3);
    expect(await cluster.remotecallFetch(work.isFuture, b, future)).toBe(true);
    const theirs = await cluster.remotecallFetch(work.callAt, a, b, work.add as FunctionName, 3, 4);
    expect(theirs).toBeInstanceOf(Future);
    expect(theirs.owner).toBe(b);
    expect(await theirs.fetch()).toBe(7);
    expect(await cluster.remotecallFetch(work.fetch, b, theirs)).toBe(7);
  });

  test('76. A channel in any process takes from any, and gives to any.', async () => {
    for (const owner of cluster.procs) {
      const channel = await cluster.remotecallFetch(work.channelAt, b, owner, 0);
      for (const from of cluster.procs) {
        for (const to of cluster.procs) {
          const taken = cluster.remotecallFetch(work.take, to, channel);
          await cluster.remotecallFetch(work.put, from, channel, { from, to });
          expect(await taken).toEqual({ from, to });
        }
      }
    }
  });

  test('70. A consumer in another process gets all, in order, until the channel is closed.', async () => {
    const channel = cluster.channel<number>(a, 3);
    expectTypeOf(channel).toEqualTypeOf<RemoteChannel<number>>();
    const collected = cluster.remotecallFetch(work.collect, b, channel);
    for (let i = 0; i < 100; i++) await channel.put(i);
    await channel.close();
    expect(await collected).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(await rejection(channel.take())).toMatchObject({ code: 'ERR_OFFSITE_CHANNEL_CLOSED' });
  });

  test('A take that was given up over there takes nothing.', async () => {
    const channel = cluster.channel<number>(a, 1);
    const error = await rejection(cluster.remotecallFetch(work.take, b, channel, { timeout: 20 }));
    // By codes, here and below: the modules there have a copy of this package of their own.
    expect(error.cause).toMatchObject({ code: 'ERR_OFFSITE_TIMEOUT' });
    await channel.put(1);
    expect(await channel.take({ timeout: 10_000 })).toBe(1);
  });

  test('A function there makes a store of its own.', async () => {
    const channel = cluster.channel<number>(a, work.stack as never);
    for (const value of [1, 2, 3]) await channel.put(value);
    expect(await cluster.remotecallFetch(work.take, b, channel)).toBe(3);
    await channel.close();
    expect(await cluster.remotecallFetch(work.collect, b, channel)).toEqual([2, 1]);
  });

  test('A process that dies takes what lay in it with it, and gives back what was on its way to it.', async () => {
    const [c] = (await cluster.addProcs(1, { fork })) as [number];
    const there = cluster.channel<number>(c, 1);
    const future = cluster.future(a, { waitingFor: c });
    const here = cluster.channel<number>(a, 1);
    await cluster.remotecallFetch(work.keep, c, here, future);
    const waiting = [there.take(), future.fetch(), cluster.remotecallFetch(work.take, c, here)].map(
      rejection,
    );
    cluster.remoteDo(work.exit, c);
    for (const error of await Promise.all(waiting)) {
      expect(error).toMatchObject({ code: 'ERR_OFFSITE_PROCESS_EXITED', id: c });
    }
    await here.put(5);
    expect(await here.take()).toBe(5);
    expect(() => cluster.channel(c)).toThrow(ProcessExitedException);
  });
});
