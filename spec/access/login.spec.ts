import { once } from 'node:events';
import { type AddressInfo, connect as connectTcp } from 'node:net';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { keyTls, LOGIN, PUBLIC, serverTls } from '../../lib/access/handshake.ts';
import { readFrame, writeFrame } from '../../lib/access/login/frames.ts';
import { answerLogin, beginLogin } from '../../lib/access/login/opaque.ts';
import { proofsFor } from '../../lib/access/login/proofs.ts';
import { Sessions } from '../../lib/access/login/sessions.ts';
import { parsePasswords, withoutPassword, withPassword } from '../../lib/access/password-file.ts';
import type { Address } from '../../lib/cluster/direct/address.ts';
import { come, fileOf, open, refusal } from './entrances.ts';

// Argon2 and crowds take long where others use the machine too.
vi.setConfig({ testTimeout: 60_000 });

beforeEach(() => {
  vi.stubEnv('XDG_CONFIG_HOME', '/nonexistent');
  vi.stubEnv('OFFSITE_SECRET_FILE', '');
});

const PASSWORD = 'correct horse';
const text = withPassword(undefined, 'ada', 'use', PASSWORD);
const daemon = async () => open({ passwordFile: fileOf(await text) });

/** A connection on which a login can be begun; nothing is proved by it. */
const channel = async (address: Address): Promise<TLSSocket> => {
  const socket = connect({ ...keyTls(PUBLIC.identity, PUBLIC.key, LOGIN), ...address });
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {});
  await once(socket, 'secureConnect');
  return socket;
};

/** Somebody who pretends to be a daemon, as all the world can up to this point. */
const pretend = async (
  login: (socket: TLSSocket) => Promise<unknown>,
  named: string[] = [],
): Promise<Address> => {
  const server = createServer(
    serverTls({}, (_socket, identity) => {
      named.push(identity);
      return PUBLIC.key;
    }),
    (socket) => {
      socket.on('error', () => {});
      void login(socket)
        .catch(() => {})
        .finally(() => socket.end());
    },
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
};

describe('a login', () => {
  test('fails if somebody is in the middle, though he passes on all that is said', async () => {
    const { address, visitors } = await daemon();
    const passed: string[] = [];
    const middle = await pretend(async (client) => {
      const server = await channel(address);
      const start = await readFrame(client, 'start');
      writeFrame(server, 'start', start.body);
      const response = await readFrame(server, 'response');
      writeFrame(client, 'response', response.body);
      const finish = await readFrame(client, 'finish');
      writeFrame(server, 'finish', finish.body);
      const end = await readFrame(server, 'welcome', 'wrong');
      passed.push(end.kind);
      writeFrame(client, end.kind, end.body);
    });
    const { code } = await refusal(middle, { user: 'ada', password: PASSWORD });
    expect(code).toBe('ERR_OFFSITE_ACCESS_PASSWORD');
    // The daemon saw that what was shown is not of this channel.
    expect(passed).toEqual(['wrong']);
    expect(visitors).toEqual([]);
    await come(address, { user: 'ada', password: PASSWORD });
  });

  test('is not taken for right by a client who is shown his own proof, or noise', async () => {
    const { setup, verifiers } = parsePasswords(await text, 'x');
    const lasts = Buffer.from([0, 0, 14, 16]);
    for (const answer of ['reflected', 'noise'] as const) {
      const named: string[] = [];
      const liar = await pretend(async (socket) => {
        const { body } = await readFrame(socket, 'start');
        // He has the verifier even, and does not show what the daemon would.
        const exchange = await answerLogin(setup, 'ada', verifiers.get('ada')!.record, body.subarray(0, 96));
        writeFrame(socket, 'response', exchange.response);
        const finish = await readFrame(socket, 'finish');
        expect(exchange.check(finish.body.subarray(0, 64))).toBeDefined();
        const shown = { reflected: finish.body.subarray(64), noise: Buffer.alloc(32) };
        writeFrame(socket, 'welcome', lasts, shown[answer]);
      }, named);
      expect((await refusal(liar, { user: 'ada', password: PASSWORD })).code).toBe(
        'ERR_OFFSITE_ACCESS_PASSWORD',
      );
      // Had it believed him, it would have come again with what the login gave it.
      expect(named).toEqual([PUBLIC.identity]);
    }
  });

  test('answers users that are not there as those that are', async () => {
    const { address } = await daemon();
    const sizes = await Promise.all(
      ['ada', 'eve', 'mallory'].map(async (user) => {
        const socket = await channel(address);
        const { start } = await beginLogin(user, 'guess');
        writeFrame(socket, 'start', start, Buffer.from(user));
        const { body } = await readFrame(socket, 'response');
        writeFrame(socket, 'finish', Buffer.alloc(96, 1));
        const { kind } = await readFrame(socket, 'welcome', 'wrong');
        return [body.length, kind];
      }),
    );
    expect(sizes).toEqual(Array(3).fill([320, 'wrong']));
  });

  test.each<[string, Buffer]>([
    ['too long', Buffer.from([1, 0xff, 0xff, 1, 2, 3])],
    ['of a kind that is not due', Buffer.from([3, 0, 1, 0])],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['empty', Buffer.from([1, 0, 0])],
    ["not OPAQUE's", Buffer.concat([Buffer.from([1, 0, 99]), Buffer.alloc(96, 0xff), Buffer.from('ada')])],
  ])('ends at once when its first message is %s', async (_what, bytes) => {
    const { address, listener } = await daemon();
    const socket = await channel(address);
    socket.resume().write(bytes);
    await once(socket, 'close');
    await vi.waitFor(() => expect(listener.waiting).toBe(0));
  });

  test('can not be done over by what was recorded of another', async () => {
    const { address, visitors } = await daemon();
    const one = await channel(address);
    const exchange = await beginLogin('ada', PASSWORD);
    writeFrame(one, 'start', exchange.start, Buffer.from('ada'));
    const { finish, sessionKey } = exchange.finish((await readFrame(one, 'response')).body)!;
    const shown = [finish, proofsFor(one, sessionKey).client];
    writeFrame(one, 'finish', ...shown);
    expect((await readFrame(one, 'welcome', 'wrong')).kind).toBe('welcome');
    const two = await channel(address);
    writeFrame(two, 'start', exchange.start, Buffer.from('ada'));
    await readFrame(two, 'response');
    writeFrame(two, 'finish', ...shown);
    expect((await readFrame(two, 'welcome', 'wrong')).kind).toBe('wrong');
    expect(visitors).toEqual([]);
  });

  test('is slowed down when there were many, and says when to come again', async () => {
    const { address } = await daemon();
    const ask = async () => {
      const socket = await channel(address);
      writeFrame(socket, 'start', (await beginLogin('ada', 'guess')).start, Buffer.from('ada'));
      const answer = await readFrame(socket, 'response', 'later');
      socket.destroy();
      return answer;
    };
    // All at once, as somebody would who thinks that only those in a row are counted.
    const later = await Promise.any(
      Array.from({ length: 12 }, async () => {
        const { kind, body } = await ask();
        if (kind !== 'later') throw new Error('It was answered.');
        return body.readUInt32BE(0);
      }),
    );
    expect(later).toBeGreaterThan(3_000);
    const { code, message } = await refusal(address, { user: 'ada', password: PASSWORD });
    expect(code).toBe('ERR_OFFSITE_ACCESS_PASSWORD');
    expect(message).toMatch(/Too many passwords were tried for ada .* Try again in \d+ s\.$/);
  });

  test('is needed again after a daemon was started anew, and nobody has to see to it', async () => {
    const passwordFile = fileOf(await text);
    const first = await open({ passwordFile });
    let asked = 0;
    const password = () => {
      asked++;
      return PASSWORD;
    };
    await come(first.address, { user: 'ada', password });
    await first.listener.close();
    for (const { socket } of first.visitors) socket.terminate();
    await open({ passwordFile }, { at: [first.address] });
    await come(first.address, { user: 'ada', password });
    expect(asked).toBe(2);
  });
});

describe('sessions', () => {
  test('end with their time, and with the password', () => {
    let now = 0;
    const sessions = new Sessions(() => now);
    const verifier = { domain: 'use', record: 'x' } as const;
    sessions.begin('ada', verifier, { identity: 'one', key: Buffer.alloc(32, 1) });
    const verifiers = new Map([['ada', verifier]]);
    expect(sessions.find('one', verifiers)).toEqual({ user: 'ada', domain: 'use', key: Buffer.alloc(32, 1) });
    expect(sessions.find('two', verifiers)).toBeUndefined();
    now = 3_599_999;
    expect(sessions.find('one', verifiers)).toBeDefined();
    now = 3_600_000;
    expect(sessions.find('one', verifiers)).toBeUndefined();
    for (let i = 0; i < 5_000; i++)
      sessions.begin('ada', verifier, { identity: String(i), key: Buffer.alloc(32) });
    expect(sessions.size).toBe(4_096);
    expect(sessions.find('4999', new Map([['ada', { domain: 'use', record: 'y' }]]))).toBeUndefined();
    expect(sessions.find('4998', new Map())).toBeUndefined();
  });
});

describe('a file of passwords', () => {
  test('holds nothing by which a password could be shown, and keeps the others and comments', async () => {
    const one = `${await text}# a note\n`;
    const two = await withPassword(one, 'bob', 'admin', 'battery');
    expect(two).not.toContain('battery');
    expect(two.startsWith(one)).toBe(true);
    expect([...parsePasswords(two, 'x').verifiers].map(([user, { domain }]) => [user, domain])).toEqual([
      ['ada', 'use'],
      ['bob', 'admin'],
    ]);
    expect(withoutPassword(two, 'bob')).toBe(one);
    expect(withoutPassword(two, 'eve')).toBeUndefined();
    expect(() => parsePasswords('hunter2\n', 'x')).toThrow('line 1 of x');
    expect(() => parsePasswords('', 'x')).toThrow('offsite passwd USER --file FILE');
  });
});

test('a port that speaks TLS tells one who does not so, in words that he understands', async () => {
  const { address } = await daemon();
  const socket = connectTcp(address);
  onTestFinished(() => void socket.destroy());
  socket.write('hello\n');
  const [heard] = (await once(socket, 'data')) as [Buffer];
  expect(heard.toString()).toMatch(/^HTTP\/1\.1 426 Upgrade Required\r\n/);
});
