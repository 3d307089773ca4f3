import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { withPassword } from '../../lib/access/password-file.ts';
import { attack, come, type Entrance, fileOf, lineOf, open, refusal } from './entrances.ts';

const ada = lineOf('ada');
const CROWD = 10_000;
const WITHIN = 100;

// Argon2 and crowds take long where others use the machine too.
vi.setConfig({ testTimeout: 60_000 });

beforeEach(() => {
  vi.stubEnv('XDG_CONFIG_HOME', '/nonexistent');
  vi.stubEnv('OFFSITE_SECRET_FILE', '');
});

const descriptors = (): number => readdirSync('/proc/self/fd').length;
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Holds connections open in other processes, as many in each as its descriptors allow. */
const crowd = async (port: number, count: number, bytes: number): Promise<void> => {
  const most = Number(execFileSync('sh', ['-c', 'ulimit -n'], { encoding: 'utf8' })) || count;
  const each = Math.min(count, Math.max(100, most - 100));
  const script = fileURLToPath(new URL('./silent-crowd.js', import.meta.url));
  const children: ChildProcess[] = [];
  onTestFinished(async () => {
    const ends = children.filter((child) => child.exitCode === null).map((child) => once(child, 'exit'));
    for (const child of children) child.stdin!.end();
    await Promise.all(ends);
  });
  for (let left = count; left > 0; left -= each) {
    const words = [script, ...[port, Math.min(left, each), bytes].map(String)];
    const child = spawn(process.execPath, words, { stdio: ['pipe', 'pipe', 'inherit'] });
    children.push(child);
    await once(child.stdout, 'data');
  }
};

/** How long each of some visits took, in milliseconds, the quickest first: the machine is not ours alone. */
const visits = async ({ address }: Entrance, count = 5): Promise<number[]> => {
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const start = performance.now();
    const { socket } = await come(address, { secret: ada });
    times.push(performance.now() - start);
    socket.terminate();
  }
  return times.sort((a, b) => a - b);
};

/** What a client says who is let in, as somebody records it who sees the network. */
const recorded = async ({ address }: Entrance): Promise<Buffer> => {
  const said: Buffer[] = [];
  const recorder = createServer((client) => {
    const server = connect(address);
    client.on('data', (chunk: Buffer) => said.push(chunk));
    client.pipe(server).pipe(client);
    for (const end of [client, server]) end.on('error', () => {});
  });
  recorder.listen(0, '127.0.0.1');
  await once(recorder, 'listening');
  const { socket } = await come(
    { host: '127.0.0.1', port: (recorder.address() as AddressInfo).port },
    { secret: ada },
  );
  socket.terminate();
  recorder.close();
  await once(recorder, 'close');
  return Buffer.concat(said);
};

/** The length of the first record of TLS, which is the client's hello. */
const helloSize = (said: Buffer): number => 5 + said.readUInt16BE(3);

describe('a daemon with credentials', () => {
  test('lets the right ones in within 100 ms while 10,000 connections say nothing', async () => {
    const entrance = await open({ secretFile: fileOf(ada) });
    await visits(entrance, 2);
    await crowd(entrance.address.port, CROWD, 0);
    const [best] = await visits(entrance);
    expect(best).toBeLessThan(WITHIN);
    expect(entrance.listener.waiting).toBeLessThanOrEqual(1_024);
  });

  test('lets the right ones in while as many have begun to say something and do not go on', async () => {
    const entrance = await open({ secretFile: fileOf(ada) });
    await visits(entrance, 2);
    await crowd(entrance.address.port, 3_000, 1);
    const [best] = await visits(entrance);
    expect(best).toBeLessThan(WITHIN);
    expect(entrance.listener.waiting).toBeLessThanOrEqual(1_024);
  });

  test('sends away who says nothing, begins and does not go on, or is proved and asks for nothing', async () => {
    const entrance = await open({ secretFile: fileOf(ada) }, { lobby: { silentFor: 50, busyFor: 100 } });
    const said = await recorded(entrance);
    const before = entrance.visitors.length;
    await Promise.all([
      attack(entrance.address, Buffer.alloc(0)),
      attack(entrance.address, said.subarray(0, 1)),
      attack(entrance.address, said.subarray(0, helloSize(said) - 1)),
      attack(entrance.address, said.subarray(0, helloSize(said))),
      attack(entrance.address, Buffer.from('GET / HTTP/1.1\r\n')),
    ]);
    await vi.waitFor(() => expect(entrance.listener.waiting).toBe(0));
    expect(entrance.visitors).toHaveLength(before);
    await come(entrance.address, { secret: ada });
  });

  test('is not impressed by what was recorded, what it said itself, what is too large, or what is noise', async () => {
    const passwordFile = fileOf(await withPassword(undefined, 'ada', 'use', 'x'));
    const entrance = await open({ secretFile: fileOf(ada), passwordFile });
    const said = await recorded(entrance);
    const hello = said.subarray(0, helloSize(said));
    const echo = (socket: Socket, chunk: Buffer) => socket.write(chunk);
    const round = async () => {
      const tooLarge = Buffer.concat([Buffer.from([0x16, 3, 1, 0xff, 0xff]), Buffer.alloc(70_000, 1)]);
      const heard = await Promise.all([
        attack(entrance.address, said),
        attack(entrance.address, Buffer.concat([said, said])),
        attack(entrance.address, hello, echo),
        attack(entrance.address, tooLarge),
        attack(entrance.address, Buffer.alloc(200_000, 0x41)),
        attack(entrance.address, Buffer.from('GET /site HTTP/1.1\r\nupgrade: websocket\r\n\r\n')),
        refusal(entrance.address, { secret: lineOf('ada') }),
        refusal(entrance.address, { secret: lineOf('bob') }),
        refusal(entrance.address, { secret: ada.replace('ada', 'bob') }),
      ]);
      expect(heard[5]!.toString()).toMatch(/^HTTP\/1\.1 426 /);
    };
    await round();
    await round();
    const visitors = entrance.visitors.length;
    await vi.waitFor(() => expect(entrance.listener.waiting).toBe(0));
    collect();
    const [files, { heapUsed }] = [descriptors(), process.memoryUsage()];
    for (let i = 0; i < 20; i++) await round();
    expect(entrance.visitors).toHaveLength(visitors);
    await vi.waitFor(() => expect(entrance.listener.waiting).toBe(0));
    await vi.waitFor(() => expect(descriptors()).toBeLessThanOrEqual(files));
    // 180 attacks, each of which would have left at least a socket, a timer and what Node.js has for TLS (above 10 KB).
    await vi.waitFor(() => {
      collect();
      expect(process.memoryUsage().heapUsed - heapUsed).toBeLessThan(1024 * 1024);
    });
    const [best] = await visits(entrance);
    expect(best).toBeLessThan(WITHIN);
  });
});
