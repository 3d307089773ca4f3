import { mkdirSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { identify, type ProcessIdentity, stillRuns } from './process-identity.ts';

/** Who has a folder. */
export interface LockHolder extends ProcessIdentity {
  readonly name: string;
  /** In milliseconds since 1970. */
  readonly since: number;
}

const LOCK = 'daemon.lock';
/** While this is there, somebody looks at the lock and changes it. */
const LATCH = 'daemon.lock.latch';
/** So long a look never takes: who made the latch is dead. In milliseconds. */
const LATCHED_FOR = 10_000;
const LOOK_EVERY = 20;

/** Who has a folder, or had it when he died. */
export const lockHolder = (folder: string): LockHolder | undefined => {
  try {
    const holder = JSON.parse(readFileSync(join(folder, LOCK), 'utf8')) as LockHolder;
    return Number.isInteger(holder.pid) && typeof holder.started === 'string' ? holder : undefined;
  } catch {
    // There is none, or its writer died while he wrote.
    return undefined;
  }
};

const latched = async <T>(folder: string, look: () => T): Promise<T> => {
  const latch = join(folder, LATCH);
  while (true) {
    try {
      mkdirSync(latch);
      break;
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
      const since = statSync(latch, { throwIfNoEntry: false })?.mtimeMs;
      if (since !== undefined && Date.now() - since > LATCHED_FOR)
        rmSync(latch, { recursive: true, force: true });
      else await delay(LOOK_EVERY);
    }
  }
  try {
    return look();
  } finally {
    rmdirSync(latch);
  }
};

/**
 * Takes a folder for this process, also from one that has died, and tells who has it instead if somebody does who lives.
 * Two that come at once don't both get it.
 */
export const takeLock = (folder: string, name: string): Promise<LockHolder | undefined> =>
  latched(folder, () => {
    const holder = lockHolder(folder);
    if (holder && stillRuns(holder)) return holder;
    const own: LockHolder = {
      ...(identify(process.pid) ?? { pid: process.pid, started: '' }),
      name,
      since: Date.now(),
    };
    writeFileSync(join(folder, LOCK), JSON.stringify(own), { mode: 0o600 });
    return undefined;
  });

/** What lies in a locked folder beside what it is for. */
export const LOCK_FILES: ReadonlySet<string> = new Set([LOCK, LATCH]);

/** Gives a folder back. */
export const releaseLock = (folder: string): void => rmSync(join(folder, LOCK), { force: true });
