import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { alive } from '../support/processes.ts';
import { bin, linesOf, offsite, root, start } from './cli.ts';

const JOBS = 'spec/cli/fixtures/jobs.ts';

const numbers = (count: number) => Array.from({ length: count }, (_, index) => String(index));

let folder: string;
let markers = 0;
/** A path that nothing is at yet. */
const fresh = () => join(folder, `marker-${markers++}`);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'offsite-map-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

describe('offsite map', () => {
  it.each(['virtual', 'sh'])(
    'prints a line for each argument in order, from sites of the kind %s',
    async (fork) => {
      const { code, stdout, stderr } = await offsite([
        'map',
        `${JOBS}#echo`,
        ...numbers(50),
        '-p',
        '3',
        '--fork',
        fork,
      ]);
      expect(stderr).toMatch(/^offsite: 50 inputs, 0 failed, 0 retried, \d sites?, .*\n$/);
      expect(code).toBe(0);
      expect(linesOf(stdout)).toEqual(numbers(50));
    },
  );

  it('prints the same lines, in whatever order, if told so', async () => {
    const { code, stdout } = await offsite(
      ['map', `${JOBS}#echo`, '--unordered', '-p', '2'],
      numbers(500).join('\n'),
    );
    expect(code).toBe(0);
    expect((linesOf(stdout) as string[]).sort((one, other) => Number(one) - Number(other))).toEqual(
      numbers(500),
    );
  });

  it('calls a function of a module that Node has', async () => {
    const { code, stdout } = await offsite(['map', 'node:path#posix.basename', '/a/b', '/c/d.js', '-p', '1']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '"b"\n"d.js"\n' });
  });

  it('agrees with node:crypto on the files of this folder', async () => {
    const files = ['README.md', 'package.json', JOBS, 'examples/checksum.ts'].filter((path) => {
      try {
        return readFileSync(join(root, path)).length > 0;
      } catch {
        return false;
      }
    });
    const { stdout } = await offsite(['map', 'examples/checksum.ts#sha256', ...files, '-p', '2']);
    const sums = files.map((path) => {
      const hash = createHash('sha256').update(readFileSync(join(root, path)));
      return `${hash.digest('hex')}  ${path}`;
    });
    expect(linesOf(stdout)).toEqual(sums);
  });

  it('takes a file of hosts, and a summary as JSON', async () => {
    const hosts = join(folder, 'hosts');
    await writeFile(hosts, '# this one\nlocalhost 2\n');
    const { code, stderr } = await offsite(['map', JOBS, 'a', 'b', 'c', '--hosts', hosts, '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stderr)).toMatchObject({ done: 3, failed: 0, retried: 0, sites: 2 });
  });

  it('prints an input that fails with its error and goes on; the exit code is 1', async () => {
    const { code, stdout } = await offsite(['map', JOBS, '-', '-p', '2'], 'a\nbad\nc\n');
    expect(code).toBe(1);
    expect(linesOf(stdout)).toEqual([
      'A',
      { error: { name: 'RangeError', message: 'no bad', code: 'E_BAD' }, input: 'bad' },
      'C',
    ]);
  });

  it('says once that the function does not exist', async () => {
    const { code, stdout, stderr } = await offsite(['map', `${JOBS}#ecko`, ...numbers(20), '-p', '2']);
    expect({ code, stdout }).toEqual({ code: 64, stdout: '' });
    expect(stderr).toMatch(/^offsite: .* exports no function ecko\.\n {2}→ .*\n$/);
  });

  it('says once that the module can not be loaded', async () => {
    const broken = join(folder, 'broken.mjs');
    await writeFile(broken, "throw new Error('never loads');\n");
    const { code, stdout, stderr } = await offsite(['map', broken, 'a', 'b', '-p', '2']);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('never loads');
    expect(stderr.match(/never loads/g)).toHaveLength(1);
  });

  it('replaces a site that ends itself, and tells of the input that did it', async () => {
    const words = ['map', `${JOBS}#leave`, 'a', 'end', 'b', 'c', '-p', '1', '--fork', 'sh'];
    const { code, stdout, stderr } = await offsite(words);
    expect(code).toBe(1);
    const [a, end, b, c] = linesOf(stdout);
    expect([a, b, c]).toEqual(['a', 'b', 'c']);
    expect(end).toMatchObject({ error: { code: 'ERR_OFFSITE_CRASHED', mayHaveRun: true }, input: 'end' });
    expect(stderr).toMatch(/died at input "end", which is not called again\n/);
    expect(stderr).toContain('2 sites');
  });

  it('loses nothing but a line of log when a site is killed in a call and --retry allows for it', async () => {
    const marker = fresh();
    const inputs = [...numbers(20), marker, ...numbers(20)];
    const words = ['map', `${JOBS}#hold`, ...inputs, '-p', '2', '--fork', 'sh', '--retry', '1', '--verbose'];
    const running = start(words);
    const [, pid] = await running.until('stderr', /holding (\d+)\n/);
    expect(running.output.stderr).toContain(`(pid ${pid}) ready`);
    process.kill(Number(pid), 'SIGKILL');
    const { code, stdout, stderr } = await running.ended;
    expect(code).toBe(0);
    expect(linesOf(stdout)).toEqual([...numbers(20), 'done at last', ...numbers(20)]);
    expect(stderr).toContain(`(pid ${pid}) died at input`);
    expect(stderr).toContain('0 failed, 1 retried, 3 sites');
  });

  it.each(['virtual', 'sh'])(
    'gives up a call that takes too long, with a site of the kind %s',
    async (fork) => {
      const words = ['map', `${JOBS}#spin`, 'a', 'stuck', 'b', '-p', '1', '--timeout', '0.3', '--fork', fork];
      const { code, stdout } = await offsite(words);
      expect(code).toBe(1);
      const [a, stuck, b] = linesOf(stdout);
      expect([a, b]).toEqual(['a', 'b']);
      expect(stuck).toMatchObject({ error: { code: 'ERR_OFFSITE_TIMEOUT' }, input: 'stuck' });
    },
  );

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('ends by %s with every site, though inputs and calls are open', async (signal, expected) => {
    const running = start(['map', `${JOBS}#hold`, '-', '-p', '2', '--fork', 'sh']);
    running.child.stdin.write(`${fresh()}\n${fresh()}\n`);
    const [, one, other] = await running.until('stderr', /holding (\d+)\n[\s\S]*holding (\d+)\n/);
    running.child.kill(signal);
    const { code, stdout } = await running.ended;
    expect({ code, stdout }).toEqual({ code: expected, stdout: '' });
    expect([one, other].filter((pid) => alive(Number(pid)))).toEqual([]);
  });

  it('ends by SIGINT while a site is stuck in a thread of its own', async () => {
    const running = start(['map', `${JOBS}#spin`, '-', '-p', '1', '--fork', 'virtual', '--verbose']);
    running.child.stdin.write('fine\nstuck\n');
    await running.until('stdout', /"fine"\n/);
    running.child.kill('SIGINT');
    expect((await running.ended).code).toBe(130);
  });

  it('ends quietly when its reader has read enough', async () => {
    const endless = `yes | ${process.execPath} ${bin} map ${JOBS}#length - -p 2 --quiet | head -n 3`;
    const shell = spawn('sh', ['-c', endless], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    const [stdout, stderr] = await Promise.all([
      text(shell.stdout),
      text(shell.stderr),
      once(shell, 'close'),
    ]);
    expect({ stdout, stderr }).toEqual({ stdout: '1\n1\n1\n', stderr: '' });
  });

  it.runIf(process.platform === 'linux')(
    'takes 200 000 lines in bounded memory',
    async () => {
      const count = 200_000;
      const running = start(['map', `${JOBS}#length`, '-', '-p', '2', '--fork', 'virtual']);
      let read = 0;
      let peak = 0;
      running.child.stdout.on('data', () => {
        // Near the end, which is as close as one can look from outside.
        const lines = running.output.stdout.length / 4;
        if (lines < count * 0.95 || lines - read < 1000) return;
        read = lines;
        peak = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${running.child.pid}/status`, 'utf8'))?.[1]);
      });
      const line = `${'x'.repeat(999)}\n`.repeat(100);
      for (let sent = 0; sent < count; sent += 100) {
        if (!running.child.stdin.write(line)) await once(running.child.stdin, 'drain');
      }
      running.child.stdin.end();
      const { code, stdout } = await running.ended;
      expect(code).toBe(0);
      expect(stdout).toBe('999\n'.repeat(count));
      // 200 MB went through; what is held is two engines, a window of 128 lines and the buffers between.
      expect(peak).toBeGreaterThan(0);
      expect(peak).toBeLessThan(300_000);
      // Four seconds of work for an idle machine.
    },
    60_000,
  );
});
