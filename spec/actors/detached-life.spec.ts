import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { functor, RemoteManager } from '../../lib/index.ts';
import { holdPulse } from '../../lib/ticket/hold-pulse.ts';
import { askPulse, detachedSites } from '../../lib/ticket/site-folder.ts';
import { ticketText } from '../../lib/ticket/ticket.ts';
import { attach, detach, endDetached, killParent, raiseDetached, saidBy } from '../support/detached.ts';
import { alive, descendants, staysAlive, waitUntilGone } from '../support/processes.ts';
import { type Calc, fixture, type Misbehave, rejection } from '../support/sites.ts';

afterEach(endDetached);

const folderOf = async (site: RemoteManager): Promise<string> => saidBy(await site.ticket()).folder;

describe('the folder of a detached site', () => {
  test('and all that is in it is for its user alone, and is gone when the site is', async () => {
    const site = detach();
    const folder = await folderOf(site);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    const names = readdirSync(folder).sort();
    expect(names).toEqual(['door', 'log', 'pass.json', 'pulse', 'state.json']);
    for (const name of names)
      expect([name, statSync(join(folder, name)).mode & 0o777]).toEqual([name, 0o600]);
    await site.close();
    expect(() => statSync(folder)).toThrow('ENOENT');
  });

  test('keeps what the site printed after its end, by JavaScript and past it', async () => {
    const site = detach({ name: 'printer' });
    const folder = await folderOf(site);
    const module = await site.link<Misbehave>(fixture('misbehave.js'));
    await module.logLines(['from JavaScript']);
    await module.printFromGrandchild('from a grandchild');
    await rejection(module.throwUncaught());
    await waitUntilGone([site.pid!], 1_000);
    const log = readFileSync(join(folder, 'log'), 'utf8');
    for (const text of ['from JavaScript\n', 'from a grandchild\n', 'nobody catches this'])
      expect(log).toContain(text);
    expect(readdirSync(folder).sort()).toEqual(['log', 'state.json']);
    rmSync(folder, { recursive: true });
  });
});

describe('a detached site', () => {
  test('is the leader of a session of its own, has no terminal and holds nothing of its parent', async () => {
    const site = detach();
    await site.ready;
    const [, , group, session, terminal] = readFileSync(`/proc/${site.pid}/stat`, 'utf8')
      .replace(/.*\) /, '')
      .split(' ');
    expect([Number(group), Number(session), terminal]).toEqual([site.pid, site.pid, '0']);
    process.kill(site.pid!, 'SIGHUP');
    expect(await site.ping()).toBeGreaterThan(0);
  });

  test.runIf(process.platform === 'linux')(
    'has its secrets on no command line and in no environment',
    async () => {
      const raised = await raiseDetached({});
      const { key, folder, id } = saidBy(raised.ticket);
      const { key: pass } = JSON.parse(readFileSync(join(folder, 'pass.json'), 'utf8')) as { key: string };
      const pids = [raised.pid, raised.parent.pid!, ...descendants(raised.parent.pid!)];
      for (const pid of pids) {
        for (const file of ['cmdline', 'environ']) {
          const text = readFileSync(`/proc/${pid}/${file}`, 'latin1');
          for (const secret of [key, pass, id]) expect(text, `${file} of ${pid}`).not.toContain(secret);
        }
      }
    },
  );

  test('goes on with what a killed client has begun', async () => {
    const raised = await raiseDetached({});
    const { folder } = saidBy(raised.ticket);
    const site = attach(raised.ticket);
    await site.ready;
    expect(await askPulse(folder)).toMatchObject({ clients: 2, calls: 1, idle: 0 });
    await killParent(raised);
    for (;;) {
      // The call goes on, but is nobody's any more.
      const { clients } = (await askPulse(folder))!;
      if (clients === 1) break;
    }
    expect(await (await site.link<Calc>(fixture('calc.js'))).add(2, 3)).toBe(5);
  });

  test('frees what a client held that has gone', async () => {
    const site = detach({ execArgv: ['--expose-gc'] });
    const client = attach(await site.ticket());
    const maker = await client.apply(
      functor(() => {
        const made: WeakRef<object>[] = [];
        Object.assign(globalThis, { made });
        return {
          Thing: class {
            readonly self = made.push(new WeakRef(this));
          },
        };
      }),
    );
    const counter = await site.apply(
      functor(() => ({
        alive(): number {
          const { gc, made } = globalThis as unknown as { gc(): void; made: WeakRef<object>[] };
          gc();
          return made.filter((each) => each.deref() !== undefined).length;
        },
      })),
    );
    const things = await Promise.all([new maker.Thing(), new maker.Thing()]);
    expect(await counter.alive()).toBe(things.length);
    await client.disconnect();
    // What was looked at in a turn is not collected in it.
    let tries = 0;
    while ((await counter.alive()) > 0) expect(++tries).toBeLessThan(100);
  });

  test('is busy, and not out of reach, while its thread is kept', async () => {
    const site = detach();
    const ticket = await site.ticket();
    const client = attach(ticket);
    const module = await client.apply(
      functor(() => ({
        keep(ms: number) {
          const end = Date.now() + ms;
          while (Date.now() < end);
        },
      })),
    );
    // Both the one on this host and the one that a bridge leads to hear these.
    let beats = 0;
    const enough = new Promise<Socket>((resolve, reject) => {
      const pulse = holdPulse(saidBy(ticket).folder, 'x', 5_000, () => ++beats === 12 && resolve(pulse));
      pulse.catch(reject);
    });
    const kept = Promise.resolve(module.keep(2_800));
    // More than two seconds of silence would be too much.
    (await enough).destroy();
    expect(client.health.state).toBe('busy');
    await kept;
    expect(client.health.state).toBe('idle');
  });

  test('ends also for who closes it before it has been reached', async () => {
    const site = detach();
    const ticket = await site.ticket();
    const { pid } = site;
    await site.disconnect();
    await attach(ticket).close();
    await waitUntilGone([pid!], 1_000);
  });

  test('has no command run that only its ticket names', () => {
    const ticket = (fork: string | string[]) =>
      ticketText({
        kind: 'site',
        folder: '/tmp/x',
        id: 'AAAAAAAAAAA',
        key: 'A'.repeat(43),
        name: 'trap',
        host: 'elsewhere',
        fork,
      });
    for (const fork of [['touch', '/tmp/x'], 'touch /tmp/x', 'touch']) {
      expect(() => attach(ticket(fork))).toThrow(
        expect.objectContaining({ code: 'ERR_OFFSITE_TICKET', reason: 'command' }),
      );
    }
  });

  test('lives on whatever strangers say at its door', async () => {
    const site = detach();
    const { folder, id } = saidBy(await site.ticket());
    const knocks = ['GET / HTTP/1.0\r\n\r\n', 'offsitea', `offsitea${id}`, 'x'.repeat(100_000), ''].map(
      async (said) => {
        const socket = connect({ path: join(folder, 'door') });
        socket.on('error', () => {});
        await once(socket, 'connect');
        socket.end(said);
        await new Promise((resolve) => socket.resume().on('close', resolve));
      },
    );
    await Promise.all(knocks);
    expect(await site.ping()).toBeGreaterThan(0);
    expect(await askPulse(folder)).toMatchObject({ clients: 1 });
  });

  test('loads what a client links from the disk of that client', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'offsite-spec-'));
    const write = (name: string, text: string) => {
      mkdirSync(join(folder, name), { recursive: true });
      writeFileSync(join(folder, name, 'package.json'), '{ "type": "module" }');
      writeFileSync(join(folder, name, 'who.ts'), `export const who: string = '${text}';`);
      return pathToFileURL(join(folder, name, 'who.ts'));
    };
    const site = detach();
    const client = attach(await site.ticket());
    type Who = { who: string };
    const [mine, yours] = [write('mine', 'the first'), write('yours', 'the second')];
    expect(await site.link<Who>(mine).who).toBe('the first');
    expect(await client.link<Who>(yours).who).toBe('the second');
    await client.disconnect();
    // What is there is everybody's.
    expect(await site.link<Who>(yours).who).toBe('the second');
    rmSync(folder, { recursive: true });
  });

  test('that nobody came to in the end does not stay', async () => {
    const site = detach({ cwd: '/nowhere/at/all', name: 'unwanted' });
    expect(await rejection(site.ready)).toMatchObject({ code: 'ERR_OFFSITE_FORK', step: 'cwd' });
    expect((await detachedSites()).map(({ name }) => name)).not.toContain('unwanted');
  });
});

describe('a lease', () => {
  test('ends a site that had no client for so long, and none that has one', async () => {
    const site = detach({ idleTimeout: 150 });
    const ticket = await site.ticket();
    const { pid } = site;
    await staysAlive(pid!, 400);
    await site.disconnect();
    const again = attach(ticket);
    await again.ready;
    await staysAlive(pid!, 400);
    await again.disconnect();
    await waitUntilGone([pid!], 3_000);
    expect(await rejection(attach(ticket).ready)).toMatchObject({ reason: 'gone' });
  });

  test('ends a site that is in an endless loop', async () => {
    const raised = await raiseDetached({ idleTimeout: 200 });
    const site = attach(raised.ticket);
    await (await site.link<Misbehave>(fixture('misbehave.js'))).spinSoon();
    while (await site.ping({ timeout: 100 }).catch(() => undefined));
    await killParent(raised);
    expect(alive(raised.pid)).toBe(true);
    await site.disconnect();
    // It is asked to end in order first, which it can't hear.
    await waitUntilGone([raised.pid], 8_000);
  });

  test('is for detached sites', () => {
    expect(() => new RemoteManager({ idleTimeout: 1 })).toThrow(
      expect.objectContaining({ option: 'idleTimeout' }),
    );
    expect(() => new RemoteManager({ detach: true, idleTimeout: 0 })).toThrow('idleTimeout');
  });
});

describe('a ticket', () => {
  test('is refused before anything is started if it is none, or is for a value', () => {
    expect(() => RemoteManager.attach('offsite-ticket:x')).toThrow(
      expect.objectContaining({ reason: 'malformed' }),
    );
    const offer = ticketText({
      kind: 'offer',
      folder: '/x',
      id: 'AAAAAAAAAAA',
      key: 'A'.repeat(43),
      name: 'x',
    });
    expect(() => RemoteManager.attach(offer)).toThrow('take(ticket)');
  });

  test('is only given by a site that is detached, and on terms that can be met', async () => {
    const site = new RemoteManager();
    expect(await rejection(site.ticket())).toMatchObject({ code: 'ERR_OFFSITE_OPTION', option: 'detach' });
    expect(await rejection(site.disconnect())).toMatchObject({ option: 'detach' });
    expect(await site.ping()).toBeGreaterThan(0);
    await site.close();
    const detached = detach();
    for (const terms of [{ expires: -1 }, { expires: new Date('x') }, { once: 'yes' }, { twice: true }])
      expect(await rejection(detached.ticket(terms as never))).toMatchObject({ code: 'ERR_OFFSITE_OPTION' });
  });
});
