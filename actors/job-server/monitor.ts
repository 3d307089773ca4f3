import { readFileSync } from 'node:fs';
import { createServer as createPlainServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { type Address, chooseAddress, isWildcard, written } from '../../lib/cluster/direct/address.ts';
import { doorFailure } from '../../lib/cluster/direct/errors.ts';
import { OptionError } from '../../lib/wire/errors.ts';
import type { JobServerCore } from './core.ts';
import { Guard } from './monitor/guard.ts';
import { type CheckedMonitorOptions, checkMonitorOptions, type MonitorOptions } from './monitor/options.ts';
import { Routes } from './monitor/routes.ts';
import { newToken, tokenIn } from './monitor/token.ts';
import { Viewers } from './monitor/viewers.ts';
import type { Watched } from './monitor/watched.ts';
import { WatchedJobs } from './monitor/watched-jobs.ts';

export type { MonitorOptions } from './monitor/options.ts';

/** How long somebody may take to say what he wants, and for the handshake before that, in milliseconds. */
const ASK_WITHIN = 10_000;
/** More connections than these are not taken. */
const MOST_CONNECTIONS = 1_000;
/** How long viewers have to take the farewell, in milliseconds. */
const FAREWELL = 500;

/** A web page, and figures for programs, of how a job server does. It does not keep the program alive. */
export interface Monitor extends AsyncDisposable {
  /** What to open in a browser; it holds the token, so whoever has it may cancel jobs. */
  readonly url: string;
  /** Where it listens. */
  readonly address: Address;
  /** Ends it, and hangs up on all viewers. Never rejects. */
  close(): Promise<void>;
}

interface Certificate {
  readonly cert: string;
  readonly key: string;
}

const readOption = (option: 'certfile' | 'keyfile', file: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const { message } = cause as Error;
    throw new OptionError(option, `The ${option} of the monitor could not be read: ${message}.`, { cause });
  }
};

const certificateOf = ({ certfile, keyfile }: CheckedMonitorOptions): Certificate | undefined =>
  certfile === undefined || keyfile === undefined
    ? undefined
    : { cert: readOption('certfile', certfile), key: readOption('keyfile', keyfile) };

const serverOf = (certificate: Certificate | undefined, answer: RequestListener): Server => {
  const bounds = {
    headersTimeout: ASK_WITHIN,
    requestTimeout: ASK_WITHIN,
    connectionsCheckingInterval: 5_000,
  };
  if (!certificate) return createPlainServer(bounds, answer);
  const tls = { ...certificate, minVersion: 'TLSv1.3', handshakeTimeout: ASK_WITHIN } as const;
  try {
    return createTlsServer({ ...bounds, ...tls }, answer);
  } catch (cause) {
    const { message } = cause as Error;
    const what = `The certfile and keyfile of the monitor are no certificate with its key: ${message}.`;
    throw new OptionError('certfile', what, { cause });
  }
};

const guardOf = (options: CheckedMonitorOptions, token: string, certificate: string | undefined): Guard =>
  new Guard({ token, hostnames: [options.host, ...options.hostnames], certificate });

const listen = (server: Server, { host, port }: CheckedMonitorOptions): Promise<Address> =>
  new Promise((resolve, reject) => {
    server.once('error', (cause) => reject(doorFailure(written({ host, port }), cause)));
    server.listen({ host, port }, () => {
      const { address, port: taken } = server.address() as AddressInfo;
      resolve({ host: address, port: taken });
    });
  });

/** Where a browser finds it. */
const shownHost = ({ host, hostnames }: CheckedMonitorOptions): string =>
  hostnames[0] ?? (isWildcard(host) ? chooseAddress(host, networkInterfaces()) : host);

const closeServer = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), FAREWELL);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });

/** Opens a monitor of anything. Rejects with OptionError, or with DoorError if the operating system does not let it listen. */
export const openMonitor = async (watched: Watched, options: MonitorOptions = {}): Promise<Monitor> => {
  const checked = checkMonitorOptions(options);
  const certificate = certificateOf(checked);
  const token = checked.tokenFile === undefined ? newToken() : tokenIn(checked.tokenFile);
  const viewers = new Viewers(watched, checked.every);
  // The server first: it tells a certificate that is none in words.
  const server = serverOf(certificate, (request, response) => void routes.answer(request, response));
  const guard = guardOf(checked, token, certificate?.cert);
  const routes = new Routes(watched, viewers, guard);
  server.maxConnections = MOST_CONNECTIONS;
  // None of it keeps the program alive.
  server.on('connection', (socket: Socket) => socket.unref());
  server.on('secureConnection', (socket: Socket) => socket.unref());
  const address = await listen(server, checked);
  server.unref();
  // For instance that there are no descriptors left for one more connection: no reason to end the program.
  server.on('error', (error) => process.emitWarning(error));
  guard.listensAt(address.port);
  const at = written({ host: shownHost(checked), port: address.port });
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => {
    if (!closed) {
      closed = closeServer(server);
      viewers.close();
    }
    return closed;
  };
  return {
    url: `${certificate ? 'https' : 'http'}://${at}/?token=${token}`,
    address,
    close,
    [Symbol.asyncDispose]: close,
  };
};

/** Opens the monitor of a job server; `onClose` is called when it is closed. Rejects as `openMonitor` does. */
export const monitorJobs = async (
  core: JobServerCore,
  options: MonitorOptions,
  onClose: () => void,
): Promise<Monitor> => {
  const { showArgs } = checkMonitorOptions(options);
  const watched = new WatchedJobs(core, showArgs);
  try {
    const monitor = await openMonitor(watched, options);
    const close = async () => {
      onClose();
      await monitor.close();
      watched.close();
    };
    return { ...monitor, close, [Symbol.asyncDispose]: close };
  } catch (error) {
    watched.close();
    throw error;
  }
};
