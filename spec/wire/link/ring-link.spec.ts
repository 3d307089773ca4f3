import { MessageChannel } from 'node:worker_threads';
import { afterEach, describe, expect, test } from 'vitest';
import { ProtocolError } from '../../../lib/wire/errors.ts';
import { LARGEST_RECORD, RING_BYTES, Ring, ringMemory } from '../../../lib/wire/link/ring.ts';
import { RingLink } from '../../../lib/wire/link/ring-link.ts';
import { Session } from '../../../lib/wire/session.ts';
import { type Anything, settled } from '../pair.ts';

const opened: RingLink[] = [];
afterEach(() => {
  for (const link of opened.splice(0)) link.destroy();
});

/** Two ends of a link in one thread: a spec sees both, and nothing else of it knows that. */
const ends = () => {
  const [down, up] = [ringMemory(), ringMemory()];
  const { port1, port2 } = new MessageChannel();
  const near = new RingLink({ input: up, output: down, port: port1 });
  const far = new RingLink({ input: down, output: up, port: port2 });
  opened.push(near, far);
  return { near, far, down, up };
};

/** Opens an end and collects what arrives: the first bytes and the length of each message. */
const listen = (link: RingLink) => {
  const messages: { head: string; length: number }[] = [];
  const disconnected: (Error | undefined)[] = [];
  let changed = () => {};
  link.open({
    receive(bytes, start, end) {
      const head = bytes.toString('latin1', start, Math.min(end, start + 8));
      messages.push({ head, length: end - start });
      changed();
    },
    disconnected(cause) {
      disconnected.push(cause);
      changed();
    },
  });
  /** Resolves when as much has come as is wanted; the test's own bound ends it otherwise. */
  const until = async (enough: () => boolean) => {
    while (!enough()) {
      await new Promise<void>((resolve) => {
        changed = resolve;
      });
    }
  };
  return { messages, disconnected, until };
};

const message = (index: number, length: number) => {
  const bytes = Buffer.alloc(length, 0x2e);
  bytes.write(String(index).padEnd(8), 'latin1');
  return bytes;
};

const heads = (messages: { head: string }[]) => messages.map(({ head }) => Number(head));

describe('a ring link', () => {
  test('delivers what is sent, in both directions, awake or asleep', async () => {
    const { near, far } = ends();
    const [atNear, atFar] = [listen(near), listen(far)];
    for (let round = 1; round <= 3; round++) {
      near.send(message(round, 10));
      await atFar.until(() => atFar.messages.length === round);
      far.send(message(round, 20));
      await atNear.until(() => atNear.messages.length === round);
      // Longer than the loops stay hot, so that the next round has to wake a sleeper.
      const until = performance.now() + 1;
      while (performance.now() < until) await settled();
    }
    expect(heads(atFar.messages)).toEqual([1, 2, 3]);
    expect(atNear.messages.map(({ length }) => length)).toEqual([20, 20, 20]);
  });

  test('delivers what was sent before the other end was opened', async () => {
    const { near, far } = ends();
    near.send(message(1, 10));
    const { messages, until } = listen(far);
    await until(() => messages.length === 1);
  });

  test('keeps the order when the ring is full and wraps around, and says how much waits', async () => {
    const { near, far } = ends();
    listen(near);
    const lengths = Array.from({ length: 60 }, (_, i) => 60_000 + 1_237 * (i % 7));
    const kept = lengths.map((length, i) => near.send(message(i, length)));
    expect(kept[0]).toBe(false);
    expect(kept.at(-1)).toBe(true);
    expect(near.waiting).toBeGreaterThan(lengths.reduce((a, b) => a + b) - RING_BYTES - 1);
    const { messages, until } = listen(far);
    const flushed = near.flushed();
    await until(() => messages.length === lengths.length);
    await flushed;
    expect(near.waiting).toBe(0);
    expect(heads(messages)).toEqual(lengths.map((_, i) => i));
    expect(messages.map(({ length }) => length)).toEqual(lengths);
  });

  test('keeps the order between what goes through the ring and what goes beside it', async () => {
    const { near, far } = ends();
    listen(near);
    const { messages, until } = listen(far);
    const lengths = Array.from({ length: 80 }, (_, i) => (i % 3 === 0 ? LARGEST_RECORD + 1 + i : 40_000 + i));
    for (const [i, length] of lengths.entries()) near.send(message(i, length));
    await until(() => messages.length === lengths.length);
    expect(heads(messages)).toEqual(lengths.map((_, i) => i));
    expect(messages.map(({ length }) => length)).toEqual(lengths);
  });

  test('takes the largest record through the ring and the next larger beside it, both whole', async () => {
    const { near, far } = ends();
    const { messages, until } = listen(far);
    near.send(message(1, LARGEST_RECORD));
    near.send(message(2, LARGEST_RECORD + 1));
    near.send(message(3, 5 * RING_BYTES));
    await until(() => messages.length === 3);
    expect(messages.map(({ length }) => length)).toEqual([
      LARGEST_RECORD,
      LARGEST_RECORD + 1,
      5 * RING_BYTES,
    ]);
    expect(heads(messages)).toEqual([1, 2, 3]);
  });

  test('is flushed at once when nothing waits, and when it is gone', async () => {
    const { near } = ends();
    listen(near);
    await near.flushed();
    while (!near.send(message(0, LARGEST_RECORD - 8))) {
      // until the ring is full
    }
    const flushing = near.flushed();
    near.destroy();
    await flushing;
  });

  test('tells both ends once when one is destroyed, and why to its own', async () => {
    const { near, far } = ends();
    const [atNear, atFar] = [listen(near), listen(far)];
    const cause = new Error('enough');
    near.destroy(cause);
    near.destroy(new Error('again'));
    expect(near.send(message(0, 9))).toBe(false);
    await atFar.until(() => atFar.disconnected.length > 0);
    await settled();
    expect([atNear.disconnected, atFar.disconnected]).toEqual([[cause], [undefined]]);
  });

  test.each(['awake', 'asleep'])(
    'delivers to an end that is %s what was sent just before the end',
    async (how) => {
      const { near, far } = ends();
      listen(near);
      const { messages, disconnected, until } = listen(far);
      const start = performance.now();
      while (how === 'asleep' && performance.now() - start < 1) await settled();
      near.send(message(1, 100));
      near.destroy();
      await until(() => disconnected.length > 0);
      expect(heads(messages)).toEqual([1]);
    },
  );

  test('is closed with a ProtocolError when a message is announced beside it that is not there', async () => {
    const { far, down } = ends();
    const { disconnected, until } = listen(far);
    new Ring(down).write(undefined);
    await until(() => disconnected.length > 0);
    expect(disconnected[0]).toBeInstanceOf(ProtocolError);
  });

  test('carries a session, its references and large values', async () => {
    const { near, far } = ends();
    const main = {
      sum: (bytes: Uint8Array) => bytes.reduce((a, b) => a + b, 0),
      apply: async (callback: (value: number) => Promise<number>) => (await callback(20)) + 1,
    };
    new Session('near', main, {}).attach(far);
    const session = new Session('far', undefined, {});
    session.attach(near);
    const remote = session.main as Anything;
    expect(await remote.apply((value: number) => value * 2)).toBe(41);
    expect(await remote.sum(new Uint8Array(2_000_000).fill(1))).toBe(2_000_000);
    expect(
      await Promise.all(Array.from({ length: 300 }, () => remote.sum(new Uint8Array(9_000).fill(2)))),
    ).toEqual(Array(300).fill(18_000));
  });
});
