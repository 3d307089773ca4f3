import { rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { makePrivateRoot } from '../../lib/ticket/folder.ts';
import { tree } from '../root.ts';
import { firstLine } from './lines.ts';
import { controlled, socketIn } from './sockets.ts';

/** How many may ask at once; more are refused. */
const CLIENTS = 8;
/** How long a client may take to ask, and to take its answer, in milliseconds. */
const ASK_WITHIN = 5_000;
/** The longest question, in bytes. */
const LONGEST_QUESTION = 1_024;
/** The longest that a client may have sites asked, in milliseconds. */
const LONGEST_WAIT = 60_000;

/** What a client asks: the tree, for which each site is asked so many milliseconds. */
interface Question {
  readonly tree?: { readonly timeout?: number };
}

const answer = async (text: string): Promise<object> => {
  const { tree: asked } = (JSON.parse(text) ?? {}) as Question;
  if (!asked) return { error: 'There is no such question.' };
  const timeout = Number(asked.timeout);
  return { tree: await tree(timeout >= 0 ? { timeout: Math.min(timeout, LONGEST_WAIT) } : {}) };
};

const serve = async (socket: Socket): Promise<void> => {
  // A client must not keep the program from its end.
  socket.unref();
  const bound = () => setTimeout(() => socket.destroy(), ASK_WITHIN).unref();
  let timer = bound();
  try {
    const text = await firstLine(socket, LONGEST_QUESTION);
    // The answer has a bound of its own, which the client may have made longer.
    clearTimeout(timer);
    const said = await answer(text).catch((cause: Error) => ({ error: cause.message }));
    timer = bound();
    socket.end(`${JSON.stringify(said)}\n`);
  } catch {
    socket.destroy();
  }
  socket.once('close', () => clearTimeout(timer));
};

/** A control socket that listens; `close` takes it away. */
export interface Control {
  readonly path: string;
  close(): void;
}

/**
 * Offers the control socket of this process, for `offsite tree PID`, and sweeps those that ended programs left. It does
 * not keep the program alive and goes with it. Rejects with FolderError, or the error of the operating system.
 */
export const listen = async (): Promise<Control> => {
  const path = socketIn(makePrivateRoot(), process.pid);
  // Sweeps.
  controlled();
  // A program that had this number before may have left its own.
  rmSync(path, { force: true });
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => void serve(socket));
  server.maxConnections = CLIENTS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
    server.unref();
  });
  server.removeAllListeners('error');
  server.on('error', () => {});
  const remove = () => rmSync(path, { force: true });
  process.once('exit', remove);
  return {
    path,
    close: () => {
      process.off('exit', remove);
      server.close();
      remove();
    },
  };
};
