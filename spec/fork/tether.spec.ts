import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import type { Command } from '../../lib/fork/fork-method.ts';
import { TETHER_DESCRIPTOR, tether } from '../../lib/fork/tether.ts';
import { killAll, waitUntilGone } from '../support/processes.ts';

const started = new Set<number>();
afterEach(() => {
  killAll(started);
  started.clear();
});

const command = (file: string, ...args: string[]): Command => ({ method: 'spec', file, args });

/** Runs a command on a tether that this process holds. */
const run = (tied: Command): ChildProcess => {
  const { file, args } = tether(tied);
  const child = spawn(file, [...args], { stdio: ['pipe', 'pipe', 'pipe', 'pipe'] });
  started.add(child.pid!);
  return child;
};

const text = async (stream: NodeJS.ReadableStream): Promise<string> => {
  let all = '';
  for await (const chunk of stream) all += String(chunk);
  return all;
};

const ended = async (child: ChildProcess) => {
  const [code] = (await once(child, 'close')) as [number | null];
  return code;
};

const firstLine = async (stream: NodeJS.ReadableStream): Promise<string> => {
  let all = '';
  while (!all.includes('\n')) all += String(((await once(stream, 'data')) as [Buffer])[0]);
  return all.slice(0, all.indexOf('\n'));
};

describe('a tethered command', () => {
  test('gets its words and its input, and its output comes back', async () => {
    const words = ['a b', "it's", '$HOME', '*', '', '"', '-n', '\\'];
    const child = run(command('sh', '-c', 'printf "%s|" "$@"; cat', 'sh', ...words));
    child.stdin!.end('from its input');
    expect(await text(child.stdout!)).toBe(`${words.join('|')}|from its input`);
  });

  test.each([0, 1, 42, 255])('passes its exit code %s through', async (code) => {
    expect(await ended(run(command('sh', '-c', `exit ${code}`)))).toBe(code);
  });

  test('passes on what it says on its standard error', async () => {
    const child = run(command('sh', '-c', 'echo complaint >&2'));
    expect(await text(child.stderr!)).toBe('complaint\n');
  });

  test('that is not there says so and ends with 127', async () => {
    const child = run(command('there-is-no-such-command'));
    const [said, code] = await Promise.all([text(child.stderr!), ended(child)]);
    expect(said).toBe('offsite: command not found: there-is-no-such-command\n');
    expect(code).toBe(127);
  });

  test('does not have the tether itself, so that it can not hold its own end', async () => {
    const child = run(
      command('sh', '-c', `(true <&${TETHER_DESCRIPTOR}) 2>/dev/null && echo open || echo closed`),
    );
    expect(await text(child.stdout!)).toBe('closed\n');
  });

  test('ends when its tether is let go, although it would run on', async () => {
    const child = run(command('sh', '-c', 'echo $$; exec sleep 600'));
    const pid = Number(await firstLine(child.stdout!));
    started.add(pid);
    child.stdio[TETHER_DESCRIPTOR]!.destroy();
    await waitUntilGone([pid, child.pid!], 5_000);
  });

  test('ends when its parent is killed with SIGKILL, although it does not look at its input', async () => {
    const { file, args } = tether(command('sh', '-c', 'echo $$; exec sleep 600'));
    // A parent of its own, which can be killed: it starts the command as a fork method does.
    const parent = spawn(
      process.execPath,
      [
        '-e',
        `const { spawn } = require('node:child_process');
        const [file, ...args] = process.argv.slice(1);
        const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit', 'pipe'], detached: true });
        child.stdout.once('data', (line) => console.log(child.pid + ' ' + line));`,
        '--',
        file,
        ...args,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    started.add(parent.pid!);
    const pids = (await firstLine(parent.stdout)).trim().split(' ').map(Number);
    for (const pid of pids) started.add(pid);
    expect(pids).toHaveLength(2);
    process.kill(parent.pid!, 'SIGKILL');
    await waitUntilGone(pids, 5_000);
  });

  test('leaves no watcher behind when it has ended by itself', async () => {
    const child = run(command('true'));
    const { descendants } = await import('../support/processes.ts');
    const below = descendants(child.pid!);
    expect(await ended(child)).toBe(0);
    await waitUntilGone(below, 5_000);
  });

  test('keeps its method and how to reach its host', () => {
    const elsewhere = () => ({ file: 'ssh', args: [] });
    expect(tether({ ...command('ssh', 'bamse'), elsewhere })).toMatchObject({
      method: 'spec',
      elsewhere,
      file: 'sh',
    });
  });
});
