import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { killAll, markedProcesses, type ProcessRow, RUN_MARK } from './processes.ts';
import { type SshAccess, type Sshd, startSshd } from './sshd.ts';

declare module 'vitest' {
  interface ProvidedContext {
    ssh: SshAccess;
  }
}

// What a spec has just closed may need a moment to leave the process table.
const LEAVING = 2_000;

/** Starts the one sshd of the run, marks the run, and at its end fails it when a process of it is left. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const mark = randomBytes(8).toString('hex');
  process.env[RUN_MARK] = mark;
  // A developer's own settings must not change what the specs measure.
  for (const name of ['OFFSITE_FORK', 'OFFSITE_ENGINE', 'OFFSITE_SSH']) delete process.env[name];

  // Engines that travelled are kept in the user's cache; the tests' ones shall not be, and the first must travel.
  const cache = mkdtempSync(join(tmpdir(), 'offsite-cache-'));
  process.env.XDG_CACHE_HOME = cache;
  // Neither shall detached sites of theirs be among the user's own.
  const runtime = mkdtempSync(join(tmpdir(), 'offsite-run-'));
  process.env.XDG_RUNTIME_DIR = runtime;

  const sshd: Sshd | { unavailable: string } = await startSshd({
    [RUN_MARK]: mark,
    XDG_CACHE_HOME: cache,
    XDG_RUNTIME_DIR: runtime,
  }).catch((error: unknown) => ({
    unavailable: `No sshd could be started here: ${error instanceof Error ? error.message : String(error)}`,
  }));
  project.provide('ssh', 'unavailable' in sshd ? sshd : sshd.access);

  return async () => {
    const left = await leftOver(mark, 'unavailable' in sshd ? undefined : sshd.pid);
    if (!('unavailable' in sshd)) await sshd.close();
    for (const folder of [cache, runtime]) rmSync(folder, { recursive: true, force: true });
    if (left.length === 0) return;
    killAll(left.map((row) => row.pid));
    process.exitCode = 1;
    const lines = left.map((row) => `  ${row.pid} (parent ${row.parent}) ${row.command.slice(0, 100)}`);
    throw new Error(`The run left ${left.length} processes behind, now killed:\n${lines.join('\n')}`);
  };
}

async function leftOver(mark: string, sshd: number | undefined): Promise<ProcessRow[]> {
  const start = performance.now();
  for (;;) {
    const left = markedProcesses(mark).filter((row) => row.pid !== sshd && !isVitests(row));
    if (left.length === 0 || performance.now() - start > LEAVING) return left;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

// vitest ends its own workers only after this.
function isVitests(row: ProcessRow): boolean {
  return row.parent === process.pid && row.command.includes('vitest');
}
