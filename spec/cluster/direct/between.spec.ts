import { describe, expect, test } from 'vitest';
import type { Peer } from '../../../lib/module/peer.ts';
import { type Main, main, makeMembers } from './members.ts';

const { open, dial } = makeMembers();

/** Two members, each with a door, of which one has dialled the other; both ends of that one connection. */
const pair = async (): Promise<[there: Peer<Main>, back: Peer<Main>]> => {
  let came!: (peer: Peer) => void;
  const came_ = new Promise<Peer>((resolve) => {
    came = resolve;
  });
  const door = await open({ onPeer: came });
  const there = await dial(door.address, { main, name: 'member 2' });
  return [there, (await came_) as unknown as Peer<Main>];
};

describe('two members', () => {
  test('call each other over one connection', async () => {
    for (const peer of await pair()) {
      expect(await peer.main.add(1, 2)).toBe(3);
      expect(await Promise.all(Array.from({ length: 500 }, (_, i) => peer.main.add(i, i)))).toEqual(
        Array.from({ length: 500 }, (_, i) => 2 * i),
      );
    }
  });

  test('pass each other functions, which are called back', async () => {
    const [there, back] = await pair();
    for (const peer of [there, back]) {
      expect(await peer.main.map([1, 2, 3], (value) => value * 10)).toEqual([10, 20, 30]);
      // Nested: while one waits it is called, and calls.
      expect(await peer.main.map([1, 2], (value) => there.main.add(value, 1))).toEqual([2, 3]);
      expect(await peer.main.map([1, 2], (value) => back.main.add(value, 1))).toEqual([2, 3]);
    }
  });

  test('hold references to what stays with the other', async () => {
    for (const peer of await pair()) {
      const counter = (await peer.main.counter()) as unknown as { up(): Promise<number> };
      expect([await counter.up(), await counter.up()]).toEqual([1, 2]);
    }
  });

  test('stream to each other', async () => {
    for (const peer of await pair()) {
      const got: number[] = [];
      for await (const value of peer.main.upTo(200)) got.push(value);
      expect(got).toEqual(Array.from({ length: 200 }, (_, i) => i));
    }
  });

  test('get the errors of the other, and go on', async () => {
    for (const peer of await pair()) {
      const error = await Promise.resolve(peer.main.fail('too far')).then(
        undefined,
        (caught) => caught as Error,
      );
      expect(error).toBeInstanceOf(RangeError);
      expect((error as Error).message).toBe('too far');
      expect(await peer.main.add(1, 1)).toBe(2);
    }
  });

  test('send each other large bytes', async () => {
    const [there] = await pair();
    const bytes = new Uint8Array(5_000_000).map((_, i) => i * 7);
    const sizes = await there.main.map([1], () => bytes.length);
    expect(sizes).toEqual([bytes.length]);
    const door = await open({ main: { echo: (value: Uint8Array) => value } });
    const echo = (await dial(door.address)) as unknown as Peer<{ echo(value: Uint8Array): Uint8Array }>;
    expect(Buffer.compare(await echo.main.echo(bytes), bytes)).toBe(0);
  });

  test('hold each other to their limits', async () => {
    const door = await open({ main: { take: (_text: string) => true }, limits: { frameSize: 2_000_000 } });
    const peer = (await dial(door.address)) as unknown as Peer<{ take(text: string): boolean }>;
    await expect(Promise.resolve(peer.main.take('x'.repeat(3_000_000)))).rejects.toMatchObject({
      code: 'ERR_OFFSITE_CRASHED',
    });
    await peer.closed;
    const again = (await dial(door.address)) as unknown as typeof peer;
    expect(await again.main.take('x')).toBe(true);
  });
});
