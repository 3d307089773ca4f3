import { expect, test } from 'vitest';
import { announceDaemon } from '../../../actors/daemon/announcing.ts';
import { checkDaemonOptions } from '../../../actors/daemon/options.ts';

const at = (...hosts: string[]) => {
  const listens = hosts.map((host) => ({ host, port: 35_000 }));
  return { listens, addresses: listens };
};
const trouble = (cause: unknown) => expect.fail(String(cause));

test.each([
  ['has no credentials', {}, at('0.0.0.0')],
  ['listens on loopback only', { secretFile: '/etc/offsite/keys' }, at('127.0.0.1', '::1')],
])('A daemon that %s is not announced', async (_, access, doors) => {
  expect(await announceDaemon(checkDaemonOptions({ access }), doors, trouble)).toBeUndefined();
});
