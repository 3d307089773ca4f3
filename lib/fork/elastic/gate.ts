import { randomBytes } from 'node:crypto';
import type { Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Duplex } from 'node:stream';
import type { TlsOptions } from 'node:tls';
import type { WebSocketServer } from 'ws';
import { type Address, chooseAddress, isWildcard, parseBind } from '../../cluster/direct/address.ts';
import { doorFailure } from '../../cluster/direct/errors.ts';
import { doorTls, identityOf, KEY_SIZE } from '../../cluster/direct/handshake.ts';
import { WaitingRoom } from '../../cluster/direct/waiting-room.ts';
import { Keys, type Pass, type TicketTerms } from '../../ticket/keys.ts';
import { MAX_FRAME } from '../../wire/frame/frame.ts';
import { type ClosableSocket, socketOptions } from '../../wire/link/websocket.ts';
import { roomFor } from '../../wire/link/websocket-link.ts';
import { Arrival } from './arrival.ts';
import { Channel } from './channel.ts';

/** How long who has shown a key may take to say who he is, in milliseconds. */
const HELLO_WITHIN = 5_000;
/** How long a refusal may take to leave, in milliseconds. */
const REFUSE_WITHIN = 1_000;

/** How a gate is opened. */
export interface GateOptions {
  /** Where to listen: `host[:port]`. */
  readonly bind: string;
  /** Is told of each site that has come in; it is his from then on. */
  readonly onArrival: (arrival: Arrival) => void;
}

/**
 * Where sites come in that join by themselves. Who comes proves by TLS that he has the key of a ticket; nothing that he
 * says is decoded before. It does not keep the process alive.
 */
export class Gate {
  /** Where it listens, as other hosts can reach it. */
  readonly address: Address;
  readonly #server: Server;
  readonly #sockets: WebSocketServer;
  readonly #room = new WaitingRoom();
  readonly #keys: Keys<true>;
  /** Which key each connection has shown. */
  readonly #shown: WeakMap<object, string>;
  readonly #onArrival: GateOptions['onArrival'];
  /** Those who have shown a key and have not said yet who they are. */
  readonly #unnamed = new Set<Channel<'joiner'>>();
  #closed: Promise<void> | undefined;

  private constructor(
    address: Address,
    server: Server,
    sockets: WebSocketServer,
    keys: Keys<true>,
    shown: WeakMap<object, string>,
    { onArrival }: GateOptions,
  ) {
    this.address = address;
    this.#server = server;
    this.#sockets = sockets;
    this.#keys = keys;
    this.#shown = shown;
    this.#onArrival = onArrival;
    server.on('connection', (socket: Socket) => {
      socket.unref();
      this.#room.enter(socket);
    });
    server.on('upgrade', (request, socket, head) => {
      this.#sockets.handleUpgrade(request, socket, head, (webSocket) => this.#welcome(socket, webSocket));
    });
    // It stays in the waiting room, whose bound ends it.
    server.on('request', (_request, response) => {
      response.writeHead(426, { connection: 'close', upgrade: 'websocket' }).end();
    });
    server.unref();
  }

  /** Begins to listen. Rejects with OptionError, or with DoorError if the operating system does not let it. */
  static async open(options: GateOptions): Promise<Gate> {
    const { host, port } = parseBind(options.bind);
    const [{ createServer }, { WebSocketServer }] = await Promise.all([import('node:https'), import('ws')]);
    const keys = new Keys<true>();
    const shown = new WeakMap<object, string>();
    const sockets = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      ...socketOptions({ maxPayload: roomFor(MAX_FRAME) }),
    });
    const server = createServer(gateTls(keys, shown));
    await new Promise<void>((resolve, reject) => {
      const refused = (cause: Error) => reject(doorFailure(options.bind, cause));
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
    return new Gate({ host: told, port: at.port }, server, sockets, keys, shown, options);
  }

  /** Gives out a key by which sites come in. */
  issue(terms: TicketTerms): Pass {
    return this.#keys.issue(true, terms);
  }

  /** Lets nobody in any more; those who are in stay. Can be called again; never rejects. */
  close(): Promise<void> {
    this.#closed ??= new Promise<void>((resolve) => {
      // Those who are in are sockets of the server too, and it would wait for them: what listens is gone at once.
      this.#server.close();
      this.#room.clear();
      for (const channel of this.#unnamed) channel.drop();
      setImmediate(resolve);
    });
    return this.#closed;
  }

  #welcome(socket: Duplex, webSocket: unknown): void {
    this.#room.leave(socket as Socket);
    // Whether the process may end is the site's link to say.
    (socket as Socket).unref();
    const channel = new Channel<'joiner'>(webSocket as ClosableSocket);
    this.#unnamed.add(channel);
    const mute = setTimeout(() => channel.drop(), HELLO_WITHIN).unref();
    void channel.closed.then(() => {
      this.#unnamed.delete(channel);
      clearTimeout(mute);
    });
    const id = this.#shown.get(socket);
    channel.listen((message) => {
      if (!('hello' in message) || !this.#unnamed.delete(channel)) return channel.drop();
      clearTimeout(mute);
      // A ticket for one use is used by him who can be named.
      // Of the many tickets that are over only the latest are remembered.
      const secret = id === undefined ? undefined : this.#keys.secretOf(id);
      const opened = secret ? this.#keys.open(id!, secret) : 'forged';
      const reason = this.#closed ? 'gone' : opened;
      if (typeof reason !== 'string') {
        channel.say({ welcome: true });
        this.#onArrival(new Arrival(channel, message.hello));
        return;
      }
      channel.say({ refused: reason === 'used' || reason === 'expired' ? reason : 'gone' });
      void channel.end(REFUSE_WITHIN);
    });
  }
}

/** TLS by the key of whichever ticket is named; see `doorTls` for the rest. */
const gateTls = (keys: Keys<true>, shown: WeakMap<object, string>): TlsOptions => {
  const nobodys = randomBytes(KEY_SIZE);
  return {
    ...doorTls({ cluster: 'join', key: nobodys }),
    pskCallback: (socket, identity) => {
      const id = identity.slice(identityOf({ cluster: '' }).length);
      const secret = identity === identityOf({ cluster: id }) ? keys.secretOf(id) : undefined;
      if (secret) shown.set(socket, id);
      return secret ?? nobodys;
    },
  };
};
