import { afterEach, expect, expectTypeOf, it } from 'vitest';
import { ProcessExitedException, RemoteException } from '../../../lib/cluster/errors.ts';
import { functionsOf } from '../../../lib/cluster/functions.ts';
import { ChannelClosedError } from '../../../lib/cluster/references/errors.ts';
import { makeChannel } from '../../../lib/cluster/references/make.ts';
import type { RemoteChannel } from '../../../lib/cluster/references/remote-channel.ts';
import type { ChannelStore } from '../../../lib/cluster/references/store-cell.ts';
import { functor } from '../../../lib/module/functor.ts';
import type { Received } from '../../../lib/module/remote.ts';
import { ReleasedError, TimeoutError } from '../../../lib/wire/errors.ts';
import { rejection, settled } from '../../wire/pair.ts';
import { Processes } from './processes.ts';

/** A store of a user's own: the greatest number first, and nothing but numbers. */
class Numbers implements ChannelStore<number> {
  readonly #numbers: number[] = [];
  readonly #waiting: (() => void)[] = [];
  #closed = false;

  put(value: number): void {
    if (typeof value !== 'number') throw new TypeError(`${String(value)} is no number.`);
    this.#numbers.push(value);
    this.#numbers.sort((a, b) => b - a);
    this.#waiting.shift()?.();
  }

  async take(): Promise<number> {
    while (this.#numbers.length === 0) {
      if (this.#closed) throw new ChannelClosedError('Numbers');
      // Deaf to the signal on purpose: a store may be.
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    return this.#numbers.shift()!;
  }

  async fetch(): Promise<number> {
    const first = await this.take();
    this.put(first);
    return first;
  }

  isReady(): boolean {
    return this.#numbers.length > 0;
  }

  close(): void {
    this.#closed = true;
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

const jobs = {
  numbers: () => new Numbers(),
  broken: () => {
    throw new RangeError('no store today');
  },
  nothing: () => ({}),
  put: (channel: RemoteChannel, ...values: unknown[]) =>
    values.reduce((before: Promise<void>, value) => before.then(() => channel.put(value)), Promise.resolve()),
  putLocal: (channel: RemoteChannel) => channel.put(new (class Local {})()),
  take: (channel: RemoteChannel) => channel.take(),
  collect: async (channel: RemoteChannel) => {
    const all = [];
    for await (const value of channel) all.push(value);
    return all;
  },
  collectHeads: async (channel: RemoteChannel<Uint8Array>) => {
    const heads: number[] = [];
    for await (const value of channel) heads.push(new Set(value).size === 1 ? value[0]! : -1);
    return heads;
  },
  isReady: (channel: RemoteChannel) => channel.isReady(),
};
const { numbers, broken, nothing } = functionsOf('jobs') as unknown as Record<string, never>;

let processes: Processes;
const start = (count: number, options: { relayed?: boolean } = {}): Processes => {
  processes = new Processes(count, { jobs, ...options });
  return processes;
};
const channelOf = <T = unknown>(owner: number, of?: Parameters<typeof makeChannel<T>>[2]) =>
  makeChannel<T>(processes.member(1), owner, of);

afterEach(() => processes.close());

/** Until all notes have arrived. */
const quiet = async () => {
  for (let i = 0; i < 10; i++) await settled();
};

for (const owner of [1, 2]) {
  const where = owner === 1 ? 'local' : 'remote';

  it(`68. A channel is open, takes values of any type, can be looked into without taking, gives them in order, and is closed (${where}).`, async () => {
    start(2);
    const channel = channelOf(owner, 5);
    expect(await channel.isOpen()).toBe(true);
    expect(await channel.isReady()).toBe(false);
    const values = [1, 'two', { three: [3] }, new Map([[4, 'four']]), undefined];
    for (const value of values) await channel.put(value);
    expect(await channel.isReady()).toBe(true);
    expect([await channel.fetch(), await channel.fetch()]).toEqual([1, 1]);
    for (const value of values) expect(await channel.take()).toEqual(value);
    await channel.close();
    await channel.close();
    expect(await channel.isOpen()).toBe(false);
    const error = await rejection(channel.put(6));
    expect(error).toBeInstanceOf(ChannelClosedError);
    expect(error).toMatchObject({ code: 'ERR_OFFSITE_CHANNEL_CLOSED' });
  });

  it(`71. Asking whether a channel is empty takes nothing out of it (${where}).`, async () => {
    start(2);
    const channel = channelOf(owner);
    expect(await channel.isEmpty()).toBe(true);
    await channel.put('it');
    expect([await channel.isEmpty(), await channel.isEmpty()]).toEqual([false, false]);
    expect(await channel.take()).toBe('it');
  });

  it(`74. A take from a closed channel that keeps nothing throws, and everything else goes on (${where}).`, async () => {
    start(2);
    const channel = channelOf(owner, 0);
    const waiting = [rejection(channel.take()), rejection(channel.fetch())];
    await quiet();
    await channel.close();
    for (const error of await Promise.all(waiting)) expect(error).toBeInstanceOf(ChannelClosedError);
    for (let i = 0; i < 3; i++) expect(await rejection(channel.take())).toBeInstanceOf(ChannelClosedError);
    expect(await rejection(channel.put(1))).toBeInstanceOf(ChannelClosedError);
    expect(processes.member(1).references.sizes.asks).toBe(0);
  });

  it(`77. A channel of a type says so to the compiler, and its store can refuse values (${where}).`, async () => {
    start(2);
    const channel = channelOf<number>(owner, numbers);
    expectTypeOf<ReturnType<typeof channel.take>>().toEqualTypeOf<Promise<number>>();
    expectTypeOf<Received<typeof channel>>().toEqualTypeOf<RemoteChannel<number>>();
    await channel.put(1);
    // @ts-expect-error It takes numbers.
    const error = await rejection(channel.put('text'));
    expect(error).toBeInstanceOf(RemoteException);
    expect(error).toMatchObject({ id: owner, cause: { name: 'TypeError', message: 'text is no number.' } });
    expect(await channel.take()).toBe(1);
  });

  it(`64. fetchAt gives what lies under keys in the next value (${where}).`, async () => {
    start(2);
    const channel = channelOf<{ rows: number[] }>(owner);
    await channel.put({ rows: [5, 6] });
    expect(await channel.fetchAt(['rows', 1])).toBe(6);
    expect(await channel.fetchAt(['rows'])).toEqual([5, 6]);
    expect(await rejection(channel.fetchAt(['none', 1]))).toBeInstanceOf(TypeError);
    expect(await channel.isEmpty()).toBe(false);
  });

  it(`67. Every use of a channel that was released rejects, and who waits is woken (${where}).`, async () => {
    start(2);
    const channel = channelOf(owner);
    const waiting = rejection(channel.take());
    await quiet();
    channel.release();
    expect(await waiting).toBeInstanceOf(ReleasedError);
    for (const use of [
      () => channel.put(1),
      () => channel.take(),
      () => channel.fetch(),
      () => channel.isReady(),
      () => channel.isEmpty(),
      () => channel.isOpen(),
      () => channel.close(),
      () => processes.send(1, 2, 'take', channel),
      () => channel.values().next(),
    ]) {
      expect(await rejection(use())).toBeInstanceOf(ReleasedError);
    }
    await quiet();
    expect(processes.member(owner).references.describe()).toEqual([]);
  });

  it(`Puts wait while a channel is full, keep their order, and are woken by takes (${where}).`, async () => {
    start(2);
    const channel = channelOf<number>(owner, 2);
    let put = 0;
    const puts = Array.from({ length: 20 }, (_, i) => channel.put(i).then(() => put++));
    await quiet();
    expect(put).toBe(2);
    for (let i = 0; i < 20; i++) expect(await channel.take()).toBe(i);
    await Promise.all(puts);
  });

  it(`When a channel is closed, what is in it is drained, and puts that wait are rejected (${where}).`, async () => {
    start(2);
    const channel = channelOf<number>(owner, 2);
    await channel.put(1);
    await channel.put(2);
    const waiting = rejection(channel.put(3));
    await quiet();
    await channel.close();
    expect(await waiting).toBeInstanceOf(ChannelClosedError);
    expect(await processes.send(1, 2, 'collect', channel)).toEqual([1, 2]);
    expect(await rejection(channel.take())).toBeInstanceOf(ChannelClosedError);
  });

  it(`A take that is given up takes nothing, in whichever moment that is (${where}).`, async () => {
    start(2);
    const channel = channelOf<number>(owner, 10);
    let taken = 0;
    for (let round = 0; round < 60; round++) {
      const controller = new AbortController();
      const take = channel.take({ signal: controller.signal }).then(
        (value) => {
          expect(value).toBe(taken);
          taken++;
        },
        (error: unknown) => expect(error).toMatchObject({ message: 'enough' }),
      );
      void channel.put(round);
      // From before the call has left to after its answer has come.
      for (let turn = 0; turn < round % 12; turn++) await Promise.resolve();
      if (round % 5 === 0) await settled();
      controller.abort(new Error('enough'));
      await take;
      if (round % 7 === 6) while (taken <= round) expect(await channel.take()).toBe(taken++);
    }
    while (taken < 60) expect(await channel.take()).toBe(taken++);
    await quiet();
    expect(await channel.isEmpty()).toBe(true);
  });

  it(`A put that is given up while it waits is not in the channel (${where}).`, async () => {
    start(2);
    const channel = channelOf<number>(owner, 1);
    await channel.put(1);
    const controller = new AbortController();
    const given = rejection(channel.put(2, { signal: controller.signal }));
    await quiet();
    controller.abort(new Error('enough'));
    expect(await given).toMatchObject({ message: 'enough' });
    expect(await rejection(channel.put(3, { timeout: 5 }))).toBeInstanceOf(TimeoutError);
    await quiet();
    const last = channel.put(4);
    expect([await channel.take(), await channel.take()]).toEqual([1, 4]);
    await last;
  });
}

for (const [from, to] of [
  [1, 2],
  [2, 1],
]) {
  it(`70. A consumer in process ${to} gets all that process ${from} puts into a channel for one, also by iteration.`, async () => {
    start(2);
    const channel = channelOf<number>(1);
    const collected = processes.send(1, to!, 'collect', channel);
    await processes.send(1, from!, 'put', channel, ...Array.from({ length: 10 }, (_, i) => i));
    await channel.close();
    expect(await collected).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });
}

it('73. A producer may use one large buffer again after each put into a channel that keeps nothing.', async () => {
  start(2);
  for (const owner of [1, 2]) {
    const channel = channelOf<Uint8Array>(owner, 0);
    const heads = processes.send(1, 2, 'collectHeads', channel);
    const buffer = new Uint8Array(300_000);
    for (let i = 0; i < 10; i++) {
      buffer.fill(i);
      await channel.put(buffer);
    }
    buffer.fill(99);
    await channel.close();
    expect(await heads).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  }
});

it('76. A put from any process reaches a take in any process by way of any third one.', async () => {
  for (const relayed of [false, true]) {
    start(4, { relayed });
    for (const owner of processes.ids) {
      const channel = channelOf<string>(owner, 0);
      for (const from of processes.ids) {
        for (const to of processes.ids) {
          const taken = processes.send(1, to, 'take', channel);
          await processes.send(1, from, 'put', channel, `${from} to ${to}`);
          expect(await taken).toBe(`${from} to ${to}`);
        }
      }
    }
    processes.close();
  }
});

it('A channel that keeps nothing lets a put go on when its value has arrived at the taker, and not before.', async () => {
  start(3);
  const channel = channelOf<string>(2, 0);
  let put = false;
  const putting = channel.put('it').then(() => {
    put = true;
  });
  await quiet();
  expect(put).toBe(false);
  expect(await processes.send(1, 3, 'isReady', channel)).toBe(true);
  processes.link(3, 2).hold();
  const taken = processes.send(1, 3, 'take', channel);
  await quiet();
  expect(put).toBe(false);
  processes.link(3, 2).letGo();
  expect(await taken).toBe('it');
  await putting;
});

it('Many takers in many processes take each value once.', async () => {
  start(4);
  const channel = channelOf<number>(2, 3);
  const collected = processes.ids.map((to) => processes.send(1, to, 'collect', channel) as Promise<number[]>);
  await Promise.all(
    processes.ids.map((from) =>
      processes.send(1, from, 'put', channel, ...Array.from({ length: 50 }, (_, i) => from * 1000 + i)),
    ),
  );
  await channel.close();
  const all = await Promise.all(collected);
  expect(all.flat().toSorted((a, b) => a - b)).toEqual(
    processes.ids.flatMap((from) => Array.from({ length: 50 }, (_, i) => from * 1000 + i)),
  );
  // What one process has put comes out in its order, so each taker has it in that order too.
  for (const taken of all) {
    for (const from of processes.ids) {
      const ofOne = taken.filter((value) => Math.floor(value / 1000) === from);
      expect(ofOne).toEqual(ofOne.toSorted((a, b) => a - b));
    }
  }
});

it('What was on its way to a taker that dies goes to the next one, in its old place.', async () => {
  start(3);
  const channel = channelOf<number>(2, 5);
  for (let i = 0; i < 5; i++) await channel.put(i);
  await processes.send(1, 3, 'isReady', channel);
  // Its words that it has them never arrive.
  const taking = [0, 1, 2].map(() => processes.send(1, 3, 'take', channel).catch(() => {}));
  processes.link(1, 3).count('call');
  await Promise.resolve();
  processes.link(2, 3).hold();
  await quiet();
  processes.kill(3);
  await Promise.all(taking);
  for (let i = 0; i < 5; i++) expect(await channel.take()).toBe(i);
});

it('A taker does not learn that a drained channel is closed while a value may still come back.', async () => {
  start(3);
  const channel = channelOf<number>(2, 5);
  await channel.put(1);
  await processes.send(1, 3, 'isReady', channel);
  processes.link(2, 3).hold();
  void processes.send(1, 3, 'take', channel).catch(() => {});
  await quiet();
  await channel.close();
  const next = channel.take();
  await quiet();
  processes.kill(3);
  expect(await next).toBe(1);
  expect(await rejection(channel.take())).toBeInstanceOf(ChannelClosedError);
});

it('A value that a taker can not read stays for others.', async () => {
  start(2);
  const channel = channelOf<unknown>(2);
  // Put by its owner, where nothing is encoded.
  await processes.send(1, 2, 'putLocal', channel);
  for (let i = 0; i < 2; i++) {
    expect(await rejection(channel.take())).toMatchObject({ code: 'ERR_OFFSITE_UNSERIALIZABLE' });
  }
  expect(await channel.isReady()).toBe(true);
});

it('Leaving a loop takes no value too many, also while the next one is waited for.', async () => {
  start(2);
  const channel = channelOf<number>(2, 5);
  for (const value of [1, 2, 3]) await channel.put(value);
  for await (const value of channel) if (value === 2) break;
  expect(await channel.take()).toBe(3);
  const values = channel.values();
  const next = values.next();
  await quiet();
  expect(await values.return!()).toEqual({ done: true, value: undefined });
  expect(await next).toEqual({ done: true, value: undefined });
  await channel.put(4);
  expect(await channel.take()).toBe(4);
});

it('A loop that is given up rejects with the reason.', async () => {
  start(2);
  const channel = channelOf<number>(2);
  const controller = new AbortController();
  const next = rejection(channel.values({ signal: controller.signal }).next());
  await quiet();
  controller.abort(new Error('enough'));
  expect(await next).toMatchObject({ message: 'enough' });
});

it('Whoever waits at a channel learns at once when its owner dies.', async () => {
  start(3);
  const channel = channelOf<number>(3, 1);
  await channel.put(1);
  const other = channelOf<number>(3, 1);
  const waiting = [channel.put(2), other.take(), other.fetch(), processes.send(1, 2, 'take', other)].map(
    rejection,
  );
  await quiet();
  processes.kill(3);
  for (const error of await Promise.all(waiting)) {
    const exited = error instanceof RemoteException ? error.cause : error;
    expect(exited).toBeInstanceOf(ProcessExitedException);
    expect(exited).toMatchObject({ id: 3 });
  }
  expect(await rejection(channel.take())).toBeInstanceOf(ProcessExitedException);
});

it('A put whose process dies while it waits is not in the channel.', async () => {
  start(3);
  const channel = channelOf<number>(2, 1);
  await channel.put(1);
  void processes.send(1, 3, 'put', channel, 2).catch(() => {});
  await quiet();
  processes.kill(3);
  await quiet();
  expect(await channel.take()).toBe(1);
  expect(await channel.isEmpty()).toBe(true);
});

it('A store of your own decides what comes next, and a take that is given up takes nothing out of it.', async () => {
  start(3);
  const channel = channelOf<number>(2, numbers);
  const given = rejection(channel.take({ timeout: 5 }));
  expect(await given).toBeInstanceOf(TimeoutError);
  for (const value of [3, 9, 5]) await channel.put(value);
  // What the store gave to nobody is first, then it decides again.
  expect([await channel.take(), await channel.take(), await channel.take()].toSorted()).toEqual([3, 5, 9]);
  await channel.put(7);
  expect(await channel.fetch()).toBe(7);
  expect(await channel.isReady()).toBe(true);
  await channel.close();
  expect(await channel.isOpen()).toBe(false);
  expect(await processes.send(1, 3, 'collect', channel)).toEqual([7]);
});

it('A store may be what a functor gives.', async () => {
  start(2);
  const box = functor({ import: {} }, () => () => {
    const values: unknown[] = [];
    return {
      put: (value: unknown) => void values.push(value),
      take: () => values.pop(),
      fetch: () => values.at(-1),
      isReady: () => values.length > 0,
      close: () => {},
    };
  });
  const channel = channelOf<number>(2, box as never);
  await channel.put(1);
  await channel.put(2);
  expect([await channel.take(), await channel.take()]).toEqual([2, 1]);
});

it('What is wrong with a store is told by every use of its channel.', async () => {
  start(2);
  const channel = channelOf<number>(2, broken);
  for (const use of [
    () => channel.put(1),
    () => channel.take(),
    () => channel.isReady(),
    () => channel.fetch(),
  ]) {
    const error = await rejection(use());
    expect(error).toBeInstanceOf(RemoteException);
    expect(error).toMatchObject({ id: 2, cause: { name: 'RangeError', message: 'no store today' } });
  }
  expect(await rejection(channelOf<number>(2, nothing).take())).toMatchObject({
    cause: { message: 'nothing gave no store for a RemoteChannel: it has no method put().' },
  });
});

it('What no channel can be made of is refused at once.', async () => {
  start(2);
  for (const capacity of [-1, 1.5, Number.NaN]) {
    expect(() => channelOf(2, capacity)).toThrow(expect.objectContaining({ code: 'ERR_OFFSITE_OPTION' }));
  }
  const endless = channelOf<number>(2, Number.POSITIVE_INFINITY);
  for (let i = 0; i < 100; i++) await endless.put(i);
  expect(await endless.take()).toBe(0);
});
