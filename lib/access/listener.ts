import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Address, written } from '../cluster/direct/address.ts';
import { doorFailure } from '../cluster/direct/errors.ts';
import { WaitingRoom } from '../cluster/direct/waiting-room.ts';
import { type ClosableSocket, socketOptions } from '../wire/link/websocket.ts';
import type { AccessFiles } from './credentials.ts';
import type { Visitor } from './visitor.ts';

/** How a daemon or a scheduler listens. */
export interface ListenerOptions {
  /** Where: addresses of this host with a port, 0 for any that is free. */
  readonly at: readonly Address[];
  /** What its clients are known by; without any only this host's own user comes in, over loopback. */
  readonly access: AccessFiles;
  /** Is told of each visitor who has come in; the socket is his from then on. */
  readonly onVisitor: (visitor: Visitor) => void;
}

/** Where clients come in; it keeps the process alive until it is closed. */
export class Listener implements AsyncDisposable {
  readonly addresses: readonly Address[];
  readonly #servers: readonly Server[];

  constructor(addresses: readonly Address[], servers: readonly Server[]) {
    this.addresses = addresses;
    this.#servers = servers;
  }

  /** Lets nobody in any more; those who are in stay. Never rejects. */
  async close(): Promise<void> {
    for (const server of this.#servers) server.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** Begins to listen. Rejects with OptionError, or with DoorError if the operating system does not let it. */
export const openListener = async ({ at, onVisitor }: ListenerOptions): Promise<Listener> => {
  const { WebSocketServer } = await import('ws');
  const sockets = new WebSocketServer({ noServer: true, clientTracking: false, ...socketOptions() });
  const addresses: Address[] = [];
  const servers: Server[] = [];
  for (const { host, port } of at) {
    const server = createServer();
    const room = new WaitingRoom();
    server.on('connection', (socket: Socket) => room.enter(socket));
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      sockets.handleUpgrade(request, socket, head, (webSocket) => {
        const ends = socket as Socket;
        room.leave(ends);
        webSocket.pause();
        const { remoteAddress = '', remotePort = 0 } = ends;
        onVisitor({
          user: 'local',
          domain: 'admin',
          by: 'loopback',
          from: written({ host: remoteAddress, port: remotePort }),
          path: request.url ?? '/',
          socket: webSocket as unknown as ClosableSocket,
          ends,
        });
      });
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause) => reject(doorFailure(written({ host, port }), cause)));
      server.listen({ host, port }, resolve);
    });
    addresses.push({ host, port: (server.address() as AddressInfo).port });
    servers.push(server);
  }
  return new Listener(addresses, servers);
};
