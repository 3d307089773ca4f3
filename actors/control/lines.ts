import type { Socket } from 'node:net';

/** The first line that comes from a socket; rejects if it has more than `most` bytes, or the socket ends before. */
export const firstLine = (socket: Socket, most: number): Promise<string> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('The connection ended before a whole line had come.')));
    socket.on('data', (chunk: Buffer) => {
      const end = chunk.indexOf(10);
      length += end < 0 ? chunk.length : end;
      if (length > most) {
        socket.destroy(new Error(`A line of more than ${most} bytes came.`));
        return;
      }
      chunks.push(end < 0 ? chunk : chunk.subarray(0, end));
      if (end >= 0) resolve(Buffer.concat(chunks).toString('utf8'));
    });
  });
