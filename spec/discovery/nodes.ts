import { createConnection, createServer, type Server } from 'node:net';
import { type Listener, openListener } from '../../lib/access/listener.ts';
import type { Address } from '../../lib/cluster/direct/address.ts';
import type { Probe } from '../../lib/discovery/node.ts';
import type { NodeState } from '../../lib/fork/daemon/node-state.ts';

/** How a node of a name does, as a daemon tells it. */
export const stateOf = (name: string): NodeState => ({
  name,
  host: 'spec',
  version: '0.1.0',
  node: process.version,
  platform: process.platform,
  arch: process.arch,
  labels: {},
  cpus: 4,
  free: 3,
  state: 'serving',
  load: 0.25,
  memory: { total: 2 ** 30, free: 2 ** 29 },
});

/** A listener that tells who asks over `/node` how it does; `says` is what it says instead. */
export async function startNode(
  name: string,
  { port = 0, says }: { port?: number; says?: string } = {},
): Promise<{ listener: Listener; address: Address }> {
  const text = says ?? JSON.stringify({ node: stateOf(name) });
  const listener = await openListener({
    at: [{ host: '127.0.0.1', port }],
    access: {},
    onVisitor: ({ socket }) => {
      socket.on('error', () => {});
      socket.resume();
      socket.send(Buffer.from(text), { binary: false }, () => {});
    },
  });
  return { listener, address: listener.addresses[0]! };
}

/** A server that says its name and hangs up; where no name is given it says nothing, ever. */
export async function startNamed(
  name?: string,
  { port = 0, host = '127.0.0.1' } = {},
): Promise<{ address: Address; close: () => Promise<void>; server: Server }> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    if (name !== undefined) socket.end(name);
    else socket.unref();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host }, resolve);
  });
  const bound = server.address() as { port: number };
  return {
    address: { host, port: bound.port },
    server,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
      }),
  };
}

/** Asks such a server for its name. */
export const askName: Probe<{ name: string; version: string }> = (address, { signal }) =>
  new Promise((resolve, reject) => {
    let name = '';
    const socket = createConnection({ ...address, signal });
    socket.on('error', reject);
    socket.on('data', (chunk) => {
      name += String(chunk);
    });
    socket.on('end', () => {
      socket.destroy();
      if (name === '') reject(new Error('it has no name'));
      else resolve({ name, version: '0.1.0' });
    });
  });

/** A port where nothing listens. */
export async function freePort(): Promise<number> {
  const { address, close } = await startNamed('');
  await close();
  return address.port;
}
