import { readFileSync } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { knock, Want } from './door.ts';
import { IN_FOLDER } from './folder.ts';
import { askPulse, detachedSites, goneSites, readPass, type SiteState } from './site-folder.ts';
import type { Ticket } from './ticket.ts';

/** How long a site may take to end in order once it was asked, in milliseconds. */
const ASK_FOR = 3_000;
/** How long it may take after SIGTERM, and then after SIGKILL, in milliseconds. */
const SIGNAL_FOR = 1_000;
/** How often is looked whether a process is gone, in milliseconds: nobody tells who is not its parent. */
const LOOK_EVERY = 10;
/** How often a log is looked at that is followed, in milliseconds: short for an eye, long for a disk. */
const FOLLOW_EVERY = 150;
/** How much of the end of a log is shown at most, in bytes. */
const SHOWN = 256 * 1024;

/** A site that a person named, by its folder. */
export type Named = SiteState & { readonly folder: string };

/** How a person names a site: its name, or its pid. */
const isNamed =
  (which: string) =>
  ({ name, pid }: SiteState): boolean =>
    name === which || String(pid) === which;

/** Why a name does not name one site. */
export interface Unnamed {
  readonly unnamed: string;
  readonly remedy: string;
}

/** The site that a person means; with `gone`, the latest that has ended if none runs. */
export const siteNamed = async (which: string, gone = false): Promise<Named | Unnamed> => {
  const running = await detachedSites();
  const [one, ...more] = running.filter(isNamed(which));
  if (one && more.length === 0) return one;
  if (one) {
    const pids = [one, ...more].map(({ pid }) => pid).join(', ');
    return {
      unnamed: `There are ${more.length + 1} detached sites named "${which}".`,
      remedy: `Name one by its pid: ${pids}`,
    };
  }
  const latest = gone ? (await goneSites()).filter(isNamed(which)).at(-1) : undefined;
  if (latest) return latest;
  const names = running.map(({ name, pid }) => `${name} (${pid})`).join(', ');
  return {
    unnamed: `There is no detached site "${which}".`,
    remedy: names ? `There are: ${names}` : 'None runs; offsite sites lists them',
  };
};

/** The ticket to a site that runs and that its own user names, by the pass that nobody else can read. */
export const ticketTo = async (which: string): Promise<Ticket | Unnamed> => {
  const site = await siteNamed(which);
  if ('unnamed' in site) return site;
  const { folder, name, pid } = site;
  const pass = readPass(folder);
  if (pass) return { kind: 'site', folder, name, ...pass };
  return {
    unnamed: `The pass of ${name} (pid ${pid}) is not in its folder any more.`,
    remedy: 'Attach with a ticket, or end it: offsite close NAME',
  };
};

/** Whether a process runs. One that has ended and that nobody has asked for does not, though it has its pid still. */
export const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    if (process.platform !== 'linux') return true;
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name before it stands in parentheses and may hold anything.
    return !/^ [ZX]/.test(stat.slice(stat.lastIndexOf(')') + 1));
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === 'EPERM';
  }
};

/** Waits until a process is gone, for so many milliseconds at most; says whether it is. */
export const goneWithin = async (pid: number, bound: number): Promise<boolean> => {
  const end = performance.now() + bound;
  while (isRunning(pid)) {
    if (performance.now() >= end) return false;
    await delay(LOOK_EVERY);
  }
  return true;
};

/** Sends a signal to a site and its group; not to whatever has its pid when the site is gone. */
export const signalSite = async (
  { folder, pid }: { folder: string; pid: number },
  signal: NodeJS.Signals,
): Promise<void> => {
  if (!(await askPulse(folder))) return;
  for (const target of [-pid, pid]) {
    try {
      process.kill(target, signal);
    } catch {
      // It has ended, or has left its group.
    }
  }
};

/** Ends a site: asks it, then signals it; says how it went. */
export const closeSite = async (site: Named): Promise<'asked' | 'SIGTERM' | 'SIGKILL' | 'failed'> => {
  const { folder, pid, name } = site;
  const pass = readPass(folder);
  if (pass) {
    const door = join(folder, IN_FOLDER.door);
    const end = performance.now() + ASK_FOR;
    try {
      const socket = await knock({ folder, name, ...pass }, door, { want: Want.close, timeout: ASK_FOR });
      socket.on('error', () => {}).resume();
    } catch {
      // It does not hear, or has just gone.
    }
    if (await goneWithin(pid, Math.max(SIGNAL_FOR, end - performance.now()))) return 'asked';
  }
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    await signalSite(site, signal);
    if (await goneWithin(pid, SIGNAL_FOR)) return signal;
  }
  return 'failed';
};

const sizeOf = async (path: string): Promise<number> => (await stat(path).catch(() => undefined))?.size ?? 0;

/** The bytes of a file from a place on. */
async function* bytesOf(path: string, from: number): AsyncGenerator<Buffer, number> {
  const file = await open(path).catch(() => undefined);
  if (!file) return from;
  let at = from;
  try {
    for (;;) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(64 * 1024), 0, 64 * 1024, at);
      if (bytesRead === 0) return at;
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

/** Where the last lines of a text begin. */
const lastLines = (text: Buffer, lines: number): number => {
  let at = text.length;
  // The line feed at the very end ends the last line and begins no other.
  for (let line = 0, from = text.length - 2; line < lines; line++, from = at - 2) {
    const before = from < 0 ? -1 : text.lastIndexOf(0x0a, from);
    at = before + 1;
    if (before < 0) break;
  }
  return lines === 0 ? text.length : at;
};

/** What is read of a log. */
export interface LogWish {
  /** How many of the last lines come first. @default all that is kept, 256 KiB of it at most */
  lines?: number;
  /** Whether to go on until the site has ended. @default false */
  follow?: boolean;
  signal?: AbortSignal;
}

/** What a site has printed, oldest first; with `follow` also what it prints, until it ends or the signal is aborted. */
export async function* readLog(folder: string, { lines, follow, signal }: LogWish): AsyncGenerator<Buffer> {
  const log = join(folder, IN_FOLDER.log);
  const chunks: Buffer[] = [];
  for await (const chunk of bytesOf(join(folder, IN_FOLDER.olderLog), 0)) chunks.push(chunk);
  let at = await sizeOf(log);
  let kept = 0;
  for await (const chunk of bytesOf(log, 0)) {
    if (kept >= at) break;
    chunks.push(chunk.subarray(0, at - kept));
    kept += chunk.length;
  }
  const all = Buffer.concat(chunks);
  const text = all.subarray(Math.max(0, all.length - SHOWN));
  yield lines === undefined ? text : text.subarray(lastLines(text, lines));
  while (follow && !signal?.aborted) {
    // Asked first: what it printed before it ended is still read.
    const lives = (await askPulse(folder)) !== undefined;
    // It was full and has begun anew; what came between two looks is in the older one.
    if ((await sizeOf(log)) < at) {
      yield* bytesOf(join(folder, IN_FOLDER.olderLog), at);
      at = 0;
    }
    at = yield* bytesOf(log, at);
    if (!lives) return;
    await delay(FOLLOW_EVERY, undefined, { signal }).catch(() => {});
  }
}
