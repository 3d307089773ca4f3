import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A way to a port of this host that can be cut: then nothing comes through any more, in neither direction. */
export interface Relay {
  /** `127.0.0.1:port`. */
  readonly host: string;
  /** What those who came have said so far. */
  readonly said: readonly Buffer[];
  cut(): Promise<void>;
}

export const openRelay = async (port: number): Promise<Relay> => {
  const sockets = new Set<Socket>();
  const said: Buffer[] = [];
  const server = createServer((client) => {
    const behind = connect(port, '127.0.0.1');
    client.on('data', (chunk: Buffer) => said.push(chunk));
    client.pipe(behind).pipe(client);
    for (const socket of [client, behind]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.on('close', () => sockets.delete(socket));
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    said,
    cut: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.resetAndDestroy();
      await closed;
    },
  };
};
