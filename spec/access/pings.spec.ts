import { expect, test } from 'vitest';
import { dial } from '../../lib/access/dial.ts';
import { openListener } from '../../lib/access/listener.ts';
import type { Visitor } from '../../lib/access/visitor.ts';

const PINGS = 160_000;

test('A visitor who asks for signs of life and reads none does not have them gather here', async () => {
  let come!: (visitor: Visitor) => void;
  const came = new Promise<Visitor>((resolve) => {
    come = resolve;
  });
  const at = [{ host: '127.0.0.1', port: 0 }];
  await using listener = await openListener({ at, access: {}, onVisitor: (visitor) => come(visitor) });
  const { socket } = await dial(listener.addresses[0]!, { path: '/node' });
  const visitor = await came;
  let heard = 0;
  const all = new Promise<void>((resolve) => {
    visitor.socket.on('ping', () => ++heard === PINGS && resolve());
  });
  visitor.socket.resume();
  // `socket` stays paused, so that what it is answered fills the kernel's buffers and then those of this process.
  const { ping } = socket as unknown as { ping(data: Buffer, mask: boolean): void };
  for (let sent = 0; sent < PINGS; sent++) {
    ping.call(socket, Buffer.alloc(125), true);
    if (sent % 10_000 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await all;
  expect(visitor.socket.bufferedAmount).toBeLessThan(2 ** 20);
  socket.terminate();
  visitor.socket.terminate();
});
