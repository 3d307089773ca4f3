import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { WaitingRoom } from '../../../lib/cluster/direct/waiting-room.ts';

/** A socket that is only known by its ends. */
class FakeSocket extends EventEmitter {
  readonly remoteAddress = '192.0.2.1';
  readonly localAddress = '192.0.2.2';
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

const enter = (room: WaitingRoom, remotePort: number): FakeSocket => {
  const socket = new FakeSocket(remotePort);
  room.enter(socket as unknown as Socket);
  return socket;
};
const over = (socket: FakeSocket) => new FakeSocket(socket.remotePort) as unknown as Socket;

describe('a waiting room', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test('sends away who has waited for too long', async () => {
    const room = new WaitingRoom();
    const socket = enter(room, 1);
    await vi.advanceTimersByTimeAsync(4_999);
    expect([socket.destroyed, room.size]).toEqual([false, 1]);
    await vi.advanceTimersByTimeAsync(1);
    expect([socket.destroyed, room.size]).toEqual([true, 0]);
  });

  test('forgets who has shown his key, by the ends of what is over his socket', async () => {
    const room = new WaitingRoom();
    const [one, two] = [enter(room, 1), enter(room, 2)];
    room.leave(over(one));
    expect(room.size).toBe(1);
    await vi.advanceTimersByTimeAsync(60_000);
    expect([one.destroyed, two.destroyed]).toEqual([false, true]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('forgets who goes, and knows one with the same ends from him', async () => {
    const room = new WaitingRoom();
    const first = enter(room, 1);
    const second = enter(room, 1);
    expect(first.destroyed).toBe(true);
    first.emit('close');
    expect(room.size).toBe(1);
    second.emit('close');
    expect(room.size).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('sends a crowd away when it is full, and lets those wait who came first', () => {
    const room = new WaitingRoom();
    const guests = Array.from({ length: 70 }, (_, port) => enter(room, port));
    expect(guests.map(({ destroyed }) => destroyed)).toEqual(guests.map((_, i) => i >= 64));
    expect(room.size).toBe(64);
  });

  test('gives the place of who has only held it to one who comes', async () => {
    const room = new WaitingRoom({ mostWaiting: 2 });
    const idle = enter(room, 1);
    await vi.advanceTimersByTimeAsync(500);
    const later = enter(room, 2);
    await vi.advanceTimersByTimeAsync(500);
    const [third, fourth] = [enter(room, 3), enter(room, 4)];
    expect([idle, later, third, fourth].map(({ destroyed }) => destroyed)).toEqual([
      true,
      false,
      false,
      true,
    ]);
    await vi.advanceTimersByTimeAsync(0);
    expect(room.size).toBe(2);
  });

  test('bears errors of sockets, and can be cleared', async () => {
    const room = new WaitingRoom();
    const guests = [enter(room, 1), enter(room, 2)];
    guests[0]!.emit('error', new Error('reset'));
    room.clear();
    await vi.advanceTimersByTimeAsync(0);
    expect(guests.every(({ destroyed }) => destroyed)).toBe(true);
    expect([room.size, vi.getTimerCount()]).toEqual([0, 0]);
  });
});
