import { describe, expect, test } from 'vitest';
import { socketOf } from '../../lib/engine/ssh-connection.ts';

describe('the socket of an ssh connection', () => {
  test.each([
    ['127.0.0.1 50000 127.0.0.1 22', { local: ':0016', remote: '0100007F:C350' }],
    ['10.1.2.3 1 10.1.2.4 2222', { local: ':08AE', remote: '0302010A:0001' }],
    ['::1 50000 ::1 22', { local: ':0016', remote: '00000000000000000000000001000000:C350' }],
    [
      '::ffff:10.1.2.3 1 ::ffff:10.1.2.4 2222',
      { local: ':08AE', remote: '0000000000000000FFFF00000302010A:0001' },
    ],
    [
      'fe80::5054:ff:fe12:3456%eth0 50000 fe80::1 22',
      { local: ':0016', remote: '000080FE00000000FF005450563412FE:C350' },
    ],
  ])('%s is named as the table of sockets has it', (connection, socket) => {
    expect(socketOf(connection)).toEqual(socket);
  });

  test.each([undefined, '', '10.0.0.1', '10.0.0.1 1 10.0.0.2', '10.0.0.1 1 10.0.0.2 22 more'])(
    '%j names none',
    (connection) => {
      expect(socketOf(connection)).toBeUndefined();
    },
  );
});
