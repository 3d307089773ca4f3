import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { RUN_MARK } from './processes.ts';
import { type Sshd, type SshHost, startSshd } from './sshd.ts';

/** A host that has `ssh` and `node` and nothing else of ours: a real sshd in a mount namespace of its own. */
export interface BareHost {
  readonly access: SshHost;
  /** Its user's home, seen from here; empty at first. */
  readonly home: string;
  close(): Promise<void>;
}

const run = promisify(execFile);

/** Covers folders by empty ones, for all that runs in the namespace, and goes on as the given command. */
const coverAndGo = (folders: readonly string[], readOnly: readonly string[] = []): string[] => {
  const cover = [
    ...folders.map((folder) => `mount -t tmpfs none '${folder}'`),
    ...readOnly.map((folder) => `mount -t tmpfs -o ro none '${folder}'`),
  ].join(' && ');
  return ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', `${cover} && exec "$@"`, 'bare'];
};

/** Why this machine can't have a bare host, `undefined` if it can. */
export const noBareHost = async (): Promise<string | undefined> => {
  const folder = mkdtempSync(join(tmpdir(), 'offsite-cover-'));
  try {
    const [file, ...words] = [...coverAndGo([folder]), 'true'];
    await run(file!, words);
    return undefined;
  } catch {
    return 'A mount namespace can only be made by root on Linux.';
  } finally {
    rmSync(folder, { recursive: true });
  }
};

/**
 * Starts a host on which this project, its packages and `hidden` folders are not there, the home is another one, and
 * the PATH has nothing but `node`; with `tools` it has the usual commands too, with
 * `readOnly` nothing can be written into the home.
 */
export async function startBareHost(
  hidden: readonly string[],
  { readOnly = false, tools = false }: { readOnly?: boolean; tools?: boolean } = {},
): Promise<BareHost> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'offsite-bare-')));
  const [home, bin] = [join(folder, 'home'), join(folder, 'bin')];
  for (const each of [home, bin]) mkdirSync(each);
  symlinkSync(process.execPath, join(bin, 'node'));
  const mark = process.env[RUN_MARK];
  const path = tools ? [bin, '/usr/bin', '/bin'].join(delimiter) : bin;
  const env = { HOME: home, PATH: path, XDG_CACHE_HOME: '', ...(mark && { [RUN_MARK]: mark }) };
  let sshd: Sshd;
  try {
    sshd = await startSshd(env, coverAndGo([process.cwd(), ...hidden], readOnly ? [home] : []));
  } catch (cause) {
    rmSync(folder, { recursive: true });
    throw cause;
  }
  const close = async () => {
    await sshd.close();
    rmSync(folder, { recursive: true });
  };
  return { access: sshd.access, home, close };
}
