import type { IncomingMessage } from 'node:http';
import type { Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Duplex } from 'node:stream';
import type { WebSocketServer } from 'ws';
import { accept, type Peer } from '../../module/peer.ts';
import { TimeoutError } from '../../wire/errors.ts';
import { MAX_FRAME } from '../../wire/frame/frame.ts';
import type { Limits } from '../../wire/limits.ts';
import { socketOptions } from '../../wire/link/websocket.ts';
import { roomFor } from '../../wire/link/websocket-link.ts';
import { type Address, chooseAddress, isWildcard, parseBind, written } from './address.ts';
import { doorFailure } from './errors.ts';
import { checkMembership, doorTls, type Membership } from './handshake.ts';
import { WaitingRoom, type WaitingRoomOptions } from './waiting-room.ts';

/** Where a door is if nobody says otherwise: other hosts can't reach it. */
const LOOPBACK = '127.0.0.1';
/** How long what is being sent to members may take to leave when a door is closed, in milliseconds. */
const CLOSE_WITHIN = 1_000;

/** How a door is opened. */
export interface DoorOptions extends Membership {
  /** What other members may call. */
  readonly main: object;
  /**
   * Where to listen: `host[:port]`, an IPv6 address in brackets; `0.0.0.0` or `[::]` for all addresses of this host.
   * @default 127.0.0.1 and any port that is free
   */
  readonly bind?: string;
  /** What a call, a value or a stream may take of this process. @default see Limits */
  readonly limits?: Partial<Limits>;
  /** Is told of each member that has come in. */
  readonly onPeer?: (peer: Peer) => void;
  /** How many may stand at the door at once who are not in yet, and for how long. @default 64, for 5 s */
  readonly waiting?: WaitingRoomOptions;
}

/**
 * Where other members of a cluster come in. Who comes has to prove by TLS that he has the cluster's key, and is proved the
 * same; nothing that he says is decoded before. It does not keep the process alive.
 */
export class Door implements AsyncDisposable {
  /** Where other members can dial it. */
  readonly address: Address;
  readonly #server: Server;
  readonly #sockets: WebSocketServer;
  readonly #room: WaitingRoom;
  readonly #options: DoorOptions;
  readonly #peers = new Set<Peer>();
  #closed: Promise<void> | undefined;

  /** `server` listens, and is the door's from now on. */
  constructor(address: Address, server: Server, sockets: WebSocketServer, options: DoorOptions) {
    this.address = address;
    this.#server = server;
    this.#sockets = sockets;
    this.#options = options;
    this.#room = new WaitingRoom(options.waiting);
    server.on('connection', (socket: Socket) => {
      // From now on; the session holds the process through it while somebody waits for that member.
      socket.unref();
      this.#room.enter(socket);
    });
    server.on('upgrade', (request, socket, head) => this.#welcome(request, socket, head));
    // A member that wants a page; it is still in the waiting room, whose bound ends it.
    server.on('request', (_request, response) => {
      response.writeHead(426, { connection: 'close', upgrade: 'websocket' }).end();
    });
    server.unref();
  }

  /** How many members have come in and not gone. */
  get peers(): number {
    return this.#peers.size;
  }

  /**
   * Lets nobody in any more and ends the connections of those who are in; calls that wait reject. Resolves when the port
   * and all descriptors are given back. Can be called again; never rejects.
   */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    const gone = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    this.#room.clear();
    const late = setTimeout(() => {
      const error = new TimeoutError(
        `${written(this.address)} was closed before all was sent.`,
        CLOSE_WITHIN,
      );
      for (const peer of this.#peers) peer.drop(error);
    }, CLOSE_WITHIN);
    await Promise.all([...this.#peers].map((peer) => peer.close()));
    clearTimeout(late);
    await gone;
  }

  #welcome(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (this.#closed) {
      socket.destroy();
      return;
    }
    const secured = socket as Socket;
    this.#sockets.handleUpgrade(request, socket, head, (webSocket) => {
      const { main, limits, onPeer } = this.#options;
      const { remoteAddress = '', remotePort = 0 } = secured;
      const name = `the member that came from ${written({ host: remoteAddress, port: remotePort })}`;
      const peer = accept(webSocket, { main, limits, name });
      void peer.closed.then(() => this.#peers.delete(peer));
      peer.ready.then(
        () => {
          // Until it has said that it speaks our protocol, it has been in the waiting room.
          this.#room.leave(secured);
          this.#peers.add(peer);
          onPeer?.(peer);
        },
        () => {},
      );
    });
  }
}

/**
 * Opens a door for other members of a cluster. Rejects with OptionError, or with DoorError if the operating system does
 * not let it listen there. Loads `ws` when it is first called.
 */
export const openDoor = async (options: DoorOptions): Promise<Door> => {
  const { bind = LOOPBACK, limits } = options;
  checkMembership(options);
  const { host, port } = parseBind(bind);
  const [{ createServer }, { WebSocketServer }] = await Promise.all([import('node:https'), import('ws')]);
  const maxPayload = roomFor(limits?.frameSize ?? MAX_FRAME);
  const sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    ...socketOptions({ maxPayload }),
  });
  const server = createServer(doorTls(options));
  await new Promise<void>((resolve, reject) => {
    const refused = (cause: Error) => reject(doorFailure(bind, cause));
    server.once('error', refused);
    server.listen({ host, port }, () => {
      server.off('error', refused);
      // Out of descriptors, for instance: who comes next may be luckier.
      server.on('error', () => {});
      resolve();
    });
  });
  const at = server.address() as AddressInfo;
  const told = isWildcard(at.address) ? chooseAddress(at.address, networkInterfaces()) : at.address;
  return new Door({ host: told, port: at.port }, server, sockets, options);
};
