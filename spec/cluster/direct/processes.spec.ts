import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { createServer } from 'node:tls';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import type { Address } from '../../../lib/cluster/direct/address.ts';
import { dial } from '../../../lib/cluster/direct/dial.ts';
import { certificate } from './certificate.ts';

// Programs of their own run what was built.
const folder = new URL('../../../dist/lib/cluster/direct/', import.meta.url).href;
const membership = { cluster: 'spec', key: randomBytes(32) };
const key = `Buffer.from('${membership.key.toString('hex')}', 'hex')`;

/** A program that opens a door and tells where; it ends with its standard input. */
const MEMBER = `
  const { openDoor } = await import('${folder}door.js');
  const main = {
    pid: () => process.pid,
    block: (ms) => { const end = Date.now() + ms; setImmediate(() => { while (Date.now() < end); }); },
    never: () => new Promise(() => {}),
  };
  const door = await openDoor({ cluster: 'spec', key: ${key}, main });
  console.log(JSON.stringify(door.address));
  process.stdin.on('end', () => process.exit()).resume();`;

interface Main {
  pid(): number;
  block(ms: number): void;
  never(): Promise<never>;
}

const run = (program: string, env = process.env) =>
  promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], { timeout: 10_000, env });

const started: ChildProcess[] = [];
afterEach(async () => {
  await Promise.all(
    started.splice(0).map(async (child) => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    }),
  );
});

const startMember = async () => {
  const child = spawn(process.execPath, ['--input-type=module', '-e', MEMBER], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  started.push(child);
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  return { child, address: JSON.parse(line) as Address };
};

describe('members that are processes', () => {
  test('28: are alive and answer after 32 random bytes were written to the port of each', async () => {
    const members = await Promise.all([startMember(), startMember()]);
    const noise = randomBytes(32);
    await Promise.all(
      members.map(async ({ address }) => {
        const stranger = connect(address.port, address.host)
          .on('error', () => {})
          .resume();
        const gone = once(stranger, 'close');
        stranger.end(noise);
        await gone;
      }),
    );
    for (const { child, address } of members) {
      await using peer = await dial<Main>(address, membership);
      expect(await peer.main.pid(), noise.toString('hex')).toBe(child.pid);
      expect(child.exitCode).toBeNull();
    }
  });

  test('tell those who wait for them of their death', async () => {
    const { child, address } = await startMember();
    const peer = await dial<Main>(address, membership);
    const waits = Promise.resolve(peer.main.never()).catch((error) => error);
    await peer.main.pid();
    child.kill('SIGKILL');
    expect(await waits).toMatchObject({ code: 'ERR_OFFSITE_CRASHED', mayHaveRun: true });
    await peer.closed;
    await expect(dial<Main>(address, membership)).rejects.toMatchObject({ reason: 'refused' });
  });

  test('are out of reach while their loop is blocked, and are reached after it', async () => {
    const { address } = await startMember();
    await using peer = await dial<Main>(address, membership);
    await peer.main.block(600);
    await expect(dial<Main>(address, { ...membership, timeout: 100 })).rejects.toMatchObject({
      reason: 'unreachable',
    });
    await using again = await dial<Main>(address, membership);
    expect(await again.main.pid()).toBe(await peer.main.pid());
  });

  test('are not taken in by a certificate that their host trusts', async () => {
    const authority = join(mkdtempSync(join(tmpdir(), 'offsite-')), 'authority.pem');
    writeFileSync(authority, certificate.cert);
    const server = createServer(certificate, (socket) => socket.on('error', () => {}).resume());
    server.on('tlsClientError', () => {}).listen(0, 'localhost');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const connectTo = (options: string, done: string) => `
      const { dialTls } = await import('${folder}handshake.js');
      const { connect } = await import('node:tls');
      const membership = { cluster: 'spec', key: ${key} };
      const socket = connect({ ${options} host: 'localhost', port: ${port} });
      socket.on('error', (error) => console.log(error.code ?? error.message)).on('secureConnect', () => { ${done} socket.destroy(); });`;
    const env = { ...process.env, NODE_EXTRA_CA_CERTS: authority };
    try {
      // They do trust it.
      expect((await run(connectTo("servername: 'localhost',", "console.log('trusted');"), env)).stdout).toBe(
        'trusted\n',
      );
      const refused = await run(connectTo('...dialTls(membership),', "console.log('taken in');"), env);
      expect(refused.stdout).toBe('DEPTH_ZERO_SELF_SIGNED_CERT\n');
      // Nor if that is how it was told to be: it is the second bolt.
      const trusting = '...dialTls(membership), ca: undefined,';
      const second = await run(connectTo(trusting, "console.log('taken in');"), env);
      expect(second.stdout).toBe('it showed a certificate, and not the key\n');
    } finally {
      server.close();
      rmSync(dirname(authority), { recursive: true });
    }
  });

  test('are not kept alive by a door, nor by a connection on which nobody waits', async () => {
    const { stdout } = await run(`
      const { openDoor } = await import('${folder}door.js');
      const { dial } = await import('${folder}dial.js');
      const membership = { cluster: 'spec', key: ${key} };
      const { promise, resolve } = (() => { let resolve; return { promise: new Promise((r) => { resolve = r; }), resolve }; })();
      const later = (value) => new Promise((r) => setTimeout(r, 50, value).unref());
      const door = await openDoor({ ...membership, main: { later }, onPeer: resolve });
      const peer = await dial(door.address, { ...membership, main: { later } });
      const back = await promise;
      // On another one nobody ever calls.
      await dial(door.address, membership);
      console.log(await peer.main.later('there'), await back.main.later('back'));
      process.on('exit', () => console.log('ended with', door.peers, 'members'));`);
    expect(stdout.trim().split('\n')).toEqual(['there back', 'ended with 2 members']);
  });

  test('load ws only when they open a door or dial one', async () => {
    const { stdout } = await run(`
      await import('${folder}door.js');
      await import('${folder}dial.js');
      const { createRequire } = await import('node:module');
      const { cache } = createRequire('${folder}');
      const loaded = () => Object.keys(cache).some((file) => /[/]ws[/]/.test(file));
      const before = loaded();
      const { openDoor } = await import('${folder}door.js');
      const door = await openDoor({ cluster: 'spec', key: ${key}, main: {} });
      console.log(before, loaded());`);
    expect(stdout.trim()).toBe('false true');
  });
});
