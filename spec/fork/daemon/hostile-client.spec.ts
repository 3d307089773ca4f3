import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { dial } from '../../../lib/access/dial.ts';
import { connectionOf } from '../../../lib/wire/link/websocket.ts';
import { closeDaemons, openDaemon, startOf, visit } from '../../actors/daemon/support.ts';

const folder = mkdtempSync(join(tmpdir(), 'offsite-spec-'));
afterEach(async () => {
  await closeDaemons();
  rmSync(folder, { recursive: true, force: true });
});

/** An option of Node.js by which a process runs a text before anything else. */
const first = (text: string): { execArgv: string[] } => ({
  execArgv: [`--import=data:text/javascript,${encodeURIComponent(text)}`],
});

/** Bytes that a client has let a daemon take, as soon as it takes no more for half a second. */
const whenStuck = async (count: () => number): Promise<number> => {
  for (let before = -1; ; ) {
    const now = count();
    if (now === before && now > 0) return now;
    before = now;
    await delay(500);
  }
};

describe('A client who has come in', () => {
  test('and reads nothing holds up the site that prints, and not the memory of the daemon', async () => {
    const daemon = await openDaemon();
    const file = join(mkdtempSync(join(tmpdir(), 'offsite-spec-')), 'printed');
    const { socket } = await dial(daemon.addresses[0]!, { path: '/site' });
    const text = `
      import { writeSync, writeFileSync } from 'node:fs';
      const line = 'x'.repeat(65_535) + '\\n';
      for (let mebibytes = 1; mebibytes <= 128; mebibytes++) {
        for (let lines = 0; lines < 16; lines++)
          for (let left = line; left.length > 0; )
            try {
              left = left.slice(writeSync(2, left));
            } catch (cause) {
              if (cause.code !== 'EAGAIN') throw cause;
            }
        writeFileSync(${JSON.stringify(file)}, String(mebibytes));
      }`;
    socket.send(Buffer.from(JSON.stringify(startOf('loud', first(text)))), { binary: false }, () => {});
    const printed = () => (existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0);
    // What the kernel takes is not much, and no concern of the daemon's.
    expect(await whenStuck(printed)).toBeLessThan(32);
    socket.terminate();
    await daemon.drain();
    rmSync(join(file, '..'), { recursive: true });
  });

  test('and says more than a message may have is sent away before it is in memory', async () => {
    const daemon = await openDaemon();
    const { socket } = await dial(daemon.addresses[0]!, { path: '/site' });
    const closed = new Promise<void>((resolve) => {
      socket.on('close', resolve);
    });
    socket.resume();
    // The head of a message of a gibibyte, of which nothing follows.
    connectionOf(socket).write(Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0x3f, 0xff, 0xff, 0xff, 0, 0, 0, 0]));
    await closed;
  });

  test('and says much while he waits for a slot is sent away', async () => {
    const daemon = await openDaemon({ cpus: 0 });
    const client = await visit(daemon, '/site');
    client.say(startOf('waits', { waits: true }));
    for (let count = 0; count < 100; count++) client.say({ signal: 'SIGTERM' });
    await client.closed();
    expect(daemon.clients()).toEqual([]);
  });

  test('is not taken for gone while his site, which does not read, holds him up', async () => {
    const daemon = await openDaemon({ zombieInterval: 400 });
    const { socket } = await dial(daemon.addresses[0]!, { path: '/site' });
    const said: string[] = [];
    const awake = new Promise<void>((resolve, reject) => {
      socket.on('message', (data, isBinary) => {
        if (isBinary) return;
        said.push(String(data));
        if (said.join('').includes('awake')) resolve();
      });
      socket.on('close', () => reject(new Error('The daemon has hung up.')));
    });
    socket.resume();
    const text = `
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_500);
      process.stderr.write('awake\\n');`;
    socket.send(Buffer.from(JSON.stringify(startOf('deaf', first(text)))), { binary: false }, () => {});
    for (let count = 0; count < 64; count++) socket.send(Buffer.alloc(65_536), { binary: true }, () => {});
    await awake;
    socket.terminate();
    await daemon.drain();
  });

  test('and is gone at any step of a start leaves neither slot, nor site, nor client', async () => {
    const daemon = await openDaemon({ cpus: 2 });
    for (let step = 0; step < 24; step++) {
      const client = await visit(daemon, '/site');
      client.say(startOf('short', { bridge: step % 3 === 2 }));
      // After so many turns: between the wish, the folder, the process and the word that it runs.
      for (let turns = 0; turns < step * 2; turns++) await new Promise((resolve) => setImmediate(resolve));
      if (step % 4 === 3) await delay(step);
      client.hangUp();
    }
    await expect.poll(() => daemon.clients(), { timeout: 5_000 }).toEqual([]);
    expect(daemon.status().free).toBe(2);
    await daemon.drain();
  });
});
