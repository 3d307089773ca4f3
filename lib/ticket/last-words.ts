import { readSync } from 'node:fs';
import type { Socket } from 'node:net';

const CHUNK = 65_536;

/** What waits in a socket, read past Node.js; nothing if it has no descriptor of its own. */
const waiting = function* (socket: Socket): Generator<Buffer> {
  const { fd } = (socket as unknown as { _handle?: { fd?: number } })._handle ?? {};
  if (fd === undefined || fd < 0) return;
  for (;;) {
    const chunk = Buffer.allocUnsafeSlow(CHUNK);
    let size: number;
    try {
      size = readSync(fd, chunk);
    } catch {
      // There is nothing more, or nothing can be read.
      return;
    }
    if (size === 0) return;
    yield chunk.subarray(0, size);
  }
};

/**
 * Has a Unix socket give what its peer said last, also if something is written to the peer when that has died: the write
 * fails, and Node.js then destroys the socket with what nobody has read, though the kernel still has it. Who was told of
 * a job's end by those words would take it for one that never began.
 */
export const hearLastWords = (socket: Socket): Socket => {
  const destroy = socket.destroy.bind(socket);
  socket.destroy = (cause?: Error) => {
    const { code } = (cause ?? {}) as NodeJS.ErrnoException;
    const isHeard = socket.readableFlowing === true && socket.readableLength === 0;
    // Past `push`, which takes nothing any more after a failure.
    if (!socket.destroyed && isHeard && (code === 'EPIPE' || code === 'ECONNRESET'))
      for (const chunk of waiting(socket)) socket.emit('data', chunk);
    return destroy(cause);
  };
  return socket;
};
