import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach } from 'vitest';
import type { Address } from '../../../lib/cluster/direct/address.ts';
import { type DialOptions, dial } from '../../../lib/cluster/direct/dial.ts';
import { type Door, type DoorOptions, openDoor } from '../../../lib/cluster/direct/door.ts';
import type { Peer } from '../../../lib/module/peer.ts';

/** What the doors of these specs let others call. */
export const main = {
  add: (a: number, b: number) => a + b,
  map: async (values: number[], change: (value: number) => number | Promise<number>) => {
    const changed: number[] = [];
    for (const value of values) changed.push(await change(value));
    return changed;
  },
  counter: () => {
    let count = 0;
    return { up: () => ++count };
  },
  async *upTo(end: number) {
    for (let i = 0; i < end; i++) yield i;
  },
  fail: (why: string) => {
    throw new RangeError(why);
  },
  never: () => new Promise<never>(() => {}),
};
export type Main = typeof main;

/** The descriptors of this process, if the operating system tells them. */
export const descriptors = (): number =>
  process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0;

/** Resolves when something holds, by looking at it in each turn of the loop; throws after so many milliseconds. */
export const until = async (holds: () => boolean, within = 5_000): Promise<void> => {
  const start = performance.now();
  while (!holds()) {
    if (performance.now() - start > within) throw new Error(`It did not hold within ${within} ms: ${holds}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
};

/** Resolves when a socket has closed, whatever it was that closed it. */
export const gone = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    socket.once('close', () => resolve());
  });

/** Doors, dials and bare sockets of one cluster; what a test has opened is closed after it. */
export const makeMembers = () => {
  const membership = { cluster: 'spec', key: randomBytes(32) };
  const owned: { close(): unknown }[] = [];
  const own = <T extends { close(): unknown }>(owner: T): T => {
    owned.push(owner);
    return owner;
  };
  afterEach(async () => {
    await Promise.all(owned.splice(0).map((owner) => owner.close()));
  });
  return {
    membership,
    own,
    open: async (options: Partial<DoorOptions> = {}): Promise<Door> =>
      own(await openDoor({ ...membership, main, ...options })),
    dial: async (to: Address, options: Partial<DialOptions> = {}): Promise<Peer<Main>> =>
      own(await dial<Main>(to, { ...membership, ...options })),
    /** A connection that speaks no TLS; resolves when it is made. */
    bare: ({ host, port }: Address): Promise<Socket> =>
      new Promise((resolve, reject) => {
        const socket = connect(port, host);
        own({ close: () => socket.destroy() });
        socket.once('error', reject);
        socket.once('connect', () => {
          socket.on('error', () => {}).resume();
          resolve(socket);
        });
      }),
    /** A server that does with each connection what it is told. */
    serve: async (meet: (socket: Socket) => void): Promise<Address & { server: Server }> => {
      const sockets = new Set<Socket>();
      const server = createServer((socket) => {
        sockets.add(socket);
        socket.on('error', () => {});
        meet(socket);
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      own({
        close: () => {
          for (const socket of sockets) socket.destroy();
          server.close();
        },
      });
      return { host: '127.0.0.1', port: (server.address() as { port: number }).port, server };
    },
  };
};
