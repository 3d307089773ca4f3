import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { SimulatedClock } from 'xstate';
import type { DaemonClock } from '../../../actors/daemon/clock.ts';
import { Daemon, type DaemonOptions, RemoteManager, type RemoteManagerOptions } from '../../../lib/index.ts';
import { fixture, type Misbehave, track } from '../../support/sites.ts';

const opened = new Set<Daemon>();
const programs = new Set<ChildProcess>();

/** Opens a daemon at any free port, which `closeDaemons` ends. */
export const openDaemon = async (options: DaemonOptions = {}, clock?: DaemonClock): Promise<Daemon> => {
  const daemon = await Daemon.open({ port: 0, name: 'node-1', ...options }, clock && { clock });
  opened.add(daemon);
  return daemon;
};

export const closeDaemons = async (): Promise<void> => {
  await Promise.all([...opened].map((daemon) => daemon[Symbol.asyncDispose]()));
  opened.clear();
  for (const program of programs) program.kill('SIGKILL');
};

export const hostOf = ({ addresses: [address] }: Pick<Daemon, 'addresses'>): string =>
  `${address!.host}:${address!.port}`;

/** A site at a daemon. */
export const siteAt = (
  daemon: Pick<Daemon, 'addresses'>,
  options: RemoteManagerOptions = {},
): RemoteManager =>
  track(
    new RemoteManager({
      host: hostOf(daemon),
      fork: 'daemon',
      stdout: 'ignore',
      stderr: 'ignore',
      ...options,
    }),
  );

/** What a site runs in. */
export const surroundings = (site: RemoteManager) =>
  site.link<typeof import('./fixtures/surroundings.js')>(
    new URL('./fixtures/surroundings.js', import.meta.url),
  );

export const misbehave = (site: RemoteManager) => site.link<Misbehave>(fixture('misbehave.js'));

/** A time of day that goes on when it is told to. */
export class TestClock extends SimulatedClock implements DaemonClock {
  readonly #begin: number;

  constructor(begin: string) {
    super();
    this.#begin = Date.parse(begin);
  }

  override now(): number {
    return (this.#begin ?? 0) + super.now();
  }
}

/** A program of the fixtures, and the first line that it has written. */
export const openProgram = async (name: string, ...args: string[]) => {
  const path = fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url));
  const child = spawn(process.execPath, [path, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  programs.add(child);
  child.once('exit', () => programs.delete(child));
  const lines = createInterface({ input: child.stdout });
  const [line] = (await once(lines, 'line', { signal: AbortSignal.timeout(10_000) })) as [string];
  return { child, line };
};
