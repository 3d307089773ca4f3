import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, inject, test } from 'vitest';
import {
  type ByReference,
  byReference,
  type OfferOptions,
  offer,
  type Remote,
  RemoteManager,
  release,
  retract,
  take,
} from '../../lib/index.ts';
import { detachedSites, sweep } from '../../lib/ticket/site-folder.ts';
import { ticketText } from '../../lib/ticket/ticket.ts';
import { saidBy } from '../support/detached.ts';
import { killAll, waitUntilGone } from '../support/processes.ts';
import { fixture, rejection } from '../support/sites.ts';

type Counter = ByReference<{
  add(more: number): number;
  later(callback: (sum: number) => number): Promise<number>;
  never(): Promise<void>;
}>;

const ssh = inject('ssh');
const started = new Set<ChildProcessWithoutNullStreams>();

afterEach(async () => {
  const pids = [...started].map(({ pid }) => pid!);
  killAll(pids);
  await waitUntilGone(pids, 2_000);
  started.clear();
});

interface Offering {
  child: ChildProcessWithoutNullStreams;
  lines: AsyncIterator<string>;
  tickets: string[];
}

/** A program that offers its counter, or plain data, once for each of the options. */
const offering = async (...offers: { plain?: unknown; options?: OfferOptions }[]): Promise<Offering> => {
  const child = spawn(process.execPath, [fileURLToPath(fixture('offer.js')), JSON.stringify(offers)], {
    stdio: 'pipe',
  });
  started.add(child);
  child.stdin.on('error', () => {});
  const reader: Interface = createInterface(child.stdout);
  const lines = reader[Symbol.asyncIterator]();
  const { value } = (await lines.next()) as { value: string };
  return { child, lines, tickets: JSON.parse(value) as string[] };
};

describe('what this process offers', () => {
  test('is the very value when it is taken here, once', async () => {
    const value = { deep: [new Map()] };
    const ticket = await offer(value);
    expect(await take(ticket)).toBe(value);
    expect(await rejection(take(ticket))).toMatchObject({ code: 'ERR_OFFSITE_TICKET', reason: 'used' });
  });

  test('can be taken many times, until it is retracted', async () => {
    const ticket = await offer('x', { once: false });
    expect([await take(ticket), await take(ticket)]).toEqual(['x', 'x']);
    expect([retract(ticket), retract(ticket)]).toEqual([true, false]);
    expect(await rejection(take(ticket))).toMatchObject({ reason: 'gone' });
  });

  test('expires', async () => {
    const ticket = await offer('x', { expires: new Date(Date.now() - 1) });
    expect(await rejection(take(ticket))).toMatchObject({ reason: 'expired' });
  });

  test('is reached by a site of it, as a reference or as a copy', async () => {
    const calls: number[] = [];
    const ticket = await offer(byReference({ note: (n: number) => calls.push(n) }));
    await using site = new RemoteManager({ fork: 'sh' });
    const offsite = await site.link<typeof import('../../lib/index.ts')>(
      new URL('../../dist/lib/index.js', import.meta.url),
    );
    const taken = (await offsite.take(ticket)) as unknown as Remote<{ note(n: number): number }>;
    expect(await taken.note(7)).toBe(1);
    expect(calls).toEqual([7]);
  });

  test('is refused with options that there are not, and as the ticket of a site', async () => {
    for (const options of [{ once: 1 }, { expires: 0 }, { host: '' }, { host: '-x' }, { hots: 'x' }])
      expect(await rejection(offer(1, options as never)), JSON.stringify(options)).toMatchObject({
        code: 'ERR_OFFSITE_OPTION',
      });
    const site = ticketText({
      kind: 'site',
      folder: '/x',
      id: 'AAAAAAAAAAA',
      key: 'A'.repeat(43),
      name: 'x',
    });
    expect((await rejection(take(site))).message).toContain('RemoteManager.attach');
    expect(() => retract(site)).toThrow('Only the process that has offered');
  });
});

describe('what another process offers', () => {
  test('is a reference that works both ways, or a copy', async () => {
    const { tickets } = await offering({}, { plain: { a: [1, 2] } });
    const counter = await take<Counter>(tickets[0]!);
    expect([await counter.add(2), await counter.add(3)]).toEqual([2, 5]);
    expect(await counter.later((sum) => sum * 2)).toBe(10);
    expect(await take(tickets[1]!)).toEqual({ a: [1, 2] });
    release(counter);
  });

  test('is refused when it was used, retracted, or was never offered', async () => {
    const { child, lines, tickets } = await offering({}, { options: { once: false } });
    await take(tickets[0]!);
    expect(await rejection(take(tickets[0]!))).toMatchObject({ reason: 'used' });
    expect((await take<Counter>(tickets[1]!)).add).toBeDefined();
    child.stdin.write(`retract ${tickets[1]}\n`);
    expect((await lines.next()).value).toBe('true');
    expect(await rejection(take(tickets[1]!))).toMatchObject({ reason: 'gone' });
    const forged = ticketText({ ...saidBy(tickets[0]!), key: Buffer.alloc(32).toString('base64url') });
    expect(await rejection(take(forged))).toMatchObject({ reason: 'forged' });
  });

  test('holds its process only while somebody is connected, and leaves nothing', async () => {
    const { child, tickets } = await offering({}, {});
    const { folder } = saidBy(tickets[0]!);
    expect([statSync(folder).mode & 0o777, statSync(`${folder}/door`).mode & 0o777]).toEqual([0o700, 0o600]);
    expect((await detachedSites()).map((site) => site.folder)).not.toContain(folder);
    const counter = await take<Counter>(tickets[0]!);
    const ended = once(child, 'exit');
    child.stdin.end('done\n');
    expect(await counter.add(1)).toBe(1);
    release(counter);
    expect(await ended).toEqual([0, null]);
    expect(() => statSync(folder)).toThrow('ENOENT');
    expect(await rejection(take(tickets[1]!))).toMatchObject({ reason: 'gone' });
  }, 15_000);

  test('rejects calls when its process is killed, whose folder is swept', async () => {
    const { child, tickets } = await offering({}, {});
    const { folder } = saidBy(tickets[0]!);
    const counter = await take<Counter>(tickets[0]!);
    const call = rejection(counter.never());
    await counter.add(1);
    child.kill('SIGKILL');
    expect(await call).toMatchObject({ code: 'ERR_OFFSITE_CRASHED', mayHaveRun: true });
    expect(await rejection(counter.add(1))).toMatchObject({ code: 'ERR_OFFSITE_CRASHED', mayHaveRun: false });
    expect(await rejection(take(tickets[1]!))).toMatchObject({ reason: 'gone' });
    await sweep();
    expect(readdirSync(dirname(folder)).map((name) => `${dirname(folder)}/${name}`)).not.toContain(folder);
  });

  test.skipIf(ssh.unavailable !== undefined)('is taken over ssh if its ticket names a host', async () => {
    if (ssh.unavailable !== undefined) return;
    const way = { fork: 'ssh', sshOptions: ssh.options };
    const { tickets } = await offering(
      { options: { host: ssh.host } },
      {},
      { plain: 1, options: { host: ssh.host } },
    );
    const counter = await take<Counter>(tickets[0]!, way);
    expect(await counter.add(4)).toBe(4);
    expect(await counter.later((sum) => sum + 1)).toBe(5);
    release(counter);
    expect(await take(tickets[2]!, way)).toBe(1);
    expect(await rejection(take(tickets[0]!, way))).toMatchObject({ reason: 'used' });
    expect(await (await take<Counter>(tickets[1]!, { ...way, host: ssh.host })).add(1)).toBe(5);
  });
});
