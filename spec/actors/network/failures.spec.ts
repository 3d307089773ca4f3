import { describe, expect, test } from 'vitest';
import { currentNetwork, type NetworkHost } from '../../../lib/index.ts';
import { rejection } from '../../support/sites.ts';
import { networks, tasks } from './networks.ts';

const THREADS: NetworkHost[] = [{ fork: 'virtual' }, { fork: 'virtual' }];

describe('commands', () => {
  const { shared, fresh } = networks(THREADS);

  test('what each node gives, or throws, is told by its number', async () => {
    const network = await shared();
    const run = network.evaluate(tasks.failOrWait, [2], 2);
    const all = network.evaluate(tasks.square, undefined, 5);
    expect(await all).toEqual(new Map([2, 3].map((id) => [id, 25])));
    const settled = await run.settled();
    expect([...settled.keys()]).toEqual([2]);
    expect(settled.get(2)).toMatchObject({
      status: 'rejected',
      reason: { code: 'ERR_OFFSITE_REMOTE', id: 2 },
    });
    expect(() => run.at(3)).toThrow(/runs in the nodes 2/);
    // Whoever has looked at it is not told again.
    expect(await network.select(undefined, { timeout: 0 })).toEqual([]);
  });

  test.each(['receive of the node', 'receive of any', 'select'])(
    'a command that fails raises at the waiting %s, with the error and its stack',
    async (how) => {
      const network = await shared();
      const waiting =
        how === 'select'
          ? network.select([2, 3])
          : how === 'receive of any'
            ? network.receive()
            : network.receive(2);
      network.evaluate(tasks.fail, 2, 'in the midst of it');
      const error = await rejection(waiting);
      expect(error).toMatchObject({ name: 'CommandError', code: 'ERR_OFFSITE_COMMAND', node: 2 });
      expect(error.message).toContain('in the midst of it');
      expect(error.cause).toMatchObject({ code: 'ERR_OFFSITE_REMOTE', id: 2 });
      const thrown = (error.cause as Error).cause as Error;
      expect(thrown).toBeInstanceOf(RangeError);
      expect(thrown.stack).toContain('tasks.ts');
      // It was told, and the network goes on.
      expect(await network.rfeval(tasks.square, [3], 2)).toBe(9);
      expect(await network.select(undefined, { timeout: 0 })).toEqual([]);
    },
  );

  test('a command that has failed before raises at the next receive, after what the node had sent', async () => {
    const network = await shared();
    network.evaluate(tasks.failAfterMessage, 3, 'later');
    expect(await network.receive(3)).toBe('still to be read');
    expect(await rejection(network.receive(3))).toMatchObject({ code: 'ERR_OFFSITE_COMMAND', node: 3 });
  });

  test('a node that waits for another one in the same command learns that it has failed there', async () => {
    const network = await shared();
    const settled = await network.evaluate(tasks.failOrWait, [2, 3], 2).settled();
    expect(settled.get(2)).toMatchObject({ reason: { cause: { message: 'no part of mine' } } });
    expect(settled.get(3)).toMatchObject({ reason: { cause: { code: 'ERR_OFFSITE_COMMAND', node: 2 } } });
    expect(await network.evaluate(tasks.who, 3)).toEqual(new Map([[3, [3, 1, 2, 3]]]));
  });

  test('of a command that nobody has asked about it is told at the end', async () => {
    const network = await fresh();
    const warned = new Promise((resolve) => process.once('warning', resolve));
    network.evaluate(tasks.fail, 2, 'unheard');
    // A round later it has failed.
    await network.rfeval(tasks.square, [1], 2);
    await network.close();
    expect(await warned).toMatchObject({ code: 'ERR_OFFSITE_COMMAND', node: 2 });
  });
});

describe('ends', () => {
  const { fresh } = networks([{ fork: 'sh' }, { fork: 'sh' }]);

  test('a node that dies is told by a typed error to who waits for it, in all nodes, and the network goes on', async () => {
    const network = await fresh();
    await network.rfeval(tasks.sendMany, [1, 1], 2);
    const there = network.evaluate(tasks.failOrWait, 3, 2);
    const receives = network.receive(2).then(() => rejection(network.receive(2)));
    const died = network.evaluate(tasks.die, 2);
    const gone = { code: 'ERR_OFFSITE_PROCESS_EXITED', id: 2, reason: 'crashed' };
    expect(await receives).toMatchObject(gone);
    expect(await rejection(Promise.resolve(died))).toMatchObject(gone);
    expect(await rejection(Promise.resolve(there))).toMatchObject({ cause: gone });
    expect(await rejection(network.send(1, 2))).toMatchObject(gone);
    expect(await rejection(network.select([2, 3]))).toMatchObject(gone);
    expect(network.nodes.map(({ isOpen }) => isOpen)).toEqual([true, false, true]);
    expect(network.info().nodes[1]).toMatchObject({ id: 2, isOpen: false });
    const echoed = network.evaluate(tasks.echo, 3, 1);
    await network.send('still', 3);
    expect(await network.receive()).toEqual({ from: 3, value: 'still' });
    await echoed;
    expect(await network.cellfun(tasks.square, [[1, 2, 3]])).toEqual([1, 4, 9]);
  });

  test('a sender that waits for room learns that the receiver has died', async () => {
    const network = await fresh(undefined, { mailbox: { messages: 1 } });
    await network.send(1, 2);
    const waiting = network.send(2, 2);
    network.evaluate(tasks.die, 2);
    expect(await rejection(waiting)).toMatchObject({ code: 'ERR_OFFSITE_PROCESS_EXITED', id: 2 });
  });

  test('close ends all that wait, can be called again, and leaves no network behind', async () => {
    const network = await fresh();
    const pids = await network.cellfun(tasks.pid, [[1, 2, 3, 4]]);
    const waiting = rejection(network.receive());
    await Promise.all([network.close(), network.close()]);
    expect(await waiting).toMatchObject({ code: 'ERR_OFFSITE_CLUSTER_CLOSED' });
    expect(await rejection(network.send(1, 2))).toMatchObject({ code: 'ERR_OFFSITE_CLUSTER_CLOSED' });
    expect(network.nodes.every(({ isOpen }) => !isOpen)).toBe(true);
    for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow();
    expect(() => currentNetwork()).toThrow(/in no network/);
  });

  test('a host that does not start is told, and nothing is left of the others', async () => {
    const error = await rejection(fresh([{ fork: 'virtual' }, { fork: 'no-such-command-of-anybody' }]));
    expect(error).toMatchObject({ code: 'ERR_OFFSITE_ADD_PROCS', ids: [2] });
    expect(await rejection(fresh([]))).toMatchObject({ option: 'hosts' });
    expect(await rejection(fresh(['auto*localhost']))).toMatchObject({ option: 'hosts' });
    expect(await rejection(fresh(['localhost'], { nlocaljobs: -1 }))).toMatchObject({ option: 'nlocaljobs' });
    const signal = AbortSignal.abort(new Error('no more'));
    expect(await rejection(fresh(['localhost'], { signal }))).toMatchObject({ message: 'no more' });
  });
});
