import { createServer as createHttpServer, type IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createServer as createTlsServer, type TLSSocket, type Server as TlsServer } from 'node:tls';
import type { WebSocketServer } from 'ws';
import { written } from '../cluster/direct/address.ts';
import { HIGH_WATER } from '../wire/link/link.ts';
import type { ClosableSocket } from '../wire/link/websocket.ts';
import { serverTls } from './handshake.ts';
import { type Identities, type Identity, mayAsk } from './identities.ts';
import type { Lobby } from './lobby.ts';
import { serveLogin } from './login/serve-login.ts';
import { isLoopback, isSameUser } from './same-user.ts';
import type { Visitor } from './visitor.ts';

/** The first byte of a TLS connection. */
const HANDSHAKE = 0x16;
/** TLS's own words for "I do not speak what you speak": a fatal alert, `protocol_version`. */
const NO_TLS = Buffer.from([0x15, 3, 3, 0, 2, 2, 70]);
/** The most that somebody may say who wants a WebSocket, in bytes. */
const LARGEST_REQUEST = 8_192;
/** What can be asked for; nothing that two readers could read in two ways. */
const PATH = /^(?:\/|(?:\/[a-z0-9-]+)+)(?:\?[\x21-\x7e]*)?$/;

/** Without credentials: who can connect is of this host, and the operating system says of which user. */
const LOCAL: Identity = { user: 'local', domain: 'admin', by: 'loopback' };

/** What each refusal says; `dial` makes an AccessError of it. */
const REFUSALS = { path: 400, unknown: 401, forbidden: 403, upgrade: 426 } as const;

const refuse = (socket: Duplex, why: keyof typeof REFUSALS): void => {
  const status = REFUSALS[why];
  // What it still says is thrown away, so that the answer is not lost by a reset; the lobby ends it.
  socket.resume();
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
};

/** What the entrance is made with. */
export interface EntranceOptions {
  /** `undefined` without credentials. */
  readonly identities: Identities | undefined;
  readonly lobby: Lobby;
  readonly sockets: WebSocketServer;
  readonly onVisitor: (visitor: Visitor) => void;
}

/**
 * The way of each connection from its first byte to a WebSocket: TLS, or the operating system's word for whose it is,
 * before anything is read as HTTP. Nothing is made for a connection that says nothing.
 */
export class Entrance {
  readonly #options: EntranceOptions;
  readonly #tls: TlsServer | undefined;
  readonly #http: Server;
  readonly #identified = new WeakMap<object, Identity>();

  constructor(options: EntranceOptions) {
    this.#options = options;
    this.#http = createHttpServer({ maxHeaderSize: LARGEST_REQUEST });
    this.#http.on('upgrade', (request, socket, head) => this.#upgrade(request, socket as Socket, head));
    // Somebody who wants a page; he stays in the lobby, whose bound ends him.
    this.#http.on('request', (_request, response) => {
      response.writeHead(REFUSALS.upgrade, { connection: 'close', upgrade: 'websocket' }).end();
    });
    const { identities } = options;
    if (!identities) return;
    const keyOf = (socket: object, identity: string) => identities.keyOf(socket, identity);
    this.#tls = createTlsServer(serverTls(identities.certificates, keyOf));
    this.#tls.on('secureConnection', (socket) => this.#secured(socket, identities));
    this.#tls.on('tlsClientError', (_error, socket) => socket.destroy());
  }

  /** Takes a connection in. */
  enter(socket: Socket): void {
    // Errors that come behind its end are nobody's.
    socket.on('error', () => {});
    this.#options.lobby.enter(socket);
    const look = () => {
      const head = socket.read() as Buffer | null;
      if (head === null) return;
      socket.off('readable', look);
      this.#options.lobby.begin(socket);
      socket.unshift(head);
      if (this.#tls) this.#enterByTls(socket, head, this.#tls);
      else this.#enterPlain(socket, head);
    };
    socket.on('readable', look);
  }

  #enterByTls(socket: Socket, head: Buffer, server: TlsServer): void {
    if (head[0] === HANDSHAKE) server.emit('connection', socket);
    else refuse(socket, 'upgrade');
  }

  #enterPlain(socket: Socket, head: Buffer): void {
    if (head[0] === HANDSHAKE) {
      socket.resume();
      socket.end(NO_TLS);
    } else if (!isSameUser(socket)) refuse(socket, 'unknown');
    else this.#letIn(socket, LOCAL);
  }

  #secured(socket: TLSSocket, identities: Identities): void {
    socket.on('error', () => {});
    const who = identities.identify(socket);
    if (who === undefined) refuse(socket, 'unknown');
    else if (who !== 'login') this.#letIn(socket, who);
    else {
      const hangUp = () => void socket.end();
      void serveLogin(socket, identities.desk!).then(hangUp, () => void socket.destroy());
    }
  }

  #letIn(socket: Socket, who: Identity): void {
    this.#options.lobby.prove(socket);
    this.#identified.set(socket, who);
    this.#http.emit('connection', socket);
  }

  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const { lobby, sockets, onVisitor } = this.#options;
    const { url: path = '/' } = request;
    const who = this.#identified.get(socket);
    if (!who) return void socket.destroy();
    if (!PATH.test(path)) return refuse(socket, 'path');
    if (!mayAsk(who.domain, path) || isFromPage(request, who)) return refuse(socket, 'forbidden');
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      lobby.leave(socket);
      webSocket.pause();
      webSocket.on('ping', (data) => {
        // What waits for him is sign enough, once he reads.
        if (webSocket.bufferedAmount <= HIGH_WATER) webSocket.pong(data);
      });
      const { remoteAddress = '', remotePort = 0 } = socket;
      const from = written({ host: remoteAddress, port: remotePort });
      onVisitor({ ...who, from, path, socket: webSocket as unknown as ClosableSocket, ends: socket });
    });
  }
}

/** A page in a browser of this user could connect as he could; it says so, or has a name of its own for this host. */
const isFromPage = ({ headers: { origin, host = '' } }: IncomingMessage, { by }: Identity): boolean => {
  const name = host.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  return origin !== undefined || (by === 'loopback' && !isLoopback(name));
};
