import { randomBytes } from 'node:crypto';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { describe, expect, test } from 'vitest';
import type { Address } from '../../../lib/cluster/direct/address.ts';
import { type DialOptions, dial } from '../../../lib/cluster/direct/dial.ts';
import { DialError, type DialReason } from '../../../lib/cluster/direct/errors.ts';
import { doorTls } from '../../../lib/cluster/direct/handshake.ts';
import { PROTOCOL } from '../../../lib/wire/frame/frame.ts';
import { certificate } from './certificate.ts';
import { descriptors, makeMembers, until } from './members.ts';

const { membership, open, own, dial: dialOwn, serve } = makeMembers();

/** Dials in vain; the error has the address and a remedy, and is of that reason. */
const failure = async (to: Address, reason: DialReason, options: Partial<DialOptions> = {}) => {
  const { host, port } = to;
  const error = await dial({ host, port }, { ...membership, name: 'member 3', ...options }).then(
    () => expect.unreachable('it was let in'),
    (caught) => caught as DialError,
  );
  expect(error).toBeInstanceOf(DialError);
  expect(error.message).toContain(`127.0.0.1:${port}`);
  expect(error.message).toContain('member 3');
  expect(error.message.endsWith('.')).toBe(true);
  expect([error.reason, error.code]).toEqual([reason, `ERR_OFFSITE_DIAL_${reason.toUpperCase()}`]);
  expect(error.address).toEqual({ host, port });
  expect(error.cause, error.message).toBeInstanceOf(Error);
  return error;
};

const tlsServer = (options: TlsOptions): Promise<Address> =>
  new Promise((resolve) => {
    const server = createTlsServer(options, (socket) => socket.on('error', () => {}).resume());
    server.on('tlsClientError', () => {});
    own(server).listen(0, '127.0.0.1', () => {
      resolve({ host: '127.0.0.1', port: (server.address() as { port: number }).port });
    });
  });

describe('dialling a member', () => {
  test('tells when nothing listens', async () => {
    const door = await open();
    await door.close();
    await failure(door.address, 'refused');
  });

  test('tells when who listens says nothing, within its timeout', async () => {
    const start = performance.now();
    const error = await failure(await serve((socket) => socket.resume()), 'unreachable', { timeout: 150 });
    expect(error.message).toContain('150 ms');
    expect(performance.now() - start).toBeGreaterThan(140);
  });

  test('tells when no way leads there', async () => {
    // No connection leads to all hosts of a network.
    const error = await dial({ host: '255.255.255.255', port: 9 }, { ...membership, timeout: 500 }).catch(
      (e) => e,
    );
    expect([error.name, error.code]).toEqual(['DialError', 'ERR_OFFSITE_DIAL_UNREACHABLE']);
  });

  test('tells when the key is wrong', async () => {
    const { address } = await open();
    await failure(address, 'key', { key: randomBytes(32) });
  });

  test('tells when the cluster is another one, although it has the same key', async () => {
    const { address } = await open();
    const error = await failure(address, 'key', { cluster: 'other' });
    expect(error.message).toContain('cluster other');
  });

  test.each<[string, Parameters<typeof serve>[0]]>([
    ['an ssh server', (socket) => socket.write('SSH-2.0-OpenSSH_9.2\r\n')],
    ['an echo', (socket) => socket.pipe(socket)],
    ['a web server', (socket) => createHttpServer().emit('connection', socket)],
    ['a server of noise', (socket) => socket.write(randomBytes(1_000))],
  ])('tells when %s is there', async (_what, meet) => {
    await failure(await serve(meet), 'stranger');
  });

  test('tells when who is there hangs up each time, after as long as it may take', async () => {
    const error = await failure(await serve((socket) => socket.destroy()), 'stranger', { timeout: 200 });
    expect(error.message).toMatch(/hung up \d+ times within 200 ms/);
  });

  test.each([{}, { ALPNProtocols: [`offsite/${PROTOCOL}`] }])(
    'is not taken in by a server with a certificate (%j)',
    async (options) => {
      await failure(await tlsServer({ ...certificate, ...options }), 'stranger');
    },
  );

  test('is not taken in by one although all certificates are said to be good', async () => {
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
    try {
      await failure(await tlsServer(certificate), 'stranger');
    } finally {
      delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    }
  });

  test('tells when the member speaks another version', async () => {
    const other = { ...doorTls(membership), ALPNProtocols: [`offsite/${PROTOCOL + 1}`] };
    const error = await failure(await tlsServer(other), 'version');
    expect(error.message).toContain('same version of Offsite');
  });

  test('in vain, in whatever way, gives all descriptors back at both ends', async () => {
    const { address } = await open();
    const silent = await serve((socket) => socket.resume());
    const mail = await serve((socket) => socket.resume().end('220 mail\r\n'));
    const before = descriptors();
    for (let round = 0; round < 10; round++) {
      await failure(address, 'key', { key: randomBytes(32) });
      await failure(silent, 'unreachable', { timeout: 5 });
      await failure(mail, 'stranger');
    }
    await until(() => descriptors() <= before);
  });

  test('goes on until it is let in, if a crowd stands there', async () => {
    const { address } = await open({ waiting: { mostWaiting: 1 } });
    const peers = await Promise.all(Array.from({ length: 20 }, () => dialOwn(address, { timeout: 15_000 })));
    const sums = await Promise.all(peers.map((peer, i) => peer.main.add(i, 1)));
    expect(sums).toEqual(peers.map((_, i) => i + 1));
  });

  test('is given up by a signal, with its reason', async () => {
    const silent = await serve((socket) => socket.resume());
    const giveUp = new AbortController();
    const reason = new Error('enough');
    silent.server.once('connection', () => giveUp.abort(reason));
    await expect(dial(silent, { ...membership, signal: giveUp.signal })).rejects.toBe(reason);
    await expect(dial(silent, { ...membership, signal: giveUp.signal })).rejects.toBe(reason);
    const hangsUp = await serve((socket) => socket.destroy());
    const late = AbortSignal.timeout(100);
    const error = await dial(hangsUp, { ...membership, signal: late }).catch((caught) => caught);
    expect(error).toBe(late.reason);
  });

  test.each([
    ['key', { key: randomBytes(31) }],
    ['key', { key: 'secret' as never }],
    ['cluster', { cluster: '' }],
    ['cluster', { cluster: 'a\0b' }],
    ['cluster', { cluster: 'x'.repeat(201) }],
  ])('refuses a %s that can be none', async (option, wrong) => {
    const { address } = await open();
    const expected = { code: 'ERR_OFFSITE_OPTION', option };
    await expect(dial(address, { ...membership, ...wrong })).rejects.toMatchObject(expected);
    await expect(open(wrong)).rejects.toMatchObject(expected);
  });
});
