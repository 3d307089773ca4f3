import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { IN_FOLDER, privateRoots } from './folder.ts';
import type { Pass } from './keys.ts';

/** What a private folder says of whose it is; plain data. */
export interface SiteState {
  readonly kind: 'site' | 'offer';
  readonly pid: number;
  readonly name: string;
  /** When it began, in milliseconds since 1970. */
  readonly since: number;
  /** Its version of Node.js. */
  readonly node: string;
  /** The version of the protocol that it speaks. */
  readonly protocol: number;
}

/** What a site's pulse tells when it is asked. */
export interface PulseState {
  readonly clients: number;
  /** How long nobody has been attached, in milliseconds; 0 while somebody is. */
  readonly idle: number;
  /** How many calls run. */
  readonly calls: number;
}

/** A detached site as it is listed. */
export interface DetachedSite extends SiteState, PulseState {
  readonly folder: string;
}

/** The byte by which a pulse is asked how the site does. */
export const ASK_PULSE = 0x3f;
/** The byte by which a client says that it is one. */
export const HOLD_PULSE = 0x21;

/** How long a pulse, which a thread of its own answers, may take, in milliseconds. */
const PULSE_WITHIN = 2_000;
/** How old a folder in which nobody listens must be to be a leftover, in milliseconds: a site makes it before it does. */
const SETTLED = 60_000;
/** How long the log of a site that is gone is kept, in milliseconds: seven days. */
export const KEEP_LOGS = 7 * 24 * 60 * 60 * 1000;

/** Writes who a folder belongs to, for its user alone. */
export const writeState = (folder: string, state: SiteState): void =>
  writeFileSync(join(folder, IN_FOLDER.state), JSON.stringify(state), { mode: 0o600 });

/** Keeps a pass where only the same user can read it. */
export const writePass = (folder: string, pass: Pass): void =>
  writeFileSync(join(folder, IN_FOLDER.pass), JSON.stringify(pass), { mode: 0o600 });

const readJSON = <T>(path: string): T | undefined => {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as T;
  } catch {
    return undefined;
  }
};

/** Who a folder belongs to; `undefined` if it does not say. */
export const readState = (folder: string): SiteState | undefined => readJSON(join(folder, IN_FOLDER.state));

/** The pass of a site's own user; `undefined` if it is gone. */
export const readPass = (folder: string): Pass | undefined => readJSON(join(folder, IN_FOLDER.pass));

/** Asks how a site does; `undefined` if nobody is there. */
export const askPulse = (folder: string): Promise<PulseState | undefined> =>
  new Promise((resolve) => {
    const socket = connect({ path: join(folder, IN_FOLDER.pulse) });
    let text = '';
    const end = () => {
      socket.destroy();
      try {
        resolve(JSON.parse(text) as PulseState);
      } catch {
        resolve(undefined);
      }
    };
    socket.setTimeout(PULSE_WITHIN, end);
    socket.setEncoding('utf8');
    socket.on('error', end).on('end', end);
    socket.on('data', (more: string) => {
      text += more;
    });
    socket.on('connect', () => socket.write(Buffer.of(ASK_PULSE)));
  });

/** Whether anybody listens on a socket; the kernel answers, however busy the one who listens is. */
const isOpen = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ path });
    const tell = (open: boolean) => {
      socket.destroy();
      resolve(open);
    };
    socket.on('error', (cause) => tell((cause as NodeJS.ErrnoException).code === 'EAGAIN'));
    socket.on('connect', () => tell(true));
  });

/** The private folders of this user, each with what it says of itself. */
const folders = (): { folder: string; state: SiteState | undefined }[] =>
  privateRoots().flatMap((root) =>
    readdirSync(root, { withFileTypes: true })
      // The control sockets of programs lie there too, and are theirs.
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => {
        const folder = join(root, name);
        return { folder, state: readState(folder) };
      }),
  );

/** The detached sites of this user on this host that run, the oldest first. */
export const detachedSites = async (): Promise<DetachedSite[]> => {
  const found = await Promise.all(
    folders().map(async ({ folder, state }) => {
      if (state?.kind !== 'site') return [];
      const pulse = await askPulse(folder);
      return pulse ? [{ folder, ...state, ...pulse }] : [];
    }),
  );
  return found.flat().sort((a, b) => a.since - b.since);
};

/** The detached sites of this user that have gone and whose logs are still there, the latest last. */
export const goneSites = async (): Promise<(SiteState & { folder: string })[]> => {
  const found = await Promise.all(
    folders().map(async ({ folder, state }) =>
      state?.kind === 'site' && !(await isOpen(join(folder, IN_FOLDER.pulse))) ? [{ folder, ...state }] : [],
    ),
  );
  return found.flat().sort((a, b) => a.since - b.since);
};

const statOr = (path: string): { size: number; mtimeMs: number } => {
  try {
    return statSync(path);
  } catch {
    return { size: 0, mtimeMs: 0 };
  }
};

/** Takes away what a site that is gone has left: all but its log, and that too if it is empty or older than `age` ms. */
export const clearFolder = (folder: string, age = KEEP_LOGS): void => {
  const logs = [IN_FOLDER.log, IN_FOLDER.olderLog].map((name) => statOr(join(folder, name)));
  const worth = logs.some(({ size, mtimeMs }) => size > 0 && Date.now() - mtimeMs < age);
  const names = [IN_FOLDER.door, IN_FOLDER.pulse, IN_FOLDER.pass];
  if (worth) for (const name of names) rmSync(join(folder, name), { force: true });
  else rmSync(folder, { recursive: true, force: true });
};

/** Clears up after all that is gone; `age` is how old its log may be, in milliseconds. Never rejects. */
export const sweep = async (age = KEEP_LOGS): Promise<void> => {
  await Promise.allSettled(
    folders().map(async ({ folder, state }) => {
      if (!state && Date.now() - statOr(folder).mtimeMs < SETTLED) return;
      const socket = state?.kind === 'offer' ? IN_FOLDER.door : IN_FOLDER.pulse;
      if (!(await isOpen(join(folder, socket)))) clearFolder(folder, age);
    }),
  );
};
