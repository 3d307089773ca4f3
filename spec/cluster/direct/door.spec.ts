import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { connect as connectTls } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { chooseAddress } from '../../../lib/cluster/direct/address.ts';
import { dialTls } from '../../../lib/cluster/direct/handshake.ts';
import { Peer } from '../../../lib/module/peer.ts';
import { openWebSocket } from '../../../lib/wire/link/websocket.ts';
import { signalled } from '../../support/lines.ts';
import { descriptors, gone, type Main, main, makeMembers, until } from './members.ts';

const { membership, open, own, dial, bare } = makeMembers();

const six = Object.values(networkInterfaces()).some((all) => all?.some(({ family }) => family === 'IPv6'));

describe('a door', () => {
  test('is on the loopback and any free port if nobody says otherwise', async () => {
    const [one, two] = [await open(), await open()];
    expect([one.address.host, two.address.host]).toEqual(['127.0.0.1', '127.0.0.1']);
    expect(one.address.port).not.toBe(two.address.port);
  });

  test('is on the port that it was told', async () => {
    const door = await open();
    const { address } = door;
    await door.close();
    const again = await open({ bind: `127.0.0.1:${address.port}` });
    expect(again.address).toEqual(address);
  });

  test.runIf(six)('can be on an IPv6 address', async () => {
    const { address } = await open({ bind: '[::1]' });
    expect(address.host).toBe('::1');
    expect(await (await dial(address)).main.add(1, 2)).toBe(3);
  });

  test.each(six ? ['0.0.0.0', '[::]'] : ['0.0.0.0'])(
    'on all addresses (%s) tells one by which it is reached',
    async (bind) => {
      const { address } = await open({ bind });
      expect(address.host).toBe(chooseAddress(bind.replace(/[[\]]/g, ''), networkInterfaces()));
      expect(await (await dial(address)).main.add(1, 2)).toBe(3);
      expect(await (await dial({ host: '127.0.0.1', port: address.port })).main.add(1, 2)).toBe(3);
    },
  );

  test.each([
    ['127.0.0.1:PORT', /has that port/],
    ['192.0.2.1', /does not have that address/],
    ['no-such-host.invalid', /[.] .+[.]$/],
  ])('that can not be at %s says what to do', async (bind, remedy) => {
    const { address } = await open();
    const at = bind.replace('PORT', String(address.port));
    const error = await open({ bind: at }).catch((caught) => caught);
    expect([error.name, error.code, error.bind]).toEqual(['DoorError', 'ERR_OFFSITE_DOOR', at]);
    expect(error.message).toContain(at);
    expect(error.message).toMatch(remedy);
    expect(error.cause).toBeInstanceOf(Error);
  });

  test('counts the members that are in', async () => {
    const door = await open();
    const [one, two] = await Promise.all([dial(door.address), dial(door.address)]);
    await until(() => door.peers === 2);
    await one.close();
    await until(() => door.peers === 1);
    two.drop(new Error('dropped'));
    await until(() => door.peers === 0);
  });

  test('ends all connections when it is closed, and gives its descriptors back', async () => {
    const before = descriptors();
    // Nobody's time is over before the test's.
    const door = await open({ waiting: { waitAtMost: 60_000 } });
    const peers = await Promise.all([dial(door.address), dial(door.address)]);
    const calls = peers.map((peer) => peer.main.never());
    const waits = await bare(door.address);
    const left = gone(waits);
    const closed = Promise.all([door.close(), door.close()]);
    const rejected = await Promise.all(calls.map((call) => call.then(undefined, (error) => error)));
    expect(rejected.map((error) => error.code)).toEqual(['ERR_OFFSITE_CLOSED', 'ERR_OFFSITE_CLOSED']);
    await Promise.all([closed, left, ...peers.map((peer) => peer.closed)]);
    expect(door.peers).toBe(0);
    await until(() => descriptors() <= before);
    await expect(bare(door.address)).rejects.toThrow('ECONNREFUSED');
  });
});

describe('a door that is closed', () => {
  test('waits no longer than a second for a member that does not read', async () => {
    const { tell, told } = signalled<[Peer]>();
    const door = await open({ onPeer: tell });
    const secured = connectTls({ ...dialTls(membership), ...door.address });
    const socket = await openWebSocket('wss://member', { createConnection: () => secured });
    own({ close: () => socket.terminate() });
    const peer = new Peer(socket, { main });
    await peer.ready;
    const [back] = await told;
    socket.pause();
    // More than both kernels keep, in pieces that leave at once.
    const bytes = new Uint8Array(200_000) as never;
    const calls = Array.from({ length: 150 }, () => (back as unknown as Peer<Main>).main.map([], bytes));
    const rejected = Promise.all(calls.map((call) => Promise.resolve(call).catch((error) => error.code)));
    await new Promise((resolve) => setImmediate(resolve));
    const start = performance.now();
    await door.close();
    expect(performance.now() - start).toBeGreaterThan(900);
    expect(new Set(await rejected)).toEqual(new Set(['ERR_OFFSITE_CLOSED']));
  });
});

describe('strangers at a door', () => {
  const sum = async (door: { address: { host: string; port: number } }) =>
    (await dial(door.address)).main.add(20, 22);

  test('28: writing 32 random bytes to the port of every member leaves all of them alive and answering', async () => {
    const doors = await Promise.all(Array.from({ length: 4 }, () => open()));
    const inside = await Promise.all(doors.map((door) => dial(door.address)));
    const before = descriptors();
    const written: string[] = [];
    for (let round = 0; round < 8; round++) {
      await Promise.all(
        doors.map(async (door) => {
          const noise = randomBytes(32);
          written.push(noise.toString('hex'));
          const stranger = await bare(door.address);
          const left = gone(stranger);
          stranger.end(noise);
          await left;
        }),
      );
    }
    const sums = await Promise.all([...inside.map((peer) => peer.main.add(20, 22)), ...doors.map(sum)]);
    expect(sums, `after ${written.join()}`).toEqual(sums.map(() => 42));
    await until(() => descriptors() <= before + 8);
  });

  test('who say nothing, or hold the handshake open, are sent away in time, and all is given back', async () => {
    const door = await open({ waiting: { waitAtMost: 100 } });
    const before = descriptors();
    const silent = await bare(door.address);
    // The head of a TLS record that promises more than ever comes.
    const holds = await bare(door.address);
    holds.write(Buffer.from([22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3]));
    await Promise.all([gone(silent), gone(holds)]);
    await until(() => descriptors() <= before);
    expect(await sum(door)).toBe(42);
  });

  test('who are members and ask for nothing are sent away too', async () => {
    const door = await open({ waiting: { waitAtMost: 100 } });
    const before = descriptors();
    const secured = async (said: string) => {
      const socket = connectTls({ ...dialTls(membership), ...door.address });
      own({ close: () => socket.destroy() });
      socket.on('error', () => {});
      await once(socket, 'secureConnect');
      socket.write(said);
      let heard = '';
      socket.on('data', (chunk: Buffer) => {
        heard += chunk;
      });
      await gone(socket);
      return heard;
    };
    expect(await secured('')).toBe('');
    expect(await secured('GET / HTTP/1.1\r\nhost: a\r\n\r\n')).toContain('426 Upgrade Required');
    expect(
      await secured('GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n'),
    ).toContain('400');
    // What it answers may be lost, because it does not read all.
    await secured(`${'x'.repeat(100_000)}\r\n\r\n`);
    // A WebSocket, and then no greeting.
    const upgrade = `connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: ${'A'.repeat(22)}==`;
    expect(await secured(`GET / HTTP/1.1\r\nhost: a\r\n${upgrade}\r\n\r\n`)).toContain(
      '101 Switching Protocols',
    );
    expect(door.peers).toBe(0);
    await until(() => descriptors() <= before);
    expect(await sum(door)).toBe(42);
  });

  test('who have taken all places lock no member out', async () => {
    const door = await open({ waiting: { mostWaiting: 8, safeFor: 50 } });
    const idle: Socket[] = [];
    for (let i = 0; i < 8; i++) idle.push(await bare(door.address));
    const left = idle.map(gone);
    expect(await sum(door)).toBe(42);
    await Promise.race(left);
  });

  test('may come and go in great numbers in every way', { timeout: 20_000 }, async () => {
    const seed = randomInt(2 ** 31);
    let state = seed;
    const random = (below: number) => {
      state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
      return (state >> 8) % below;
    };
    const door = await open({ waiting: { mostWaiting: 16, safeFor: 20, waitAtMost: 150 } });
    const member = await dial(door.address);
    const before = descriptors();
    const stranger = () =>
      new Promise<void>((resolve) => {
        const socket = connect(door.address.port, door.address.host);
        socket
          .on('error', () => {})
          .on('close', () => resolve())
          .resume();
        const bytes = randomBytes(random(600));
        // So that TLS has something to wait for.
        if (random(2) === 0 && bytes.length > 5) bytes.set([22, 3, 1, random(70), random(256)]);
        socket.once('connect', () => {
          const way = random(4);
          if (way === 0) socket.destroy();
          else if (way === 1) socket.end(bytes);
          else if (way === 2) socket.write(bytes);
          else socket.resetAndDestroy();
        });
      });
    for (let round = 0; round < 10; round++) {
      await Promise.all(Array.from({ length: 40 }, stranger));
      expect(await member.main.add(round, 1), `seed ${seed}`).toBe(round + 1);
    }
    expect(await sum(door), `seed ${seed}`).toBe(42);
    await until(() => descriptors() <= before + 2);
  });
});
