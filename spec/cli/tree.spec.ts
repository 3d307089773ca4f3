import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TreeNode } from '../../lib/index.ts';
import { linesOf, offsite, root, start } from './cli.ts';

let home = '';
let env: NodeJS.ProcessEnv = {};
let program: ChildProcess;

const run = (body: string) =>
  spawn(
    process.execPath,
    ['--input-type=module', '-e', `import { expose, RemoteManager, Supervisor } from 'offsite';\n${body}`],
    {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'offsite-spec-'));
  env = { XDG_RUNTIME_DIR: home, OFFSITE_CONTROL: '1' };
  program = run(`
    const supervisor = new Supervisor({ name: 'top', children: [{ id: 'calc', start: () => new RemoteManager({ fork: 'sh' }) }] });
    await supervisor.ready;
    await expose();
    console.log('ready');
    process.stdin.resume().on('end', () => process.stdin.destroy());
  `);
  await once(program.stdout!, 'data');
});
afterAll(async () => {
  program.stdin!.end();
  if (program.exitCode === null) await once(program, 'exit');
  rmSync(home, { recursive: true, force: true });
});

describe('offsite tree', () => {
  test('shows a program by its process id', async () => {
    const { code, stdout } = await offsite(['tree', String(program.pid)], '', env);
    expect(code).toBe(0);
    const [head, first, second, third] = stdout.split('\n');
    expect(head).toMatch(/^NAME +KIND +STATE +HOST +FORK +PID +RESTARTS +CALLS +MEMORY +UPTIME$/);
    expect(first).toMatch(new RegExp(` root +running .* ${program.pid} .*MiB`));
    expect(second).toMatch(/^└─ top +supervisor one_for_one +running$/);
    expect(third).toMatch(/^ {3}└─ calc +site +up +localhost +sh +\d+ +0 +0 +[\d.]+ MiB +\d+\.\ds$/);
  });

  test('shows all programs that can be asked, as JSON for another program', async () => {
    const { code, stdout } = await offsite(['tree', '--json'], '', env);
    expect(code).toBe(0);
    // Other programs of the one who runs this may be there.
    const trees = linesOf(stdout) as TreeNode[];
    expect(trees.find(({ pid }) => pid === program.pid)).toMatchObject({
      kind: 'root',
      pid: program.pid,
      children: [{ name: 'top', children: [{ name: 'calc', state: 'up' }] }],
    });
  });

  test('shows it again and again with --watch', async () => {
    const { child, until, ended } = start(['tree', '--watch', '--json', '--every', '0.01'], env);
    await until('stdout', /^(\{.*\n){3}/);
    child.kill('SIGINT');
    expect((await ended).signal).toBe('SIGINT');
  });

  test.each([
    [['tree', 'calc'], 1, /There is no detached site "calc"/],
    [['tree', '--host', 'bamse'], 64, /No site on bamse was named/],
    [['tree', 'offsite-ticket:abc'], 64, /A ticket is a secret(?!.*abc)/s],
    [['tree', '-'], 1, /The ticket can not be read/],
    [['tree', '1', '2'], 64, /More than one/],
    [['tree', '--watch'], 64, /draws on a terminal/],
    [['tree', '1'], 1, /The process 1 offers no control socket/],
  ])('refuses %j', async (words, code, message) => {
    const ended = await offsite(words, '', env);
    expect(ended.code).toBe(code);
    expect(ended.stderr).toMatch(message);
  });
});

describe('a program that can be asked', () => {
  test('can from its first supervisor on, ends when it has nothing left to do, and leaves no socket', async () => {
    const child = run(`
      new Supervisor();
      await new Promise((resolve) => setTimeout(resolve, 150));
      const { existsSync } = await import('node:fs');
      console.log(existsSync(process.env.XDG_RUNTIME_DIR + '/offsite/' + process.pid + '.sock'));
    `);
    const [said] = (await once(child.stdout!, 'data')) as [Buffer];
    const [code] = (await once(child, 'exit')) as [number];
    expect(String(said)).toBe('true\n');
    expect(code).toBe(0);
    expect(existsSync(join(home, 'offsite', `${child.pid}.sock`))).toBe(false);
  });
});
