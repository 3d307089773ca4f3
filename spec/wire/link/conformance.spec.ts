import { once } from 'node:events';
import { type AddressInfo, createServer, connect as dial, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { MessageChannel } from 'node:worker_threads';
import { type WebSocket, WebSocketServer } from 'ws';
import { ringMemory } from '../../../lib/wire/link/ring.ts';
import { RingLink } from '../../../lib/wire/link/ring-link.ts';
import { StreamLink } from '../../../lib/wire/link/stream-link.ts';
import { openWebSocket, socketOptions } from '../../../lib/wire/link/websocket.ts';
import { WebSocketLink } from '../../../lib/wire/link/websocket-link.ts';
import { memoryLinks } from '../pair.ts';
import { linkConformance } from './conformance.ts';

/** The size of a frame that is never whole, and the beginning of it. */
const halfFrame = Buffer.from([100, 0, 0, 0, 1, 2, 3]);
/** A size that no frame has. */
const nonsense = Buffer.alloc(64, 0xff);

linkConformance('memory', () => {
  const [near, far] = memoryLinks();
  return { near, far, stall: () => near.hold(), letGo: () => near.letGo() };
});

linkConformance('two rings', () => {
  const [down, up] = [ringMemory(), ringMemory()];
  const { port1, port2 } = new MessageChannel();
  const near = new RingLink({ input: up, output: down, port: port1 });
  const far = new RingLink({ input: down, output: up, port: port2 });
  return {
    near,
    far,
    // The places are in lib/wire/link/ring.ts: the record's size lies there, and its bytes do, but not that it is written.
    dieInFrame() {
      Buffer.from(up).set(halfFrame, 256 + 4);
      Buffer.from(up).writeUInt32LE(104, 256);
      port2.close();
    },
    garbage: () => Buffer.from(up).fill(0xcd),
  };
});

linkConformance('two streams in memory', () => {
  const [down, up] = [new PassThrough(), new PassThrough()];
  return {
    near: new StreamLink(up, down),
    far: new StreamLink(down, up),
    dieInFrame() {
      up.write(halfFrame);
      up.end();
    },
    garbage: () => up.write(nonsense),
  };
});

linkConformance('a socket', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = dial((server.address() as AddressInfo).port, '127.0.0.1');
  const [[socket]] = (await Promise.all([once(server, 'connection'), once(client, 'connect')])) as [
    [Socket],
    [],
  ];
  server.close();
  return {
    near: new StreamLink(client, client),
    far: new StreamLink(socket, socket),
    dieInFrame: () => socket.end(halfFrame),
    garbage: () => socket.write(nonsense),
  };
});

for (const [text, side] of [
  ['client', 0],
  ['server', 1],
] as const) {
  linkConformance(`a WebSocket, seen from its ${text}`, async () => {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0, ...socketOptions() });
    await once(server, 'listening');
    const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const [client, [accepted]] = (await Promise.all([openWebSocket(url), once(server, 'connection')])) as [
      WebSocket,
      [WebSocket],
    ];
    const sockets = [client, accepted];
    const [near, far] = [sockets[side]!, sockets[1 - side]!];
    const links = [new WebSocketLink(near), new WebSocketLink(far)] as const;
    return {
      near: links[0],
      far: links[1],
      dieInFrame() {
        far.send(halfFrame, { fin: false });
        setImmediate(() => far.terminate());
      },
      garbage: () => far.send(side === 0 ? nonsense : 'hello'),
      close: () => new Promise((resolve) => server.close(resolve)),
    };
  });
}
