import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { socketOf } from '../../../lib/engine/ssh-connection.ts';
import { CutOff, resendsIn } from '../../../lib/fork/elastic/cut-off.ts';

/** Linux's table with one socket: from 10.0.0.2:45678 to 10.0.0.1:9009. */
const table = (resent: string): string =>
  `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 11 1
   1: 0200000A:B26E 0100000A:2331 01 00000024:00000000 01:00000050 ${resent}  1000        0 12 2
`;
const line = socketOf('10.0.0.1 9009 10.0.0.2 45678')!;

describe('a connection that is cut off', () => {
  test('is one for which something is sent again and again', () => {
    expect(resendsIn(table('00000000'), line)).toBe(false);
    expect(resendsIn(table('00000003'), line)).toBe(true);
    expect(resendsIn(table('00000003'), socketOf('10.0.0.1 9010 10.0.0.2 45678')!)).toBe(false);
  });

  test.runIf(process.platform === 'linux')('is not one whose other end only stands still', async () => {
    const server = createServer((socket) => socket.pause()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const socket: Socket = connect((server.address() as { port: number }).port, '127.0.0.1');
    onTestFinished(() => {
      socket.destroy();
      server.close();
    });
    await once(socket, 'connect');
    socket.write('a sign of life');
    expect(new CutOff(socket).look()).toBe(0);
  });
});
