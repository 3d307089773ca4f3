import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { announce, toldOn } from '../../lib/discovery/announce.ts';
import { findNodes } from '../../lib/discovery/find.ts';
import { lanInterfaces } from '../../lib/discovery/interfaces.ts';
import { MulticastSocket } from '../../lib/discovery/multicast-socket.ts';
import { inVain, trialLines } from '../../lib/discovery/report.ts';
import { OptionError } from '../../lib/wire/errors.ts';
import { askName, startNamed } from './nodes.ts';

// All here is within this host: over loopback, where packets of multicast go as elsewhere. Other programs, and other
// specs, may announce themselves there too.
const [lo] = lanInterfaces(['127.0.0.1']);
const interfaces = ['127.0.0.1'];
const packet = createRequire(import.meta.url)('dns-packet') as { encode(message: unknown): Buffer };

const works = lo
  ? await MulticastSocket.open(lo).then(
      (socket) => {
        socket.close();
        return true;
      },
      () => false,
    )
  : false;

/** Sends packets to all who listen on loopback, as anybody can. */
async function sendAll(messages: readonly Buffer[]): Promise<void> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => {
    socket.bind(0, '127.0.0.1', resolve);
  });
  socket.setMulticastInterface('127.0.0.1');
  for (const message of messages) {
    await new Promise((resolve) => {
      socket.send(message, 5353, '224.0.0.251', resolve);
    });
  }
  socket.close();
}

/** An announcement that is made by hand. */
const forged = (id: string, port: number, txt: Record<string, string>, ttl = 120): Buffer => {
  const type = '_offsite._tcp.local';
  const name = `${id}.${type}`;
  return packet.encode({
    type: 'response',
    answers: [
      { name: type, type: 'PTR', ttl, data: name },
      { name, type: 'SRV', ttl, data: { port, target: `${id}.local` } },
      { name, type: 'TXT', ttl, data: Object.entries(txt).map(([key, value]) => `${key}=${value}`) },
    ],
  });
};

describe.skipIf(!works).concurrent('a node in the network', () => {
  it('is found by what it announces, with whether it wants credentials', async () => {
    const server = await startNamed('bamse');
    const { port } = server.address;
    const announcement = await announce({
      name: 'Bamse of ours',
      port,
      version: '0.1.0',
      secured: true,
      interfaces,
    });
    try {
      expect(announcement.on).toMatchObject([{ interface: lo!.name, addresses: ['127.0.0.1', '::1'] }]);
      const search = await findNodes(['auto'], { probe: askName, interfaces });
      const node = search.nodes.find(({ address }) => address.port === port);
      expect(node).toMatchObject({
        name: 'bamse',
        by: 'mdns',
        where: 'auto',
        interface: lo!.name,
        secured: true,
      });
      expect(search.trials).toContainEqual(
        expect.objectContaining({ what: 'multicast', interface: lo!.name, port: 5353, outcome: 'answered' }),
      );
    } finally {
      await announcement.close();
      await server.close();
    }
  });

  it('is found at any port by host:*, and not under another host', async () => {
    const server = await startNamed('bamse');
    const { port } = server.address;
    await using _ = await announce({ name: 'b', port, version: '0.1.0', secured: false, interfaces });
    try {
      const here = await findNodes(['127.0.0.1:*'], { probe: askName, interfaces });
      expect(here.nodes.map(({ address }) => address.port)).toContain(port);
      const probe = () => Promise.reject(new Error('nobody'));
      const elsewhere = await findNodes(['192.0.2.77:*'], { probe, interfaces, timeout: 800 });
      expect(elsewhere.trials.map((trial) => trial.port)).not.toContain(port);
    } finally {
      await server.close();
    }
  });

  it('is announced only where it listens', () => {
    expect(toldOn(lo!, ['0.0.0.0'])).toEqual(['127.0.0.1']);
    const eth = { ...lo!, name: 'eth', addresses: ['192.0.2.5', 'fd00::5', 'fe80::5'], reaches: () => false };
    expect(toldOn(eth, ['::'])).toEqual(['192.0.2.5', 'fd00::5']);
    expect(toldOn(eth, ['127.0.0.1', '::1', '127.0.1.1'])).toEqual([]);
    expect(toldOn(eth, ['192.0.2.5'])).toEqual(['192.0.2.5']);
    // What no interface here has is told everywhere: a router forwards it.
    expect(toldOn(eth, ['203.0.113.9'])).toEqual(['203.0.113.9']);
  });

  it('is told of when it announced itself and can not be used', async () => {
    const server = await startNamed('bamse');
    const { port } = server.address;
    await using _ = await announce({ name: 'b', port, version: '0.1.0', secured: true, interfaces });
    try {
      const probe = () => Promise.reject(new Error('the key is not one of its users’'));
      const search = await findNodes(['auto'], { probe, interfaces });
      expect(search.nodes).toEqual([]);
      expect(trialLines(inVain(search)).join('\n')).toMatch(
        new RegExp(`auto: 127\\.0\\.0\\.1:${port} failed after .*: the key is not one of its users’`),
      );
    } finally {
      await server.close();
    }
  });

  it('of another protocol is told of, and not dialled', async () => {
    const dialled: number[] = [];
    const probe = async ({ port }: { port: number }) => {
      dialled.push(port);
      return { name: 'x', version: '1' };
    };
    const txt = { name: 'old', version: '9.9.9', protocol: '77', secured: 'yes', addresses: '127.0.0.1' };
    const search = findNodes(['auto'], { probe, interfaces, timeout: 1_500 });
    await sendAll([forged('old-1', 7, txt)]);
    const { trials } = await untilSent(search, () => sendAll([forged('old-1', 7, txt)]));
    expect(dialled).not.toContain(7);
    expect(trialLines(trials).join('\n')).toMatch(/old runs version 9\.9\.9, which speaks protocol 77/);
  });

  it('survives and is found among packets that make no sense', async () => {
    const server = await startNamed('bamse');
    const { port } = server.address;
    const good = { version: '1', protocol: '1', secured: 'no' };
    const rubbish = [
      Buffer.from('rubbish'),
      Buffer.alloc(9_000, 0xff),
      forged('evil-1', 0, { ...good, addresses: '127.0.0.1' }),
      forged('evil-2', 7, { ...good, addresses: 'not an address,999.1.1.1' }),
      forged('evil-3', 7, { ...good, protocol: 'x', addresses: '127.0.0.1' }),
      forged('__proto__', 7, { ['__proto__']: 'x', constructor: 'y', addresses: '' }),
      packet.encode({ type: 'query', questions: [{ name: '_offsite._tcp.local', type: 'ANY' }] }),
    ];
    await using _ = await announce({ name: 'b', port, version: '0.1.0', secured: false, interfaces });
    try {
      const asked = new Set<string>();
      const search = findNodes(['auto'], {
        probe: (address, options) => {
          asked.add(`${address.host}:${address.port}`);
          return askName(address, options);
        },
        interfaces,
        timeout: 1_500,
      });
      const { nodes } = await untilSent(search, () => sendAll(rubbish));
      expect(nodes.map(({ address }) => address.port)).toContain(port);
      expect([...asked]).not.toContain('127.0.0.1:7');
      expect([...asked].join()).not.toMatch(/not an address|999/);
    } finally {
      await server.close();
    }
  });

  it('does not keep its program alive, whose last deed need not be to close it', async () => {
    const script = `
      const { announce } = await import(process.argv[1] + '/dist/lib/discovery/announce.js');
      const { watchNodes } = await import(process.argv[1] + '/dist/lib/discovery/watch.js');
      const interfaces = ['127.0.0.1'];
      await announce({ name: 'b', port: 7, version: '1', secured: false, interfaces });
      await watchNodes(['auto'], { interfaces, probe: () => Promise.reject(new Error('no')) });
      console.log('done');
    `;
    const words = ['--input-type=module', '-e', script, process.cwd()];
    const { stdout } = await promisify(execFile)(process.execPath, words, { timeout: 15_000 });
    expect(stdout).toBe('done\n');
  });

  it('refuses to announce what makes no sense', async () => {
    const right = { name: 'b', port: 7, version: '1', secured: false };
    for (const wrong of [{ name: '' }, { port: 0 }, { port: 70_000 }, { interfaces: [''] }]) {
      await expect(announce({ ...right, ...wrong })).rejects.toThrow(OptionError);
    }
  });
});

describe('a search where there is no such interface', () => {
  it('says so at once', async () => {
    const search = await findNodes(['auto'], { probe: askName, interfaces: ['no-such-0'], timeout: 60_000 });
    expect(trialLines(inVain(search))[0]).toMatch(
      /no interface that is up and has the name or address no-such-0/,
    );
  });
});

/** Sends again and again until a search is over: when it begins to listen is not told. */
async function untilSent<T>(search: Promise<T>, send: () => Promise<void>): Promise<T> {
  let isOver = false;
  const result = search.finally(() => {
    isOver = true;
  });
  while (!isOver) {
    await send();
    await Promise.race([result, new Promise((resolve) => setTimeout(resolve, 50))]);
  }
  return result;
}
