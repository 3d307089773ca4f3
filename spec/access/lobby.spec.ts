import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Lobby } from '../../lib/access/lobby.ts';

/** A socket that is only known by its ends. */
class FakeSocket extends EventEmitter {
  readonly remoteAddress = '192.0.2.1';
  readonly localAddress = '192.0.2.2';
  readonly localPort = 35_000;
  readonly remotePort: number;
  destroyed = false;

  constructor(remotePort: number) {
    super();
    this.remotePort = remotePort;
  }

  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    queueMicrotask(() => this.emit('close'));
  }
}

const as = (socket: FakeSocket) => socket as unknown as Socket;
const over = (socket: FakeSocket) => as(new FakeSocket(socket.remotePort));
const enter = (lobby: Lobby, port: number): FakeSocket => {
  const socket = new FakeSocket(port);
  lobby.enter(as(socket));
  return socket;
};

describe('a lobby', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test('gives the place of the oldest who says nothing to who comes, then of who has not proved himself', () => {
    const lobby = new Lobby({ most: 4 });
    const [a, b, c, d] = [1, 2, 3, 4].map((port) => enter(lobby, port)) as [
      FakeSocket,
      FakeSocket,
      FakeSocket,
      FakeSocket,
    ];
    lobby.begin(as(a));
    lobby.prove(over(b));
    const e = enter(lobby, 5);
    expect([a, b, c, d, e].map(({ destroyed }) => destroyed)).toEqual([false, false, true, false, false]);
    lobby.begin(as(e));
    const f = enter(lobby, 6);
    expect(d.destroyed).toBe(true);
    lobby.begin(as(f));
    enter(lobby, 7);
    expect([a, b, e, f].map(({ destroyed }) => destroyed)).toEqual([true, false, false, false]);
    expect(lobby.size).toBe(4);
  });

  test('sends away who takes too long, silent ones sooner, and nobody gains time by proving himself', async () => {
    const lobby = new Lobby();
    const [silent, busy, proved] = [1, 2, 3].map((port) => enter(lobby, port)) as [
      FakeSocket,
      FakeSocket,
      FakeSocket,
    ];
    lobby.begin(as(busy));
    lobby.begin(as(proved));
    await vi.advanceTimersByTimeAsync(5_000);
    expect([silent, busy, proved].map(({ destroyed }) => destroyed)).toEqual([true, false, false]);
    lobby.prove(over(proved));
    await vi.advanceTimersByTimeAsync(5_000);
    expect([busy, proved].map(({ destroyed }) => destroyed)).toEqual([true, true]);
    expect([lobby.size, vi.getTimerCount()]).toEqual([0, 0]);
  });

  test('forgets who is in, goes, or comes again with the same ends', async () => {
    const lobby = new Lobby();
    const [one, two] = [enter(lobby, 1), enter(lobby, 2)];
    lobby.leave(over(one));
    two.destroy();
    await vi.advanceTimersByTimeAsync(60_000);
    expect([one.destroyed, lobby.size]).toEqual([false, 0]);
    const [first, second] = [enter(lobby, 3), enter(lobby, 3)];
    expect([first.destroyed, second.destroyed]).toEqual([true, false]);
    await Promise.resolve();
    expect(lobby.size).toBe(1);
    lobby.clear();
    await vi.advanceTimersByTimeAsync(0);
    expect([lobby.size, vi.getTimerCount()]).toEqual([0, 0]);
  });
});
