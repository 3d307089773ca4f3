import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { siteTable } from '../../lib/cli/detached/table.ts';
import type { TreeNode } from '../../lib/index.ts';
import type { DetachedSite } from '../../lib/ticket/site-folder.ts';
import { detach, endDetached, saidBy, WAYS } from '../support/detached.ts';
import { waitUntilGone } from '../support/processes.ts';
import { fixture, type Misbehave } from '../support/sites.ts';
import { offsite, start } from './cli.ts';

afterEach(endDetached);

describe.each(WAYS)('a detached site $name', ({ name, unavailable, options, words, env }) => {
  test.skipIf(unavailable !== undefined)('is listed, shown, followed and closed by the shell', async () => {
    const site = detach({ ...options(), name: 'crawler' });
    const module = await site.link<Misbehave>(fixture('misbehave.js'));
    await module.logLines(['one', 'two', 'three']);
    const { pid } = site;
    const run = (...more: string[]) => offsite([...more, ...words()], '', env());

    if (name === 'on this host') {
      const [listed, log, tail] = await Promise.all([
        run('sites'),
        run('logs', 'crawler'),
        run('logs', '-n', '1', String(pid)),
      ]);
      expect(listed.stdout).toMatch(/^NAME +PID +AGE +IDLE +CLIENTS +CALLS +NODE\n/);
      expect(listed.stdout).toMatch(new RegExp(`^crawler +${pid} +\\d+s +- +1 +0 +\\d+\\.`, 'm'));
      expect([log.stdout, tail.stdout]).toEqual(['one\ntwo\nthree\n', 'three\n']);
    }
    const rows = JSON.parse((await run('sites', '--json')).stdout) as DetachedSite[];
    expect(rows.find((row) => row.pid === pid)).toMatchObject({ name: 'crawler', clients: 1, idle: 0 });

    const attached = start(['attach', 'crawler', ...words()], env());
    await attached.until('stdout', /three\n/);
    await attached.until('stderr', /crawler, pid \d+, Node\.js [\d.]+, started .* ago/);
    await module.logLines(['four']);
    await attached.until('stdout', /four\n/);
    attached.child.kill('SIGINT');
    expect((await attached.ended).code).toBe(130);
    expect(await site.ping()).toBeGreaterThan(0);

    const shown = await run('tree', 'crawler', '--json');
    const ticket = await offsite(['tree', '-', '--json', ...words()], await site.ticket(), env());
    for (const { code, stdout } of [shown, ticket]) {
      expect(code).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({ kind: 'site', name: 'crawler', state: 'ready', pid });
      expect((JSON.parse(stdout) as TreeNode).memory).toBeGreaterThan(0);
    }
    const watching = start(['tree', String(pid), '--watch', '--json', '--every', '0.01', ...words()], env());
    await watching.until('stdout', /^(\{.*\n){3}/);
    watching.child.kill('SIGINT');
    expect((await watching.ended).signal).toBe('SIGINT');
    expect(site.state).toBe('ready');

    const following = start(['logs', '-f', 'crawler', ...words()], env());
    await following.until('stdout', /four\n/);
    expect(await run('close', 'crawler')).toMatchObject({
      code: 0,
      stdout: `crawler (pid ${pid}) is closed\n`,
      stderr: '',
    });
    await waitUntilGone([pid!], 1_000);
    // Who follows a log is told of its end by its end.
    expect(await following.ended).toMatchObject({ code: 0, stderr: '' });
    if (name === 'over ssh') return;
    const again = await run('close', 'crawler');
    expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining('no detached site') });
    expect((await run('logs', 'crawler')).stdout).toContain('four\n');
  });
});

describe('the shell', () => {
  test('says so if a site needed a signal, and does not guess which one was meant', async () => {
    const sites = [detach({ name: 'twin' }), detach({ name: 'twin' })];
    await Promise.all(sites.map((site) => site.ready));
    const { code, stderr } = await offsite(['close', 'twin']);
    expect(code).toBe(1);
    for (const { pid } of sites) expect(stderr).toContain(String(pid));
    await (await sites[0]!.link<Misbehave>(fixture('misbehave.js'))).spinSoon();
    while (await sites[0]!.ping({ timeout: 100 }).catch(() => undefined));
    const closed = await offsite(['close', String(sites[0]!.pid)]);
    expect(closed).toMatchObject({ code: 0, stdout: expect.stringContaining('needed SIGTERM') });
  });

  test('clears up after sites that are gone, and keeps their logs for seven days', async () => {
    const site = detach();
    const root = dirname(saidBy(await site.ticket()).folder);
    await site.close();
    const leave = (name: string, age: number): void => {
      const folder = join(root, name);
      mkdirSync(folder, { mode: 0o700 });
      const state = { kind: 'site', pid: 1, name, since: 0, node: '20', protocol: 2 };
      writeFileSync(join(folder, 'state.json'), JSON.stringify(state));
      writeFileSync(join(folder, 'pass.json'), '{}');
      writeFileSync(join(folder, 'log'), 'what it said last\n');
      const then = Date.now() / 1000 - age;
      utimesSync(join(folder, 'log'), then, then);
    };
    leave('youngleftover', 6 * 86_400);
    leave('old--leftover', 8 * 86_400);
    expect(await offsite(['sites'])).toMatchObject({ code: 0 });
    const left = readdirSync(root);
    expect(left).toContain('youngleftover');
    expect(left).not.toContain('old--leftover');
    expect(readdirSync(join(root, 'youngleftover')).sort()).toEqual(['log', 'state.json']);
    expect((await offsite(['logs', 'youngleftover'])).stdout).toBe('what it said last\n');
    rmSync(join(root, 'youngleftover'), { recursive: true });
  });

  test('says that there are none, where a table would be read', async () => {
    const empty = mkdtempSync(join(tmpdir(), 'offsite-spec-'));
    const env = { XDG_RUNTIME_DIR: empty, TMPDIR: empty };
    const { code, stdout, stderr } = await offsite(['sites', '--json'], '', env);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    // Sites of the one who runs this may be there.
    expect(Array.isArray(JSON.parse(stdout))).toBe(true);
    rmSync(empty, { recursive: true });
  });

  test.each([
    [['sites', 'crawler'], 64, 'no operand'],
    [['attach'], 64, 'No site was named'],
    [['close', 'a', 'b'], 64, 'takes one site'],
    [['logs', '-n', 'x', 'a'], 64, '--lines'],
    [['attach', 'no-such-site'], 1, 'There is no detached site "no-such-site"'],
    [['sites', '--host', 'bamse', '--fork', 'no-such-command'], 1, 'no-such-command'],
  ])('refuses %j in a sentence', async (words, code, message) => {
    const ended = await offsite(words);
    expect(ended).toMatchObject({ code, stdout: '' });
    expect(ended.stderr).toContain(message);
    expect(ended.stderr).not.toMatch(/^ +at /m);
  });

  test('explains each command with examples', async () => {
    const commands = ['sites', 'attach', 'close', 'logs'];
    const texts = await Promise.all(commands.map((command) => offsite([command, '--help'])));
    for (const [index, { code, stdout }] of texts.entries()) {
      expect(code).toBe(0);
      expect(stdout).toMatch(new RegExp(`EXAMPLES\n\n {2}offsite ${commands[index]}`));
      expect(stdout).toContain('--host');
    }
  });
});

test('the table of sites is aligned, and lets no name at the terminal', () => {
  const site: DetachedSite = {
    kind: 'site',
    folder: '/x',
    pid: 7,
    name: 'a\u001b[31m',
    since: 0,
    node: '24.1.0',
    protocol: 2,
    clients: 0,
    idle: 3_723_000,
    calls: 0,
  };
  const day = 86_400_000;
  expect(
    siteTable([site, { ...site, name: 'longer name', pid: 12_345, clients: 2 }], 2 * day + 4_000),
  ).toEqual([
    'NAME           PID    AGE   IDLE  CLIENTS  CALLS  NODE',
    'a?[31m           7  2d 4s  1h 2m        0      0  24.1.0',
    'longer name  12345  2d 4s      -        2      0  24.1.0',
  ]);
});
