import { type AddressInfo, createServer, type Server } from 'node:net';
import { type Address, written } from '../cluster/direct/address.ts';
import { DoorError, doorFailure } from '../cluster/direct/errors.ts';
import { OptionError } from '../wire/errors.ts';
import { socketOptions } from '../wire/link/websocket.ts';
import type { AccessFiles } from './credentials.ts';
import { Entrance } from './entrance.ts';
import { Identities } from './identities.ts';
import { Lobby, type LobbyOptions } from './lobby.ts';
import { isLoopback } from './same-user.ts';
import type { Visitor } from './visitor.ts';

/** So many may wait to be taken up by this process; the operating system has its own bound. */
const BACKLOG = 4_096;

/** The largest message that a visitor may send, in bytes: a whole one is in memory before anybody can look at it. */
export const LARGEST_MESSAGE = 1024 * 1024;

/** How a daemon or a scheduler listens. */
export interface ListenerOptions {
  /** Where: addresses of this host with a port, 0 for any that is free. */
  readonly at: readonly Address[];
  /** What its clients are known by; without any only this host's own user comes in, over loopback. */
  readonly access: AccessFiles;
  /** Is told of each visitor who has come in; the socket is his from then on. */
  readonly onVisitor: (visitor: Visitor) => void;
  /** Is told when a file of keys or passwords can not be read any more; until it can, nobody comes in by it. */
  readonly onTrouble?: (error: Error) => void;
  /** How many may stand at the door at once who are not in yet, and for how long. @default 1024, for 5 to 10 s */
  readonly lobby?: LobbyOptions;
}

/** Where clients come in; it keeps the process alive until it is closed. */
export class Listener implements AsyncDisposable {
  /** Where it listens. */
  readonly addresses: readonly Address[];
  readonly #servers: readonly Server[];
  readonly #lobby: Lobby;
  #closed: Promise<void> | undefined;

  constructor(addresses: readonly Address[], servers: readonly Server[], lobby: Lobby) {
    this.addresses = addresses;
    this.#servers = servers;
    this.#lobby = lobby;
  }

  /** How many have connected and are not in yet. */
  get waiting(): number {
    return this.#lobby.size;
  }

  /** Lets nobody in any more; those who are in stay. Can be called again; never rejects. */
  close(): Promise<void> {
    this.#closed ??= new Promise<void>((resolve) => {
      // They would wait for those who are in; what listens is gone at once.
      for (const server of this.#servers) server.close();
      this.#lobby.clear();
      setImmediate(resolve);
    });
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

const hasCredentials = (access: AccessFiles): boolean =>
  Object.values(access).some((file) => file !== undefined);

const checkLocal = (at: readonly Address[]): void => {
  const open = at.find(({ host }) => !isLoopback(host));
  if (!open) return;
  throw new OptionError(
    'host',
    `host is ${open.host}, where others can connect, and there are no credentials by which to know them. ` +
      'Make a key with `offsite keygen` and name its file (secretFile, --secret-file), or listen on 127.0.0.1.',
  );
};

const portTaken = (host: string, port: number, { message }: Error): string =>
  `No door could be opened at ${written({ host, port })}: ${message}. Another program has that port, or a daemon that ` +
  'is there already; stop that one, or choose another port (0 is any that is free).';

const listen = (server: Server, { host, port }: Address): Promise<void> =>
  new Promise((resolve, reject) => {
    const refused = (cause: NodeJS.ErrnoException) =>
      reject(
        cause.code === 'EADDRINUSE'
          ? new DoorError(written({ host, port }), portTaken(host, port, cause), { cause })
          : doorFailure(written({ host, port }), cause),
      );
    server.once('error', refused);
    server.listen({ host, port, backlog: BACKLOG }, () => {
      server.off('error', refused);
      // Out of descriptors, for instance: who comes next may be luckier.
      server.on('error', () => {});
      resolve();
    });
  });

/**
 * Begins to listen. Rejects with OptionError (among others if others could connect and there are no credentials), or with
 * DoorError if the operating system does not let it. Loads `ws`.
 */
export const openListener = async (options: ListenerOptions): Promise<Listener> => {
  const { at, access, onVisitor, onTrouble = () => {} } = options;
  const secured = hasCredentials(access);
  if (!secured) checkLocal(at);
  const identities = secured ? new Identities(access, onTrouble) : undefined;
  const { WebSocketServer } = await import('ws');
  const sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    // Who asks for signs of life and reads none would have them gather here; the entrance answers.
    autoPong: false,
    ...socketOptions({ maxPayload: LARGEST_MESSAGE }),
  });
  const lobby = new Lobby(options.lobby);
  const entrance = new Entrance({ identities, lobby, sockets, onVisitor });
  const addresses: Address[] = [];
  const servers: Server[] = [];
  try {
    for (const address of at) {
      const server = createServer((socket) => entrance.enter(socket));
      await listen(server, address);
      servers.push(server);
      const { address: ip, port } = server.address() as AddressInfo;
      // What a name leads to is known now; nobody has been taken up yet.
      if (!secured) checkLocal([{ host: ip, port }]);
      addresses.push({ host: address.host, port });
    }
  } catch (cause) {
    for (const server of servers) server.close();
    throw cause;
  }
  return new Listener(addresses, servers, lobby);
};
