import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import process from 'node:process';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { WebSocket } from 'ws';
import { isLoopback, userIn } from '../../lib/access/same-user.ts';
import type { Address } from '../../lib/cluster/direct/address.ts';
import { come, fileOf, lineOf, open, refusal } from './entrances.ts';

beforeEach(() => {
  vi.stubEnv('XDG_CONFIG_HOME', '/nonexistent');
  vi.stubEnv('OFFSITE_SECRET_FILE', '');
});

/** Asks for a WebSocket as a browser or a script would, with some headers. */
const ask = async ({ host, port }: Address, headers: Record<string, string>): Promise<number> => {
  const asked = request({
    host,
    port,
    path: '/site',
    headers: {
      connection: 'upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      ...headers,
    },
  });
  asked.end();
  const status = await new Promise<number>((resolve, reject) => {
    asked.once('response', (response: IncomingMessage) => resolve(response.statusCode!));
    asked.once('upgrade', (response: IncomingMessage, socket) => {
      socket.destroy();
      resolve(response.statusCode!);
    });
    asked.once('error', reject);
  });
  asked.destroy();
  return status;
};

describe('a daemon without credentials', () => {
  test.each(['127.0.0.1', '::1', 'localhost'])('lets its own user in at %s, who may do all', async (host) => {
    const { address, visitors } = await open({}, { host });
    const { ends } = await come(address, {});
    await come(address, {}, { path: '/admin' });
    expect(visitors.map(({ user, domain, by }) => [user, domain, by])).toEqual(
      Array(2).fill(['local', 'admin', 'loopback']),
    );
    expect(ends.remotePort).toBe(address.port);
  });

  test.each(['0.0.0.0', '::', '192.0.2.1', 'example.org'])(
    'does not listen at %s, and says which command makes credentials',
    async (host) => {
      const opened = open({}, { host });
      await expect(opened).rejects.toMatchObject({ code: 'ERR_OFFSITE_OPTION', option: 'host' });
      await expect(opened).rejects.toThrow('offsite keygen');
    },
  );

  test('listens everywhere with credentials, and says why if the system does not let it', async () => {
    const secret = lineOf('ada');
    const { address } = await open({ secretFile: fileOf(secret) }, { host: '0.0.0.0' });
    await come({ ...address, host: '127.0.0.1' }, { secret });
    const again = open({}, { at: [{ host: '127.0.0.1', port: address.port }] });
    await expect(again).rejects.toMatchObject({
      code: 'ERR_OFFSITE_DOOR',
      message: expect.stringContaining('a daemon that is there already; stop') as unknown,
    });
  });

  test('refuses pages in browsers, whichever name they have for this host', async () => {
    const { address, visitors } = await open({});
    const { port } = address;
    expect(await ask(address, { origin: 'http://localhost' })).toBe(403);
    expect(await ask(address, { host: `evil.example:${port}` })).toBe(403);
    expect(await ask(address, { host: `127.0.0.1.evil.example:${port}` })).toBe(403);
    expect(await ask(address, { connection: 'close' })).toBe(426);
    expect(visitors).toEqual([]);
    for (const host of [`localhost:${port}`, `127.0.0.1:${port}`, `[::1]:${port}`])
      expect(await ask(address, { host })).toBe(101);
    expect(visitors).toHaveLength(3);
  });

  test.skipIf(process.platform !== 'linux' || process.getuid!() !== 0)(
    'refuses processes of other users, and theirs do not pass for the own one',
    async () => {
      const { address, visitors } = await open({});
      const script = [
        "const { connect } = require('node:net');",
        `const socket = connect(${address.port}, '127.0.0.1');`,
        "socket.write('GET /site HTTP/1.1\\r\\nhost: localhost\\r\\nconnection: upgrade\\r\\nupgrade: websocket\\r\\n' +",
        "'sec-websocket-version: 13\\r\\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\\r\\n\\r\\n');",
        // The second time it is gone before the daemon can look whose it is.
        "socket.on('error', () => {}); process.argv[1] === 'go' ? socket.on('connect', () => setImmediate(() => process.exit())) : socket.pipe(process.stdout);",
      ].join('\n');
      const nobody = (how: string) =>
        spawn(process.execPath, ['-e', script, how], { uid: 65_534, gid: 65_534, cwd: '/', env: {} });
      const child = nobody('stay');
      const [heard] = (await once(child.stdout, 'data')) as [Buffer];
      expect(heard.toString()).toMatch(/^HTTP\/1\.1 401 /);
      child.kill();
      await once(child, 'exit');
      await once(nobody('go'), 'exit');
      await come(address, {});
      expect(visitors).toHaveLength(1);
    },
  );

  test('is found also by who has a key of his own for others', async () => {
    const config = fileOf('', 0o600, 'x').replace(/\/x$/, '');
    const { mkdirSync, writeFileSync } = await import('node:fs');
    mkdirSync(`${config}/offsite`);
    writeFileSync(`${config}/offsite/key`, lineOf('ada'), { mode: 0o600 });
    vi.stubEnv('XDG_CONFIG_HOME', config);
    const { address, visitors } = await open({});
    await come(address, {});
    expect(visitors).toHaveLength(1);
    // One that was named is meant.
    expect((await refusal(address, { secretFile: `${config}/offsite/key` })).code).toBe(
      'ERR_OFFSITE_ACCESS_TLS',
    );
  });
});

describe('what is let in', () => {
  test.each(['without credentials', 'with a key'])('carries bytes both ways, %s', async (how) => {
    const secret = lineOf('ada');
    const plain = how === 'without credentials';
    const { address, visitor } = await open(plain ? {} : { secretFile: fileOf(secret) });
    const came = visitor();
    const { socket } = await come(address, plain ? {} : { secret });
    const { socket: other } = await came;
    // Both are paused: nothing is lost that was said before somebody listens.
    const bytes = randomBytes(1_000_000);
    for (const end of [socket, other]) end.send(bytes, { binary: true }, () => {});
    for (const end of [socket, other] as unknown as WebSocket[]) {
      const message = once(end, 'message');
      end.resume();
      expect(bytes.equals((await message)[0] as Buffer)).toBe(true);
    }
  });
});

describe('the table of TCP sockets', () => {
  const ends = {
    remoteAddress: '127.0.0.1',
    remotePort: 40_000,
    localAddress: '127.0.0.1',
    localPort: 35_000,
  };
  const line = (here: string, there: string, state: string, uid: number) =>
    `   1: ${here} ${there} ${state} 00000000:00000000 00:00000000 00000000  ${uid}        0 1 1 0 20 4 30 10 -1`;
  const [client, server] = ['0100007F:9C40', '0100007F:88B8'];

  test('says whose the other end is, by its own line and no other', () => {
    const table = [line(server, client, '01', 0), line(client, server, '01', 1_000)].join('\n');
    expect(userIn(table, ends)).toBe(1_000);
    const mapped = '0000000000000000FFFF0000';
    expect(userIn(line(mapped + client, mapped + server, '01', 7), ends)).toBe(7);
    expect(userIn(line(`0000000000000000000000AA${client}`, server, '01', 7), ends)).toBeUndefined();
  });

  test("says nothing of one that is closed, which would look like root's", () => {
    for (const state of ['04', '05', '06', '08'])
      expect(userIn(line(client, server, state, 0), ends)).toBeUndefined();
    expect(userIn('', ends)).toBeUndefined();
    expect(userIn(line(client, server, '01', 0), { ...ends, remotePort: undefined })).toBeUndefined();
  });

  test('has loopback for what is of no network', () => {
    const all = [
      '127.0.0.1',
      '127.9.9.9',
      '::1',
      'localhost',
      '::ffff:127.0.0.1',
      '0.0.0.0',
      '::',
      '10.0.0.1',
      '127.0.0.1.x',
    ];
    expect(all.filter(isLoopback)).toEqual(all.slice(0, 5));
  });
});
