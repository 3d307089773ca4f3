import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Door, KNOCK_SIZE, knock, Want } from '../../lib/ticket/door.ts';
import { Keys, newPass, type Pass } from '../../lib/ticket/keys.ts';
import { rejection } from '../support/sites.ts';

const WITHIN = 100;
const MALFORMED = 5;

let folder: string;
let path: string;
let keys: Keys<string>;
let door: Door<string>;
let guests: { socket: Socket; value: string; want: Want }[];
let opened: number;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'offsite-spec-'));
  path = join(folder, 'door');
  keys = new Keys();
  guests = [];
  opened = 0;
  door = new Door(
    path,
    {
      open: (id, key) => {
        opened++;
        return keys.open(id, key);
      },
      welcome: (socket, value, want) => guests.push({ socket, value, want }),
    },
    WITHIN,
  );
  await door.listen();
});
afterEach(() => {
  door.close();
  for (const { socket } of guests) socket.destroy();
  rmSync(folder, { recursive: true });
});

const goTo = (pass: Pass, want: Want = Want.attach) =>
  knock({ folder, name: 'the site', ...pass }, path, { want, timeout: 5_000 });

const stranger = async (): Promise<Socket> => {
  const socket = connect({ path });
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
};

/** All that comes until the other end has enough. */
const answerTo = async (said: Uint8Array): Promise<Buffer> => {
  const socket = await stranger();
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  const closed = new Promise((resolve) => socket.on('close', resolve));
  socket.write(said);
  await closed;
  return Buffer.concat(chunks);
};

describe('a door', () => {
  test('is a socket of its user only', () => {
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test('lets in who has a key, and what is said next reaches its owner whole', async () => {
    const socket = await goTo(keys.issue('a', {}));
    const [guest] = guests;
    expect(guest).toMatchObject({ value: 'a', want: Want.attach });
    guest!.socket.write('to the guest');
    socket.resume().write('to the owner');
    const said = once(socket, 'data');
    const [heard] = (await once(guest!.socket.resume(), 'data')) as [Buffer];
    expect([heard.toString(), String((await said)[0])]).toEqual(['to the owner', 'to the guest']);
    socket.destroy();
  });

  test('tells who is refused why', async () => {
    const used = keys.issue('a', { once: true });
    (await goTo(used)).destroy();
    const gone = keys.issue('a', {});
    keys.retract(gone.id);
    const expired = keys.issue('a', { expires: 1 });
    await new Promise((resolve) => setTimeout(resolve, 3));
    const cases = [
      [newPass(), 'forged'],
      [used, 'used'],
      [gone, 'gone'],
      [expired, 'expired'],
    ] as const;
    for (const [pass, reason] of cases) {
      const error = await rejection(goTo(pass));
      expect(error).toMatchObject({ code: 'ERR_OFFSITE_TICKET', reason });
      expect(error.message).toContain('the site');
    }
    expect(guests).toHaveLength(1);
  });

  test.each([
    ['a stranger’s first word', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['a frame of the protocol', Buffer.from([20, 0, 0, 0, 1, 0, 0, 0])],
    ['one byte that is wrong', Buffer.from([0xff])],
    ['a message that is too long', Buffer.concat([Buffer.from('offsitea'), Buffer.alloc(1_000_000, 1)])],
    ['a wish that there is not', Buffer.concat([Buffer.from('offsite!'), Buffer.alloc(KNOCK_SIZE - 8)])],
  ])('sends %s away without looking for a key', async (_title, said) => {
    expect([...(await answerTo(said))]).toEqual([MALFORMED]);
    expect({ opened, guests }).toEqual({ opened: 0, guests: [] });
  });

  test('waits for the second half of a key, but not for ever', async () => {
    const { id, key } = keys.issue('a', {});
    const said = Buffer.concat([
      Buffer.from('offsitea'),
      Buffer.from(id, 'base64url'),
      Buffer.from(key, 'base64url'),
    ]);
    const slow = await stranger();
    for (const byte of said) slow.write(Buffer.of(byte));
    expect([...((await once(slow, 'data'))[0] as Buffer)]).toEqual([0]);
    slow.destroy();
    expect([...(await answerTo(said.subarray(0, 20)))]).toEqual([]);
  });

  test('has no room for a crowd that says nothing, and lets in who has a key when it is gone', async () => {
    door.close();
    // Nobody is sent away here because of his time.
    const patient = new Door<string>(
      path,
      { open: (id, key) => keys.open(id, key), welcome: (socket) => socket.destroy() },
      60_000,
    );
    await patient.listen();
    const crowd = await Promise.all(Array.from({ length: 40 }, stranger));
    await Promise.all(
      crowd.slice(32).map((socket) => new Promise((resolve) => socket.resume().on('close', resolve))),
    );
    for (const socket of crowd) socket.destroy();
    // Those that went are noticed in turn.
    (await goTo(keys.issue('a', {}))).destroy();
    patient.close();
  });

  test('lets in all of a crowd that has keys, however many come at once', async () => {
    const pass = keys.issue('a', {});
    const all = await Promise.all(Array.from({ length: 150 }, () => goTo(pass)));
    expect(guests.length).toBe(150);
    for (const socket of all) socket.destroy();
  });

  test('is not waited for longer than its guest wants where others stand', async () => {
    door.close();
    const full = new Door<string>(path, { open: () => 'forged', welcome: () => {} }, 60_000);
    await full.listen();
    const crowd = await Promise.all(Array.from({ length: 32 }, stranger));
    const to = { folder, name: 'the site', ...newPass() };
    expect(await rejection(knock(to, path, { timeout: 60 }))).toMatchObject({ code: 'ERR_OFFSITE_TIMEOUT' });
    const giveUp = new AbortController();
    const given = rejection(knock(to, path, { timeout: 5_000, signal: giveUp.signal }));
    giveUp.abort(new Error('no more'));
    expect((await given).message).toBe('no more');
    for (const socket of crowd) socket.destroy();
    full.close();
  });

  test('that is closed leads nowhere', async () => {
    const pass = keys.issue('a', {});
    door.close();
    expect(await rejection(goTo(pass))).toMatchObject({ reason: 'gone' });
    expect(
      await rejection(
        knock({ folder: join(folder, 'x'), name: 'x', ...pass }, join(folder, 'x', 'door'), {
          timeout: 1_000,
        }),
      ),
    ).toMatchObject({ reason: 'gone' });
  });

  test('is not waited for longer than its guest wants', async () => {
    const aborted = AbortSignal.abort(new Error('no more'));
    const pass = keys.issue('a', {});
    const to = { folder, name: 'the site', ...pass };
    expect((await rejection(knock(to, path, { timeout: 1_000, signal: aborted }))).message).toBe('no more');
  });
});
