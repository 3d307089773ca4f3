import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { UsageError } from '../../../lib/cli/report.ts';
import { keepPidFile } from '../../../lib/cli/serve/pid-file.ts';

const pidFile = (text?: string): { folder: string; path: string } => {
  const folder = mkdtempSync(join(tmpdir(), 'offsite-pid-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'serve.pid');
  if (text !== undefined) writeFileSync(path, text);
  return { folder, path };
};

/** The id of a process that was there, and has ended. */
const deadPid = async (): Promise<number> => {
  const child = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
  await once(child, 'exit');
  return child.pid!;
};

const ourself = `${process.pid}\n`;

test('a pid file names this process until it is given back, and nothing else is left', () => {
  const { folder, path } = pidFile();
  const giveBack = keepPidFile(path);
  expect(readFileSync(path, 'utf8')).toBe(ourself);
  expect(readdirSync(folder)).toEqual(['serve.pid']);
  giveBack();
  expect(readdirSync(folder)).toEqual([]);
});

test('one whose process has ended, or that names none, is taken over', async () => {
  for (const text of [`${await deadPid()}\n`, '', 'no number', ourself]) {
    const { folder, path } = pidFile(text);
    keepPidFile(path);
    expect(readFileSync(path, 'utf8')).toBe(ourself);
    expect(readdirSync(folder)).toEqual(['serve.pid']);
  }
});

test('one whose process lives is refused, with what to do, and stays as it is', () => {
  const { folder, path } = pidFile(`${process.ppid}\n`);
  expect(() => keepPidFile(path)).toThrow(
    expect.objectContaining({
      message: `${path} says that the process ${process.ppid} serves already, and it lives.`,
      remedy: expect.stringContaining(`rm ${path}`),
    }),
  );
  expect(readFileSync(path, 'utf8')).toBe(`${process.ppid}\n`);
  expect(readdirSync(folder)).toEqual(['serve.pid']);
});

test('a file that has another name in it by now is not removed', () => {
  const { path } = pidFile();
  const giveBack = keepPidFile(path);
  writeFileSync(path, '1\n');
  giveBack();
  expect(readFileSync(path, 'utf8')).toBe('1\n');
});

test('a folder that is not there is told with the option', () => {
  const { folder } = pidFile();
  expect(() => keepPidFile(join(folder, 'nowhere', 'serve.pid'))).toThrow(UsageError);
});
