// The floor of a link with an address: a process that sends back each message of a WebSocket, and looks at none.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { WebSocket, WebSocketServer } from 'ws';
import { HOT_FOR, Hot } from './hot.js';

/**
 * Starts a program that listens on 127.0.0.1 and prints its port; it is to end with its standard input.
 * @param {URL} program
 * @param {readonly string[]} [words]
 */
export const listener = async (program, words = []) => {
  const child = spawn(process.execPath, [fileURLToPath(program), ...words], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const first = await Promise.race([once(child.stdout, 'data'), exited]);
  const port = Number(String(first[0]));
  if (!(port > 1023)) throw new Error(`${fileURLToPath(program)} ended before it listened.`);
  return {
    url: `ws://127.0.0.1:${port}`,
    async close() {
      child.stdin.end();
      await exited;
    },
  };
};

/**
 * Listens, prints the port, and ends with the standard input: the other half of `listener`.
 * @param {(socket: WebSocket) => void} onConnection
 */
export const listen = (onConnection) => {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
  server.on('connection', (socket, request) => {
    request.socket.setNoDelay(true);
    onConnection(socket);
  });
  server.on('listening', () => {
    console.log(/** @type {import('node:net').AddressInfo} */ (server.address()).port);
  });
  process.stdin.resume().on('end', () => process.exit());
};

/**
 * Starts the echo and connects to it; both ends stay hot for `hotFor` milliseconds, 0 for sleeping at once.
 * @param {{ hotFor?: number }} [options]
 */
export const rawWebSocket = async ({ hotFor = HOT_FOR } = {}) => {
  const server = await listener(new URL(import.meta.url), [String(hotFor)]);
  const socket = new WebSocket(server.url, { perMessageDeflate: false });
  await once(socket, 'open');
  const hot = hotFor > 0 ? new Hot({ hotFor }) : undefined;
  let resolve = () => {};
  socket.on('message', () => {
    hot?.touch();
    resolve();
  });
  return {
    /**
     * Sends a message and resolves when it has come back.
     * @param {Uint8Array} bytes
     * @returns {Promise<void>}
     */
    trip: (bytes) =>
      new Promise((done) => {
        resolve = done;
        socket.send(bytes);
        hot?.touch();
      }),
    async close() {
      socket.terminate();
      await server.close();
    },
  };
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const hotFor = Number(process.argv[2]);
  const hot = hotFor > 0 ? new Hot({ hotFor }) : undefined;
  listen((socket) => {
    socket.on('message', (bytes) => {
      hot?.touch();
      socket.send(/** @type {Buffer} */ (bytes));
    });
  });
}
