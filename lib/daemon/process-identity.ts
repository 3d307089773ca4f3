import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A process, so that another one that has its number later is not taken for it. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it was started, as the operating system says it, and since which start of the host. */
  readonly started: string;
}

const onLinux = (pid: number): string => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name stands in parentheses and may hold anything; the 22nd field is the start, in ticks.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return `${boot} ${fields[19]}`;
};

const elsewhere = (pid: number): string =>
  execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: 5_000,
  }).trim();

/** Who runs under a number; `undefined` if nobody does. */
export const identify = (pid: number): ProcessIdentity | undefined => {
  try {
    return { pid, started: process.platform === 'linux' ? onLinux(pid) : elsewhere(pid) };
  } catch {
    return undefined;
  }
};

/** Whether that very process still runs. */
export const stillRuns = ({ pid, started }: ProcessIdentity): boolean => identify(pid)?.started === started;
