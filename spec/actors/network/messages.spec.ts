import { describe, expect, test } from 'vitest';
import type { NetworkHost } from '../../../lib/index.ts';
import { rejection } from '../../support/sites.ts';
import { networks, tasks } from './networks.ts';

const THREADS: NetworkHost[] = [{ fork: 'virtual' }, { fork: 'virtual' }];
const PROCESSES: NetworkHost[] = [{ fork: 'sh' }, { fork: 'sh' }];

describe.each([
  ['virtual', THREADS],
  ['sh', PROCESSES],
] as const)('over %s sites', (_, hosts) => {
  const { shared } = networks(hosts);

  test('the nodes have the same numbers in the same order in all of them', async () => {
    const network = await shared();
    expect(network.nodes.map(({ id }) => id)).toEqual([1, 2, 3]);
    expect(await network.evaluate(tasks.who)).toEqual(
      new Map([
        [2, [2, 1, 2, 3]],
        [3, [3, 1, 2, 3]],
      ]),
    );
    expect(network.self.id).toBe(1);
  });

  test('values arrive whole and in the order in which each node has sent them, from all to all', async () => {
    const network = await shared();
    const sent = network.evaluate(tasks.sendMany, 2, 50, 3);
    const read = network.evaluate(tasks.readMany, 3, 50, 2);
    const toClient = network.evaluate(tasks.sendAtOnce, [2, 3], 50, 1);
    const got: unknown[] = [];
    for (let at = 0; at < 100; at++) got.push(await network.receive());
    for (const from of [2, 3])
      expect(got.filter((each) => (each as { from: number }).from === from)).toEqual(
        Array.from({ length: 50 }, (_, value) => ({ from, value })),
      );
    await Promise.all([sent, toClient]);
    expect(await read.at(3)).toEqual(Array.from({ length: 50 }, (_, at) => at));
    const echoed = network.evaluate(tasks.echo, 2, 1);
    const value = { big: new Uint8Array(20_000).fill(7), map: new Map([[1, new Date(0)]]), none: undefined };
    await network.send(value, 2);
    // What the sender does with it afterwards is its own affair.
    expect(await network.receive(2)).toEqual({ ...value, big: new Uint8Array(20_000).fill(7) });
    await echoed;
  });

  test('a node sends itself values, and has copies of them', async () => {
    const network = await shared();
    const value = { list: [1], bytes: new Uint8Array(10_000) };
    await network.self.send(value);
    value.list.push(2);
    value.bytes.fill(1);
    expect(await network.self.receive()).toEqual({ list: [1], bytes: new Uint8Array(10_000) });
  });

  test('what the sender changes after it has sent it is not what arrives, however long it waits', async () => {
    const network = await shared();
    const bytes = Buffer.alloc(10_000);
    const echoed = network.evaluate(tasks.echo, 2, 2);
    const sends = [network.send(bytes, 2), network.send(bytes, 2)];
    bytes.fill(1);
    await Promise.all(sends);
    const zeros = new Uint8Array(10_000);
    const arrived = [await network.receive<Uint8Array>(2), await network.receive<Uint8Array>(2)];
    expect(arrived.map((each) => new Uint8Array(each))).toEqual([zeros, zeros]);
    await echoed;
  });

  test('one-call rfeval gives what a function returns, from a node to another one too', async () => {
    const network = await shared();
    expect(await network.rfeval(tasks.square, [9], 2)).toBe(81);
    expect(await network.nodes[1]!.rfeval(tasks.askNode, [3])).toBe(49);
    const error = await rejection(network.rfeval(tasks.fail, ['not today'], 3));
    expect(error).toMatchObject({ code: 'ERR_OFFSITE_REMOTE', id: 3 });
    expect(error.cause).toMatchObject({ name: 'RangeError', message: 'not today' });
  });
});

describe('waiting', () => {
  const { shared, fresh } = networks(THREADS);

  test('receive and select end with their time and their signal, and nothing is taken by who has gone', async () => {
    const network = await shared();
    expect(await rejection(network.receive(2, { timeout: 5 }))).toMatchObject({
      code: 'ERR_OFFSITE_TIMEOUT',
    });
    expect(await rejection(network.receive({ timeout: 0 }))).toMatchObject({ code: 'ERR_OFFSITE_TIMEOUT' });
    expect(await network.select(undefined, { timeout: 5 })).toEqual([]);
    expect(await network.select([2, 3], { timeout: 0 })).toEqual([]);
    const controller = new AbortController();
    const given = network.receive(2, { signal: controller.signal });
    controller.abort(new Error('enough'));
    const sent = network.rfeval(tasks.sendMany, [1, 1], 2);
    expect(await rejection(given)).toMatchObject({ message: 'enough' });
    await sent;
    expect(await network.receive(2)).toBe(0);
  });

  test('select tells which have something to read, takes nothing, and begins with the next in turn', async () => {
    const network = await shared();
    const waiting = network.select([2, 3]);
    await network.evaluate(tasks.sendMany, 3, 2, 1);
    expect((await waiting).map(({ id }) => id)).toEqual([3]);
    await network.evaluate(tasks.sendMany, 2, 2, 1);
    const order = [];
    for (let at = 0; at < 4; at++) {
      const [next] = await network.select(undefined, { most: 1 });
      order.push(next!.id);
      await next!.receive();
    }
    expect(order.slice(0, 2)).toEqual([...order.slice(2)]);
    expect(new Set(order)).toEqual(new Set([2, 3]));
    expect(await network.select(undefined, { timeout: 0 })).toEqual([]);
  });

  test('a sender waits while the mailbox has so many unread, and each sender has room of its own', async () => {
    const network = await fresh(THREADS, { mailbox: { messages: 5 } });
    const fast = await network.rfeval(tasks.sender, [], 2);
    await fast.start(20, 1);
    await network.select(2);
    // Behind it on the same way, so that all that could be taken by now was.
    await network.rfeval(tasks.who, [], 2);
    expect(await fast.taken()).toBeLessThanOrEqual(5);
    expect(await network.rfeval(tasks.sendMany, [3, 1], 3)).toBe(3);
    const read = [];
    for (let at = 0; at < 20; at++) read.push(await network.receive(2));
    expect(read).toEqual(Array.from({ length: 20 }, (_, at) => at));
    for (let at = 0; at < 3; at++) expect(await network.receive(3)).toBe(at);
  });

  test('a mailbox is bounded in bytes too, and takes one message however large it is', async () => {
    const network = await fresh(THREADS, { mailbox: { bytes: 10_000 } });
    const large = new Uint8Array(20_000);
    await network.send(large, 1);
    const second = network.send(new Uint8Array(10), 1);
    expect(await Promise.race([second.then(() => 'sent'), network.rfeval(tasks.square, [1], 2)])).toBe(1);
    expect(await network.receive(1)).toEqual(large);
    await second;
    expect(await network.receive(1)).toEqual(new Uint8Array(10));
  });

  test('a message that was given up does not arrive, and those behind it do', async () => {
    const network = await fresh(THREADS, { mailbox: { messages: 1 } });
    await network.send('first', 1);
    const late = network.send('given up on its way', 1, { timeout: 10 });
    const queued = network.send('given up in the queue', 1, { timeout: 10 });
    const last = network.send('last', 1);
    for (const each of [late, queued])
      expect(await rejection(each)).toMatchObject({ code: 'ERR_OFFSITE_TIMEOUT' });
    expect(await network.receive(1)).toBe('first');
    expect(await network.receive(1)).toBe('last');
    await last;
    expect(await network.select(1, { timeout: 0 })).toEqual([]);
  });

  test('what is no data is refused where it is sent, and those behind it arrive', async () => {
    const network = await shared();
    const bad = network.send({ callback: () => 1 }, 1);
    await network.send('good', 1);
    expect(await rejection(bad)).toMatchObject({ code: 'ERR_OFFSITE_UNSERIALIZABLE' });
    expect(await network.receive(1)).toBe('good');
  });

  test('wrong options and nodes that never were are refused by name', async () => {
    const network = await shared();
    expect(await rejection(network.receive({ timout: 5 } as object))).toMatchObject({ option: 'timout' });
    expect(await rejection(network.select([], {}))).toMatchObject({ option: 'nodes' });
    expect(await rejection(network.select(undefined, { most: 0 }))).toMatchObject({ option: 'most' });
    expect(await rejection(network.send(1, 9))).toMatchObject({ code: 'ERR_OFFSITE_NO_PROCESS', id: 9 });
  });
});
