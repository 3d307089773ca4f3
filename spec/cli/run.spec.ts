import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { waitUntilGone } from '../support/processes.ts';
import type { SshHost } from '../support/sshd.ts';
import { offsite, start } from './cli.ts';

const ssh = inject('ssh');

/** A module with what Node.js itself would not take away: an enum. */
const AREAS = `
import process from 'node:process';
export enum Unit { Metre = 1, Foot = 3 }
export const area = (side: number, unit: Unit): number => side * side * unit;
export const pid = (): number => process.pid;
let loads = 0;
loads++;
export const loaded = (): number => loads;
`;

/** A script that does what its first argument says when it has called its workers. */
const SCRIPT = `
import { currentCluster, functionsOf } from 'offsite/cluster';
import { Unit } from './areas.js';

const cluster = currentCluster();
const fns = functionsOf<typeof import('./areas.ts')>(new URL('./areas.ts', import.meta.url));
const pids: number[] = [];
for (const id of cluster.workers) pids.push(await cluster.remotecallFetch(fns.pid, id));
const [what, ...rest] = process.argv.slice(2) as [string, ...string[]];
console.log(JSON.stringify({
  pids,
  procs: cluster.procs,
  areas: await Promise.all(cluster.procs.map((id) => cluster.remotecallFetch(fns.area, id, id, Unit.Foot))),
  rest,
}));
switch (what) {
  case 'code': process.exitCode = 7; break;
  case 'exit': process.exit(8);
  case 'throw': throw new RangeError('of the script');
  case 'later': setTimeout(() => { throw new RangeError('of a timer'); }, 1); setInterval(() => {}, 1000); break;
  case 'stay': setInterval(() => {}, 1000); break;
  case 'stuck': await new Promise(() => {});
  case 'own': process.once('SIGTERM', () => { console.log('heard'); process.exitCode = 9; clearInterval(timer); });
    const timer = setInterval(() => {}, 1000);
    console.log('listens');
}
`;

let folder: string;
let script: string;

beforeAll(() => {
  // Where no package is installed: the script has that of the command.
  folder = mkdtempSync(join(tmpdir(), 'offsite-script-'));
  script = join(folder, 'script.ts');
  writeFileSync(script, SCRIPT);
  writeFileSync(join(folder, 'areas.ts'), AREAS);
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Said {
  readonly pids: readonly number[];
  readonly procs: readonly number[];
  readonly areas: readonly number[];
  readonly rest: readonly string[];
}
const said = (stdout: string): Said => JSON.parse(stdout.split('\n')[0]!) as Said;

describe('offsite run', () => {
  test('runs a TypeScript script whose cluster is ready, and gives it all words behind its name', async () => {
    const words = ['-p', '2', '--fork', 'sh', script, 'code', '-p', '9', '--help', '--'];
    const { code, stdout, stderr } = await offsite(['run', ...words]);
    expect(stderr).toBe('');
    expect(said(stdout)).toMatchObject({
      procs: [1, 2, 3],
      areas: [3, 12, 27],
      rest: ['-p', '9', '--help', '--'],
    });
    expect(new Set(said(stdout).pids).size).toBe(2);
    expect(code).toBe(7);
    await waitUntilGone(said(stdout).pids, 2_000);
  });

  test('loads modules everywhere first, in threads too', async () => {
    const once = join(folder, 'once.mjs');
    writeFileSync(once, 'globalThis.loaded = (globalThis.loaded ?? 0) + 1;');
    const check = join(folder, 'check.mjs');
    writeFileSync(
      check,
      `import { currentCluster, functionsOf } from 'offsite/cluster';
      const { count } = functionsOf(new URL('./count.mjs', import.meta.url));
      const cluster = currentCluster();
      console.log(await Promise.all(cluster.procs.map((id) => cluster.remotecallFetch(count, id))));`,
    );
    writeFileSync(join(folder, 'count.mjs'), 'export const count = () => globalThis.loaded;');
    const { code, stdout } = await offsite(['run', '--procs=1', '--fork', 'virtual', '-L', once, check]);
    expect(stdout).toBe('[ 1, 1 ]\n');
    expect(code).toBe(0);
  });

  test.each([
    ['throw', 1, 'RangeError: of the script'],
    ['later', 1, 'RangeError: of a timer'],
    ['exit', 8, ''],
    ['stuck', 13, 'the script waits for something that can not come'],
  ])(
    'leaves nothing of a script that ends by %s, and has its exit code %i',
    async (what, status, message) => {
      const { code, stdout, stderr } = await offsite(['run', '-p', '1', '--fork', 'sh', script, what]);
      expect(stderr).toContain(message);
      expect(code).toBe(status);
      await waitUntilGone(said(stdout).pids, 2_000);
    },
  );

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('ends its workers at %s', async (signal, status) => {
    const running = start(['run', '-p', '1', '--fork', 'sh', script, 'stay']);
    const [line] = await running.until('stdout', /^\{.*\}\n/);
    running.child.kill(signal);
    expect(await running.ended).toMatchObject({ code: status });
    await waitUntilGone(said(line).pids, 2_000);
  });

  test('leaves a signal to a script that listens to it', async () => {
    const running = start(['run', '-p', '1', '--fork', 'virtual', script, 'own']);
    await running.until('stdout', /listens/);
    running.child.kill('SIGTERM');
    const { code, stdout } = await running.ended;
    expect(stdout).toContain('heard');
    expect(code).toBe(9);
  });

  test.skipIf(ssh.unavailable !== undefined)('has workers on the machines of a file, by ssh', async () => {
    const { host, config } = ssh as SshHost;
    const machines = join(folder, 'machines');
    writeFileSync(machines, `# two of them\n2*${host}\n`);
    const words = ['run', '--machine-file', machines, script, 'code'];
    const { code, stdout, stderr } = await offsite(words, '', { OFFSITE_SSH: `ssh -F ${config}` });
    expect(stderr).toBe('');
    expect(said(stdout)).toMatchObject({ procs: [1, 2, 3], areas: [3, 12, 27] });
    expect(code).toBe(7);
    await waitUntilGone(said(stdout).pids, 2_000);
  });

  test('says what is wrong with its words, and has help', async () => {
    const wrong = join(folder, 'wrong');
    writeFileSync(wrong, 'bamse\na b c\n');
    const [none, missing, procs, machines, unknown, help] = await Promise.all([
      offsite(['run', '-p', '1']),
      offsite(['run', './no-such-script.ts']),
      offsite(['run', '-p', 'many', script]),
      offsite(['run', '--machine-file', wrong, script]),
      offsite(['run', '--prcos', '1', script]),
      offsite(['run', '--help']),
    ]);
    expect(none).toMatchObject({ code: 64 });
    expect(none.stderr).toContain('There is no script to run');
    expect(missing).toMatchObject({ code: 64 });
    expect(missing.stderr).toContain('There is no script ./no-such-script.ts');
    expect(procs).toMatchObject({ code: 64 });
    expect(procs.stderr).toContain('--procs is "many"');
    expect(machines).toMatchObject({ code: 64 });
    expect(machines.stderr).toContain('Line 2 of the machine file');
    expect(unknown).toMatchObject({ code: 64 });
    expect(help).toMatchObject({ code: 0, stderr: '' });
    expect(help.stdout).toContain('offsite run -p 4 script.ts');
  });
});
