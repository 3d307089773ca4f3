import { rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { makePrivateRoot } from '../../lib/ticket/folder.ts';
import { firstLine } from '../control/lines.ts';
import { controlSocket, steeredDaemons } from './control-sockets.ts';
import type { DaemonControl } from './status.ts';
import { answerTo, LONGEST_QUESTION } from './steering.ts';

/** How many may ask at once; some wait until all sites have ended. */
const CLIENTS = 64;
/** How long a client may take to ask, in milliseconds. */
const ASK_WITHIN = 5_000;
/** How long the last answers may take to leave, in milliseconds. */
const LAST_WORDS_WITHIN = 1_000;

/** A control socket on which a daemon listens. */
export interface ControlServer {
  readonly path: string;
  /** Takes it away when what was answered has left. Never rejects. */
  close(): Promise<void>;
}

const serve = async (control: DaemonControl, socket: Socket): Promise<void> => {
  const late = setTimeout(() => socket.destroy(), ASK_WITHIN);
  try {
    const text = await firstLine(socket, LONGEST_QUESTION);
    clearTimeout(late);
    socket.end(`${JSON.stringify(await answerTo(control, text))}\n`);
  } catch {
    socket.destroy();
  } finally {
    clearTimeout(late);
  }
};

/**
 * Lets this user steer a daemon of this process that listens on a port, and sweeps the sockets of those that have died.
 * Rejects with FolderError, or the error of the operating system.
 */
export const listenForControl = async (control: DaemonControl, port: number): Promise<ControlServer> => {
  const path = controlSocket(makePrivateRoot(), process.pid, port);
  // Sweeps.
  steeredDaemons();
  // A program that had this number before may have left its own.
  rmSync(path, { force: true });
  const sockets = new Set<Socket>();
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    void serve(control, socket);
  });
  server.maxConnections = CLIENTS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  server.removeAllListeners('error');
  server.on('error', () => {});
  const remove = () => rmSync(path, { force: true });
  process.once('exit', remove);
  return {
    path,
    close: async () => {
      process.off('exit', remove);
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      remove();
      const late = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, LAST_WORDS_WITHIN);
      await closed;
      clearTimeout(late);
    },
  };
};
