import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { dialIn } from '../../../lib/fork/elastic/dial-in.ts';
import { functionsOf, ProcessExitedException } from '../../../lib/index.ts';
import { joinTicketText, parseJoinTicket } from '../../../lib/ticket/join-ticket.ts';
import { newPass } from '../../../lib/ticket/keys.ts';
import { bin } from '../../cli/cli.ts';
import { alive } from '../../support/processes.ts';
import { fixture, rejection } from '../../support/sites.ts';
import { type Fixture, firstOf, gone, leaving, makeElastic } from './joiners.ts';

const fns = functionsOf<Fixture>(fixture('cluster.js'));
const misbehave = functionsOf<typeof import('../../support/fixtures/misbehave.js')>(fixture('misbehave.js'));
const elastic = makeElastic();

describe('sites that join by themselves', () => {
  test('behaviour 154: what was started with the printed command is active, and terminated once it is removed', async () => {
    const cluster = elastic.cluster();
    const manager = elastic.manager();
    const ids = cluster.addProcs(manager)[Symbol.asyncIterator]();
    const folder = mkdtempSync(join(tmpdir(), 'offsite-path-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'offsite'), `#!/bin/sh\nexec '${process.execPath}' '${bin}' "$@"\n`, {
      mode: 0o700,
    });
    const shell = spawn('sh', [], { env: { ...process.env, PATH: `${folder}:${process.env.PATH}` } });
    const exited = once(shell, 'exit');
    shell.stdin.end(await manager.command());
    expect(await firstOf(ids, 1)).toEqual([2]);
    expect(manager.workers).toEqual({ active: [2], pending: [], terminated: [] });
    const pid = await cluster.remotecallFetch(fns.pid, 2);
    expect(cluster.site(2)?.pid).toBe(pid);
    await cluster.rmProcs(2);
    expect(manager.workers).toEqual({ active: [], pending: [], terminated: [2] });
    await gone(pid);
    expect(await exited).toEqual([0, null]);
  });

  test('come at any time, run what was run everywhere, and call each other without process 1', async () => {
    const cluster = elastic.cluster();
    const manager = elastic.manager();
    const joined: number[] = [];
    cluster.on('join', (id) => joined.push(id));
    const ids = cluster.addProcs(manager)[Symbol.asyncIterator]();
    await cluster.everywhere(fns.keep, { args: ['kept'] });
    elastic.join(await manager.ticket(), '--count', '2');
    const [a, b] = (await firstOf(ids, 2)) as [number, number];
    expect(joined.sort()).toEqual([a, b].sort());
    expect(await cluster.remotecallFetch(fns.keptValue, a)).toBe('kept');
    expect(await cluster.remotecallFetch(fns.callFrom, a, fns.square, b, 9)).toBe(81);
    elastic.join(await manager.ticket(), '--name', 'late');
    const [late] = (await firstOf(ids, 1)) as [number];
    expect(cluster.site(late)?.name).toBe('late');
    expect(await cluster.remotecallFetch(fns.keptValue, late)).toBe('kept');
  });

  test('carry what is large in both directions', async () => {
    const cluster = elastic.cluster();
    const manager = elastic.manager();
    const ids = cluster.addProcs(manager)[Symbol.asyncIterator]();
    elastic.join(await manager.ticket());
    const [id] = (await firstOf(ids, 1)) as [number];
    const bytes = new Uint8Array(20_000_000).map((_, i) => i % 251);
    const back = await cluster.remotecallFetch(fns.same, id, bytes);
    expect(Buffer.compare(back, bytes)).toBe(0);
  });

  test('are processes of two clusters by two tickets, and each knows its own', async () => {
    const clusters = [elastic.cluster(), elastic.cluster()] as const;
    const seen = await Promise.all(
      clusters.map(async (cluster) => {
        const manager = elastic.manager();
        const ids = cluster.addProcs(manager)[Symbol.asyncIterator]();
        elastic.join(await manager.ticket());
        const [id] = (await firstOf(ids, 1)) as [number];
        return cluster.remotecallFetch(fns.pid, id);
      }),
    );
    expect(seen[0]).not.toBe(seen[1]);
    expect(clusters.map((cluster) => cluster.procs)).toEqual([
      [1, 2],
      [1, 2],
    ]);
  });
});

describe('sites that leave', () => {
  test('by kill -9 are told of, and who waits for them gets a ProcessExitedException', async () => {
    const cluster = elastic.cluster();
    const manager = elastic.manager();
    const ids = cluster.addProcs(manager)[Symbol.asyncIterator]();
    const joiner = elastic.join(await manager.ticket());
    const [id] = (await firstOf(ids, 1)) as [number];
    const left = leaving(cluster, id);
    let began!: () => void;
    const running = new Promise<void>((resolve) => {
      began = resolve;
    });
    const call = rejection(cluster.remotecallFetch(fns.never, id, began));
    await running;
    process.kill(cluster.site(id)!.pid!, 'SIGKILL');
    const error = await call;
    expect(error).toBeInstanceOf(ProcessExitedException);
    expect(error).toMatchObject({ id, reason: 'crashed', mayHaveRun: true });
    expect((error.cause as Error).message).toContain('SIGKILL');
    expect(await left).toBe('crashed');
    expect(manager.workers).toEqual({ active: [], pending: [], terminated: [id] });
    const { code, stderr } = await joiner.ended;
    expect(code).toBe(1);
    expect(stderr).toContain('was ended by SIGKILL');
  });

  test('because offsite join was killed leave no process, however busy they are', async () => {
    const cluster = elastic.cluster();
    const manager = elastic.manager();
    const ids = cluster.addProcs(manager)[Symbol.asyncIterator]();
    const joiner = elastic.join(await manager.ticket());
    const [id] = (await firstOf(ids, 1)) as [number];
    const { pid } = cluster.site(id)!;
    cluster.remotecallFetch(misbehave.spin, id).catch(() => {});
    await cluster
      .site(id)!
      .ping({ timeout: 300 })
      .catch(() => {});
    const left = leaving(cluster, id);
    joiner.child.kill('SIGKILL');
    expect(await left).toBe('crashed');
    await gone(pid);
  });

  test('are removed although they never let go of their thread', async () => {
    const cluster = elastic.cluster();
    const manager = elastic.manager();
    const ids = cluster.addProcs(manager)[Symbol.asyncIterator]();
    const joiner = elastic.join(await manager.ticket());
    const [id] = (await firstOf(ids, 1)) as [number];
    const site = cluster.site(id)!;
    cluster.remotecallFetch(misbehave.spin, id).catch(() => {});
    await site.ping({ timeout: 300 }).catch(() => {});
    expect(site.health.state).toBe('busy');
    await site.kill();
    expect(alive(site.pid!)).toBe(false);
    expect((await joiner.ended).code).toBe(0);
  });

  test('in order when offsite join is asked to end', async () => {
    const cluster = elastic.cluster();
    const manager = elastic.manager();
    const ids = cluster.addProcs(manager)[Symbol.asyncIterator]();
    const joiner = elastic.join(await manager.ticket());
    const [id] = (await firstOf(ids, 1)) as [number];
    const { pid } = cluster.site(id)!;
    const left = leaving(cluster, id);
    joiner.child.kill('SIGTERM');
    expect((await joiner.ended).code).toBe(143);
    expect(await left).toBe('crashed');
    await gone(pid);
  });

  test('when their program is gone, and end with 0', async () => {
    const program = spawn(process.execPath, [fixture('elastic.js').pathname]);
    onTestFinished(() => void program.kill('SIGKILL'));
    const said = once(program.stdout.setEncoding('utf8'), 'data') as Promise<[string]>;
    const joiner = elastic.join((await said)[0]);
    const [, pid] = await joiner.until('stderr', /pid (\d+)\) has joined the fixture/);
    program.kill('SIGKILL');
    const { code, stderr } = await joiner.ended;
    expect(code).toBe(0);
    expect(stderr).toContain('the program that it had joined is gone');
    await gone(Number(pid));
  });

  test('by dying join again with --retry', async () => {
    const cluster = elastic.cluster();
    const manager = elastic.manager();
    const ids = cluster.addProcs(manager)[Symbol.asyncIterator]();
    elastic.join(await manager.ticket(), '--retry');
    const [first] = (await firstOf(ids, 1)) as [number];
    process.kill(cluster.site(first)!.pid!, 'SIGKILL');
    const [second] = (await firstOf(ids, 1)) as [number];
    expect(second).toBeGreaterThan(first);
    expect(await cluster.remotecallFetch(fns.square, second, 3)).toBe(9);
  });

  test('are out of reach while they stand still, come back, and are given up at last', async () => {
    const cluster = elastic.cluster();
    const manager = elastic.manager({ heartbeat: 50, unreachableTimeout: 1_000 });
    const ids = cluster.addProcs(manager)[Symbol.asyncIterator]();
    elastic.join(await manager.ticket());
    const [id] = (await firstOf(ids, 1)) as [number];
    const site = cluster.site(id)!;
    const faults = site.faults();
    expect(await faults.next()).toMatchObject({ value: { state: 'ok' } });
    process.kill(site.pid!, 'SIGSTOP');
    expect(await faults.next()).toMatchObject({ value: { state: 'tempFail' } });
    expect(site.health.state).toBe('unreachable');
    process.kill(site.pid!, 'SIGCONT');
    expect(await faults.next()).toMatchObject({ value: { state: 'ok' } });
    const left = leaving(cluster, id);
    process.kill(site.pid!, 'SIGSTOP');
    expect(await left).toBe('unreachable');
    await gone(site.pid);
  });
});

describe('a ticket', () => {
  test('that was never given out is refused in the handshake, and nothing of it is seen at process 1', async () => {
    const cluster = elastic.cluster();
    const manager = elastic.manager();
    const ids = cluster.addProcs(manager)[Symbol.asyncIterator]();
    const good = await manager.ticket();
    for (const forged of [
      { ...parseJoinTicket(good), key: newPass().key },
      { ...parseJoinTicket(good), ...newPass() },
    ]) {
      const { code, stderr } = await elastic.join(joinTicketText(forged)).ended;
      expect(code).toBe(1);
      expect(stderr).toContain('does not know this ticket for the cluster');
      expect(stderr).not.toContain(forged.key);
    }
    expect(manager.workers).toEqual({ active: [], pending: [], terminated: [] });
    elastic.join(good);
    expect(await firstOf(ids, 1)).toEqual([2]);
  });

  test('of another cluster is refused', async () => {
    const [one, other] = [elastic.manager(), elastic.manager()];
    const { host, port } = parseJoinTicket(await one.ticket());
    const stolen = joinTicketText({ ...parseJoinTicket(await other.ticket()), host, port });
    expect((await elastic.join(stolen).ended).stderr).toContain('does not know this ticket');
  });

  test('for one use is used up by who joins first, and one that has expired says so', async () => {
    const cluster = elastic.cluster();
    const manager = elastic.manager();
    const ids = cluster.addProcs(manager)[Symbol.asyncIterator]();
    const once = await manager.ticket({ once: true });
    elastic.join(once);
    expect(await firstOf(ids, 1)).toEqual([2]);
    const second = await elastic.join(once).ended;
    expect(second).toMatchObject({ code: 1 });
    expect(second.stderr).toContain('was for one use and has been used');
    const expired = await manager.ticket({ expires: new Date(Date.now() - 1) });
    expect((await elastic.join(expired).ended).stderr).toContain('has expired');
    expect(await rejection(manager.ticket({ expires: -1 }))).toMatchObject({ option: 'expires' });
  });

  test('says where it was told that the program can be reached', async () => {
    const manager = elastic.manager({ address: 'gate.example' });
    const listens = parseJoinTicket(await elastic.manager().ticket());
    const told = parseJoinTicket(await manager.ticket());
    expect(listens.host).toBe('127.0.0.1');
    expect(told.host).toBe('gate.example');
    expect(told.port).toBeGreaterThan(0);
    const other = elastic.manager({ address: 'gate.example:4711', name: 'mine' });
    expect(parseJoinTicket(await other.ticket())).toMatchObject({ port: 4711, name: 'mine' });
  });
});

describe('an ElasticManager', () => {
  test('is not harmed by who comes without a ticket', async () => {
    const cluster = elastic.cluster();
    const manager = elastic.manager();
    const ids = cluster.addProcs(manager)[Symbol.asyncIterator]();
    const ticket = await manager.ticket();
    const { port } = parseJoinTicket(ticket);
    for (const bytes of ['GET / HTTP/1.1\r\n\r\n', Buffer.alloc(70_000, 0x16)]) {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => {});
      socket.write(bytes);
      await new Promise((resolve) => socket.resume().once('close', resolve));
    }
    elastic.join(ticket);
    expect(await firstOf(ids, 1)).toEqual([2]);
  });

  test('knows those that wait until a cluster wants them, and forgets those that go', async () => {
    const manager = elastic.manager();
    const ticket = parseJoinTicket(await manager.ticket());
    const { channel } = await dialIn(ticket, { host: 'box', pid: 1 });
    expect(manager.workers.pending).toEqual(['box']);
    channel.drop();
    await expect.poll(() => manager.workers.pending).toEqual([]);
    const waits = elastic.join(await manager.ticket());
    await expect.poll(() => manager.workers.pending, { timeout: 5_000 }).toHaveLength(1);
    const ids = elastic.cluster().addProcs(manager)[Symbol.asyncIterator]();
    expect(await firstOf(ids, 1)).toEqual([2]);
    expect(waits.output.stderr).not.toContain('refused');
  });

  test('that says what no ticket holder may say is hung up on', async () => {
    const manager = elastic.manager();
    const ticket = parseJoinTicket(await manager.ticket());
    const { channel } = await dialIn(ticket, { host: 'box', pid: 1 });
    channel.say({ started: { pid: 1 } });
    await channel.closed;
    await expect.poll(() => manager.workers.pending).toEqual([]);
  });

  test('that is closed lets nobody in and leaves those that are in', async () => {
    const cluster = elastic.cluster();
    const manager = elastic.manager();
    const all = cluster.addProcs(manager);
    const ids = all[Symbol.asyncIterator]();
    const ticket = await manager.ticket();
    elastic.join(ticket);
    expect(await firstOf(ids, 1)).toEqual([2]);
    await manager.close();
    expect(await all).toEqual([2]);
    expect((await ids.next()).done).toBe(true);
    const late = await elastic.join(ticket).ended;
    expect(late.code).toBe(1);
    expect(late.stderr).toContain('Nothing listens');
    expect(await cluster.remotecallFetch(fns.square, 2, 4)).toBe(16);
    expect(await rejection(manager.ticket())).toMatchObject({ code: 'ERR_OFFSITE_ELASTIC' });
  });

  test('is of one cluster, and says so', async () => {
    const manager = elastic.manager();
    const cluster = elastic.cluster();
    cluster.addProcs(manager);
    await manager.ticket();
    const second = await rejection(elastic.cluster().addProcs(manager));
    expect(second).toMatchObject({ code: 'ERR_OFFSITE_ADD_PROCS' });
    expect(second.message).toContain('was added to a cluster already');
  });

  test('ends with its cluster', async () => {
    const manager = elastic.manager();
    const cluster = elastic.cluster();
    const all = cluster.addProcs(manager);
    const ticket = await manager.ticket();
    const joiner = elastic.join(ticket);
    await firstOf(all[Symbol.asyncIterator](), 1);
    await cluster.close();
    expect(await all).toEqual([2]);
    expect((await joiner.ended).code).toBe(0);
    expect((await elastic.join(ticket).ended).stderr).toContain('Nothing listens');
  });

  test('refuses options that are none, and what only who starts a site can say', async () => {
    expect(() => elastic.manager({ bind: 'a:b:c' })).toThrow(expect.objectContaining({ option: 'bind' }));
    expect(() => elastic.manager({ port: 1 } as never)).toThrow('There is no option "port"');
    const taken = parseJoinTicket(await elastic.manager().ticket()).port;
    const busy = elastic.manager({ bind: `127.0.0.1:${taken}` });
    expect(await rejection(busy.ticket())).toMatchObject({ code: 'ERR_OFFSITE_DOOR' });
    expect(() => elastic.manager({ heartbeat: 1 })).toThrow(expect.objectContaining({ option: 'heartbeat' }));
    const launched = elastic
      .manager()
      .launch({ defaults: { fork: 'sh' }, signal: new AbortController().signal });
    expect(await rejection(launched.next())).toMatchObject({ option: 'fork' });
  });
});
