import { EventEmitter, once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ProtocolError, TimeoutError } from '../../../lib/wire/errors.ts';
import { openWebSocket } from '../../../lib/wire/link/websocket.ts';
import { type WebSocketLike, WebSocketLink } from '../../../lib/wire/link/websocket-link.ts';
import { listen } from './conformance.ts';

/** A WebSocket whose network is this spec. */
class FakeSocket extends EventEmitter implements WebSocketLike {
  readyState = 1;
  bufferedAmount = 0;
  pings = 0;
  terminated = 0;
  sent: number[] = [];
  _socket = { bytesRead: 0, ref: () => {}, unref: () => {} };
  send(data: Uint8Array): void {
    this.sent.push(data.length);
  }
  ping(): void {
    this.pings++;
  }
  pause(): void {}
  resume(): void {}
  terminate(): void {
    this.terminated++;
    this.emit('close');
  }
}

const frame = (size: number) => {
  const bytes = Buffer.alloc(size, 1);
  bytes.writeUInt32LE(size - 4, 0);
  bytes.writeDoubleLE(0, 8);
  return bytes;
};

describe('a WebSocket link', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });
  const open = (options = {}) => {
    const socket = new FakeSocket();
    const link = new WebSocketLink(socket, options);
    const end = listen(link);
    vi.advanceTimersByTime(1);
    return { socket, link, end };
  };

  test('asks every ten seconds for a sign of life and gives up a peer that gives none to three', () => {
    const { socket, end } = open();
    vi.advanceTimersByTime(39_000);
    expect([socket.pings, end.disconnected.length]).toEqual([3, 0]);
    vi.advanceTimersByTime(1_000);
    expect(end.disconnected[0]).toBeInstanceOf(TimeoutError);
    expect(end.disconnected[0]!.message).toContain('30000 ms');
    expect(socket.terminated).toBe(1);
  });

  test.each(['pong', 'ping', 'message', 'half a message'])('takes a %s for a sign of life', (sign) => {
    const { socket, end } = open({ pingEvery: 100 });
    for (let i = 0; i < 20; i++) {
      vi.advanceTimersByTime(250);
      if (sign === 'message') socket.emit('message', frame(100), true);
      else if (sign === 'half a message') socket._socket.bytesRead += 1_000;
      else socket.emit(sign);
    }
    expect(end.disconnected).toEqual([]);
    vi.advanceTimersByTime(600);
    expect(end.disconnected).toHaveLength(1);
  });

  test('refuses text, half a frame and a frame that is too large', () => {
    for (const [bytes, isBinary] of [
      [frame(100), false],
      [frame(100).subarray(0, 99), true],
      [Buffer.alloc(3), true],
      [frame(2_000), true],
    ] as const) {
      const { socket, end } = open({ maxFrame: 1_000 });
      socket.emit('message', bytes, isBinary);
      expect(end.disconnected[0]).toBeInstanceOf(ProtocolError);
      expect(end.frames).toEqual([]);
    }
  });

  test('keeps what came before it was opened, and hears errors even then', () => {
    const socket = new FakeSocket();
    const link = new WebSocketLink(socket);
    socket.emit('message', frame(20), true);
    const end = listen(link);
    socket.emit('message', frame(30), true);
    vi.advanceTimersByTime(1);
    expect(end.frames).toEqual([
      [0, 20],
      [0, 30],
    ]);
    const cause = new Error('reset');
    socket.emit('error', cause);
    socket.emit('error', new Error('once more'));
    expect(end.disconnected).toEqual([cause]);
  });

  test('sends many frames in messages of a mebibyte at most, and never cuts one', () => {
    const { socket, link } = open();
    link.send(Buffer.concat([frame(600_000), frame(400_000), frame(3_000_000), frame(16)]));
    expect(socket.sent).toEqual([1_000_000, 3_000_000, 16]);
  });

  test('can not be waited for synchronously', () => {
    const { link } = open();
    expect(() => link.receiveSync()).toThrow(TypeError);
  });
});

describe('opening a WebSocket', () => {
  /** A server that takes connections and says nothing. */
  const mute = async () => {
    const sockets: Socket[] = [];
    const server = createServer((socket) => void sockets.push(socket)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const close = () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    };
    return { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`, server, close };
  };

  test('is given up after its timeout', async () => {
    const { url, close } = await mute();
    await expect(openWebSocket(url, { timeout: 50 })).rejects.toBeInstanceOf(TimeoutError);
    close();
  });

  test('is given up at a signal, with its reason', async () => {
    const { url, server, close } = await mute();
    const controller = new AbortController();
    server.once('connection', () => controller.abort(new Error('never mind')));
    await expect(openWebSocket(url, { signal: controller.signal })).rejects.toThrow('never mind');
    await expect(openWebSocket(url, { signal: controller.signal })).rejects.toThrow('never mind');
    close();
  });

  test('fails with what the network says', async () => {
    const { url, close } = await mute();
    close();
    await expect(openWebSocket(url)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});
