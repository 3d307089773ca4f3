import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** The environment variable that marks every process of one test run. */
export const RUN_MARK = 'OFFSITE_TEST_RUN';

/** One line of the process table. */
export interface ProcessRow {
  pid: number;
  parent: number;
  command: string;
  zombie: boolean;
}

// Short enough to measure a lifetime of some ten milliseconds, long enough not to take the CPU from what is dying.
const LOOK_EVERY = 3;

// An engine's first stage is a program of two thousand letters on its command line.
const LONGEST_COMMAND = 100;

/** The process table as it is now (Linux: /proc; elsewhere: ps). */
export function processTable(): ProcessRow[] {
  return process.platform === 'linux' ? procTable() : psTable();
}

function procTable(): ProcessRow[] {
  const rows: ProcessRow[] = [];
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const row = procRow(Number(entry));
    if (row) rows.push(row);
  }
  return rows;
}

function procRow(pid: number): ProcessRow | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name stands in parentheses and may hold anything, so what follows is counted from the last one.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    const command = words.join(' ').trim() || stat.slice(stat.indexOf('('), stat.lastIndexOf(')') + 1);
    return { pid, parent: Number(fields[1]), command, zombie: fields[0] === 'Z' || fields[0] === 'X' };
  } catch {
    return undefined; // it ended while we looked
  }
}

function psTable(): ProcessRow[] {
  const rows: ProcessRow[] = [];
  for (const line of execFileSync('ps', ['-axo', 'pid=,ppid=,stat=,command='], { encoding: 'utf8' }).split(
    '\n',
  )) {
    const [, pid, parent, state, command] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    if (pid) {
      rows.push({
        pid: Number(pid),
        parent: Number(parent),
        command: command ?? '',
        zombie: state!.startsWith('Z'),
      });
    }
  }
  return rows;
}

/** Whether a process runs; one that has ended but was not yet waited for (a zombie) counts as dead. */
export function alive(pid: number): boolean {
  if (process.platform === 'linux') {
    const row = procRow(pid);
    return row !== undefined && !row.zombie;
  }
  return psTable().some((row) => row.pid === pid && !row.zombie);
}

/** What ran under a pid, for a failed test's message. */
export function commandOf(pid: number): string {
  return (
    processTable()
      .find((row) => row.pid === pid)
      ?.command.slice(0, LONGEST_COMMAND) ?? '(gone)'
  );
}

/** The pids of a process's children, their children, and so on, living ones only. */
export function descendants(pid: number): number[] {
  const rows = processTable().filter((row) => !row.zombie);
  const found: number[] = [];
  const look = (parent: number): void => {
    for (const row of rows) {
      if (row.parent !== parent) continue;
      found.push(row.pid);
      look(row.pid);
    }
  };
  look(pid);
  return found;
}

/** Polls until none of the pids runs; resolves to the milliseconds it took, rejects naming who is left. */
export async function waitUntilGone(pids: Iterable<number>, within: number): Promise<number> {
  const start = performance.now();
  let left = [...pids].filter(alive);
  while (left.length > 0) {
    if (performance.now() - start > within) {
      const who = left.map((pid) => `${pid} ${commandOf(pid)}`).join('; ');
      throw new Error(`${left.length} processes still run after ${within} ms: ${who}`);
    }
    await delay(LOOK_EVERY);
    left = left.filter(alive);
  }
  return Math.round(performance.now() - start);
}

/** Watches a process for a while; resolves if it runs to the end of it, rejects when it ends earlier. */
export async function staysAlive(pid: number, during: number): Promise<void> {
  const start = performance.now();
  do {
    if (!alive(pid))
      throw new Error(`Process ${pid} ended ${Math.round(performance.now() - start)} ms into the watch.`);
    await delay(LOOK_EVERY);
  } while (performance.now() - start < during);
}

/** Ends processes that a test started and may have left; those already gone are passed over. */
export function killAll(pids: Iterable<number>): void {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // gone already
    }
  }
}

/** The processes that carry a run's mark in the environment they were started with (Linux only, else none). */
export function markedProcesses(mark: string): ProcessRow[] {
  if (process.platform !== 'linux') return [];
  const wanted = `${RUN_MARK}=${mark}`;
  return procTable().filter((row) => {
    if (row.zombie) return false;
    try {
      return readFileSync(`/proc/${row.pid}/environ`, 'latin1').split('\0').includes(wanted);
    } catch {
      return false; // it ended while we looked
    }
  });
}
