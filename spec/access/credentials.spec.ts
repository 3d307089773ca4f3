import { once } from 'node:events';
import { appendFileSync, chmodSync, renameSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { keyTls } from '../../lib/access/handshake.ts';
import { identityOfKey, newKey, parseKeys } from '../../lib/access/key-file.ts';
import { withPassword } from '../../lib/access/password-file.ts';
import type { Address } from '../../lib/cluster/direct/address.ts';
import { certificates, come, fileOf, lineOf, open, refusal } from './entrances.ts';

const listen = async (server: Server | TcpServer): Promise<Address> => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
};

// Argon2 and crowds take long where others use the machine too.
vi.setConfig({ testTimeout: 60_000 });

beforeEach(() => {
  // A key of the developer's own must not be taken for one of the spec's.
  vi.stubEnv('XDG_CONFIG_HOME', '/nonexistent');
  vi.stubEnv('OFFSITE_SECRET_FILE', '');
});

describe('a daemon that knows its users by keys', () => {
  const [ada, bob, root] = [lineOf('ada'), lineOf('bob'), lineOf('root', 'admin')];

  test('lets each in who has one, and knows who he is', async () => {
    const { address, visitors } = await open({ secretFile: fileOf(`# users\n${ada}${bob}\n${root}`) });
    await come(address, { secret: ada });
    await come(address, { secretFile: fileOf(bob) }, { path: '/site?name=x' });
    await come(address, { secret: root }, { path: '/admin' });
    const seen = visitors.map(({ user, domain, by, path }) => [user, domain, by, path]);
    expect(seen).toEqual([
      ['ada', 'use', 'key', '/site'],
      ['bob', 'use', 'key', '/site?name=x'],
      ['root', 'admin', 'key', '/admin'],
    ]);
    expect(visitors[0]!.from).toMatch(/^127\.0\.0\.1:\d+$/);
  });

  test('sends away who has none, a wrong one, or the key of another user under his name', async () => {
    const { address, visitors } = await open({ secretFile: fileOf(ada + bob) });
    const forged = ada.replace('ada', 'bob');
    const [none, wrong, others, stranger] = await Promise.all([
      refusal(address, {}),
      refusal(address, { secret: lineOf('ada') }),
      refusal(address, { secret: forged }),
      refusal(address, { secret: lineOf('eve') }),
    ]);
    expect(none.code).toBe('ERR_OFFSITE_ACCESS_TLS');
    expect(none.message).toContain('offsite keygen');
    expect(wrong.code).toBe('ERR_OFFSITE_ACCESS_KEY');
    expect(others.code).toBe('ERR_OFFSITE_ACCESS_KEY');
    expect(stranger.code).toBe('ERR_OFFSITE_ACCESS_KEY');
    expect(stranger.message).toContain('this key of eve');
    for (const { message } of [wrong, others, stranger]) expect(message).not.toContain(ada.slice(-20).trim());
    expect(visitors).toEqual([]);
    await come(address, { secret: ada });
  });

  test('is steered by administrators only, in whatever way the path is written', async () => {
    const { address, visitors } = await open({ secretFile: fileOf(ada + root) });
    const { code, message } = await refusal(address, { secret: ada }, { path: '/admin' });
    expect(code).toBe('ERR_OFFSITE_ACCESS_DOMAIN');
    expect(message).toContain('offsite keygen --admin');
    for (const path of ['/admin?x', '/admin/x', '/%61dmin', '//admin', '/./admin', '/admin/', '/ADMIN']) {
      expect((await refusal(address, { secret: ada }, { path })).code).toMatch(/_(?:DOMAIN|STRANGER)$/);
    }
    // What a client says of itself is nothing: the daemon's own line counts.
    expect(
      (await refusal(address, { secret: ada.replace(' use ', ' admin ') }, { path: '/admin' })).code,
    ).toBe(code);
    expect(visitors).toEqual([]);
  });

  test('takes a key away and gets a new one while it runs, and lets nobody in by a file that is wrong', async () => {
    const file = fileOf(ada);
    const troubles: string[] = [];
    const { address } = await open(
      { secretFile: file },
      { onTrouble: ({ message }) => troubles.push(message) },
    );
    await come(address, { secret: ada });
    writeFileSync(file, bob);
    expect((await refusal(address, { secret: ada })).code).toBe('ERR_OFFSITE_ACCESS_KEY');
    await come(address, { secret: bob });
    // A second key of the same user, as when one is to be replaced.
    const second = lineOf('bob');
    const other = fileOf(bob + second);
    renameSync(other, file);
    await come(address, { secret: bob });
    await come(address, { secret: second });
    appendFileSync(file, 'offsite-key eve root hunter2\n');
    expect((await refusal(address, { secret: bob })).code).toBe('ERR_OFFSITE_ACCESS_KEY');
    expect(troubles).toHaveLength(1);
    expect(troubles[0]).toContain('line 3');
    expect(troubles[0]).not.toContain('hunter2');
    writeFileSync(file, bob);
    await come(address, { secret: bob });
    chmodSync(file, 0o640);
    expect((await refusal(address, { secret: bob })).code).toBe('ERR_OFFSITE_ACCESS_KEY');
    expect(troubles[1]).toContain(`chmod 600 ${file}`);
  });

  test('does not let anybody in by the ticket of a session that is over', async () => {
    const key = newKey('ada', 'use');
    const file = fileOf(`offsite-key ada use ${key.bytes.toString('base64url')}\n`);
    const { address } = await open({ secretFile: file });
    const first = connect({ ...keyTls(identityOfKey(key), key.bytes), ...address });
    onTestFinished(() => void first.destroy());
    const [session] = (await once(first, 'session')) as [Buffer];
    const { pskCallback: _, ...without } = keyTls(identityOfKey(key), key.bytes);
    const again: TLSSocket = connect({ ...without, ...address, session });
    onTestFinished(() => void again.destroy());
    const end = await new Promise((resolve) => {
      again.once('secureConnect', () => resolve('let in'));
      again.once('error', (error: NodeJS.ErrnoException) => resolve(error.code));
    });
    expect(end).toBe('ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE');
  });

  test("reads a key from the file that OFFSITE_SECRET_FILE names, else from the user's own", async () => {
    const { address, visitors } = await open({ secretFile: fileOf(ada + bob) });
    const file = fileOf(ada, 0o600, 'named');
    vi.stubEnv('OFFSITE_SECRET_FILE', file);
    await come(address, {});
    chmodSync(file, 0o644);
    const { code, message } = await refusal(address, {});
    expect(code).toBe('ERR_OFFSITE_OPTION');
    expect(message).toContain(`chmod 600 ${file}`);
    // Several keys, of which one is meant.
    const both = fileOf(ada + bob);
    expect((await refusal(address, { secretFile: both })).message).toContain('keys of ada, bob');
    await come(address, { secretFile: both, user: 'bob' });
    expect(visitors.map(({ user }) => user)).toEqual(['ada', 'bob']);
    expect(() => parseKeys(ada.slice(0, -3), 'x')).toThrow('line 1 of x is not a key');
  });
});

describe('a daemon that knows its users by certificates', () => {
  test('lets in who has one of its authority for clients, with the name and the domain in it', async () => {
    const own = certificates(
      { name: 'daemon', subject: '/CN=daemon', server: true },
      { name: 'ada', subject: '/CN=ada' },
      { name: 'root', subject: '/OU=offsite-admin/CN=root' },
      { name: 'nameless', subject: '/O=nobody' },
    );
    const foreign = certificates({ name: 'eve', subject: '/OU=offsite-admin/CN=ada' });
    const { ca } = own;
    const ada = lineOf('ada');
    const { address, visitors } = await open({ ...own.of('daemon'), ca, secretFile: fileOf(ada) });
    await come(address, { ...own.of('ada'), ca });
    await come(address, { ...own.of('root'), ca }, { path: '/admin' });
    // Keys come in by the same port.
    await come(address, { secret: ada });
    const seen = visitors.map(({ user, domain, by }) => [user, domain, by]);
    expect(seen).toEqual([
      ['ada', 'use', 'certificate'],
      ['root', 'admin', 'certificate'],
      ['ada', 'use', 'key'],
    ]);
    const refused = await Promise.all([
      refusal(address, { ...foreign.of('eve'), ca }),
      refusal(address, { ...own.of('nameless'), ca }),
      // The daemon's own is not one for clients.
      refusal(address, { ...own.of('daemon'), ca }),
      refusal(address, { ...own.of('ada'), ca: foreign.ca }),
    ]);
    for (const { code } of refused) expect(code).toBe('ERR_OFFSITE_ACCESS_CERTIFICATE');
    expect(refused[3].message).toContain('is not good here');
    expect((await refusal(address, { ...own.of('ada'), ca }, { path: '/admin' })).code).toBe(
      'ERR_OFFSITE_ACCESS_DOMAIN',
    );
    expect((await refusal(address, { secret: lineOf('ada') })).code).toBe('ERR_OFFSITE_ACCESS_KEY');
    expect(visitors).toHaveLength(3);
    // A daemon whose certificate is that of a user: it has no name of a host.
    const impostor = await open({ ...own.of('ada'), ca });
    const error = await refusal(impostor.address, { ...own.of('root'), ca });
    expect(error.code).toBe('ERR_OFFSITE_ACCESS_CERTIFICATE');
    // And one that has keys only.
    const keyed = await open({ secretFile: fileOf(ada) });
    expect((await refusal(keyed.address, { ...own.of('ada'), ca })).code).toBe(
      'ERR_OFFSITE_ACCESS_CERTIFICATE',
    );
  });
});

describe('a daemon that knows its users by passwords', () => {
  const passwords = withPassword(undefined, 'ada', 'admin', 'correct horse');

  test('lets in who knows one, once for many sites, and nobody else', async () => {
    const text = await passwords;
    const file = fileOf(text);
    const { address, visitors } = await open({ passwordFile: file });
    let asked = 0;
    const password = () => {
      asked++;
      return Promise.resolve('correct horse');
    };
    await Promise.all([1, 2, 3].map(() => come(address, { user: 'ada', password })));
    await come(address, { user: 'ada', password }, { path: '/admin' });
    expect(asked).toBe(1);
    const seen = visitors.map(({ user, domain, by }) => [user, domain, by]);
    expect(seen).toEqual(Array(4).fill(['ada', 'admin', 'password']));
    const [wrong, unknown] = await Promise.all([
      refusal(address, { user: 'ada', password: 'battery staple' }),
      refusal(address, { user: 'eve', password: 'battery staple' }),
    ]);
    for (const { code } of [wrong, unknown]) expect(code).toBe('ERR_OFFSITE_ACCESS_PASSWORD');
    expect(unknown.message.replace('eve', 'ada')).toBe(wrong.message);
    expect(wrong.message).not.toContain('battery');
    // A changed password ends what was begun by the old one.
    writeFileSync(file, await withPassword(text, 'ada', 'use', 'another one'));
    expect((await refusal(address, { user: 'ada', password })).code).toBe('ERR_OFFSITE_ACCESS_PASSWORD');
    await come(address, { user: 'ada', password: 'another one' });
    expect(visitors.at(-1)!.domain).toBe('use');
  });

  test('proves itself by its certificate first, where the client has the authority', async () => {
    const own = certificates({ name: 'daemon', subject: '/CN=daemon', server: true });
    const passwordFile = fileOf(await passwords);
    const { address, visitors } = await open({ ...own.of('daemon'), passwordFile });
    const { ca } = own;
    await come(address, { user: 'ada', password: 'correct horse', ca });
    expect(visitors).toHaveLength(1);
    const bare = await open({ passwordFile });
    const { code, message } = await refusal(bare.address, { user: 'ada', password: 'correct horse', ca });
    expect(code).toBe('ERR_OFFSITE_ACCESS_CERTIFICATE');
    expect(message).toContain('has no certificate');
  });

  test('takes none if it has keys only', async () => {
    const { address } = await open({ secretFile: fileOf(lineOf('ada')) });
    const { code } = await refusal(address, { user: 'ada', password: 'x' });
    expect(code).toBe('ERR_OFFSITE_ACCESS_PASSWORD');
  });
});

describe('who dials', () => {
  test('is told in time why there is no way in', async () => {
    const secret = lineOf('ada');
    const nobody = await listen(createTcpServer());
    const silent = await listen(createTcpServer((socket) => socket.on('error', () => {})));
    const page = await listen(createServer((_request, response) => response.end('hello')));
    const rude = await listen(createTcpServer((socket) => socket.destroy()));
    const plain = await open({});
    const ends = await Promise.all([
      refusal({ ...nobody, port: 1 }, { secret }),
      refusal(silent, { secret }, { timeout: 300 }),
      refusal(page, { secret }),
      refusal(page, {}),
      refusal(rude, { secret }, { timeout: 300 }),
      refusal(plain.address, { secret }),
      refusal({ host: 'nowhere.invalid', port: 9 }, { secret }),
    ]);
    expect(ends.map(({ code }) => code.replace('ERR_OFFSITE_ACCESS_', ''))).toEqual([
      'REFUSED',
      'UNREACHABLE',
      'TLS',
      'STRANGER',
      'STRANGER',
      'TLS',
      'UNREACHABLE',
    ]);
    for (const { message } of ends) expect(message).toMatch(/\. [A-Z].*\.$/s);
  });

  test('is told of another version, and gives up at once when he is told to', async () => {
    const key = newKey('ada', 'use');
    const { address } = await open({
      secretFile: fileOf(`offsite-key ada use ${key.bytes.toString('base64url')}`),
    });
    const socket = connect({ ...keyTls(identityOfKey(key), key.bytes, 'offsite-access/0'), ...address });
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL');
    const silent = await listen(createTcpServer((peer) => peer.on('error', () => {})));
    const giveUp = new AbortController();
    const attempt = come(silent, { secret: lineOf('ada') }, { signal: giveUp.signal });
    giveUp.abort(new Error('enough'));
    await expect(attempt).rejects.toThrow('enough');
  });

  test.each([
    [{ secret: 'x', password: 'y' }, 'credentials have a key and a password'],
    [{ password: 'y' }, 'user is missing'],
    [{ user: 'a b' }, 'user is "a b"'],
    [{ user: 'ada' }, 'ada has neither a password nor a key'],
    [{ certfile: 'x' }, 'keyfile is missing'],
    [{ ca: 'x' }, 'certfile is missing'],
    [{ secret: 'hunter2' }, 'line 1 of the text is not a key'],
    [{ secretFile: '/nonexistent/key' }, 'can not be read'],
  ])('can not have %j for credentials', async (credentials, message) => {
    const error = await refusal({ host: '127.0.0.1', port: 1 }, credentials);
    expect(error.code).toBe('ERR_OFFSITE_OPTION');
    expect(error.message).toContain(message);
    expect(error.message).not.toContain('hunter2');
  });
});
