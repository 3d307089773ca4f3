import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { SimulatedClock } from 'xstate';
import type { DaemonClock } from '../../../actors/daemon/clock.ts';
import { dial } from '../../../lib/access/dial.ts';
import type { StartSite } from '../../../lib/fork/daemon/messages.ts';
import { engineFile } from '../../../lib/fork/engine-file.ts';
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

  /** Goes on step by step, so that all happens when it should: of ten minutes, if that is no more than there are. */
  async advance(minutes: number): Promise<void> {
    const step = minutes % 10 === 0 ? 10 : 1;
    for (let passed = 0; passed < minutes; passed += step) this.increment(step * 60_000);
    await new Promise((resolve) => setImmediate(resolve));
  }

  override now(): number {
    return this.#begin + super.now();
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

/** Says something to a daemon over a WebSocket of one's own, and gives what comes. */
export const visit = async ({ addresses: [address] }: Pick<Daemon, 'addresses'>, path: string) => {
  const { socket } = await dial(address!, { path });
  const lines: Record<string, unknown>[] = [];
  const waiting = new Set<() => void>();
  const wake = () => {
    for (const look of waiting) look();
  };
  let [pings, open] = [0, true];
  socket.on('message', (data, isBinary) => {
    if (!isBinary) lines.push(JSON.parse((data as Buffer).toString('utf8')));
    wake();
  });
  socket.on('ping', () => {
    pings++;
    wake();
  });
  socket.on('close', () => {
    open = false;
    wake();
  });
  socket.resume();
  const until = <T>(look: () => T | undefined | false): Promise<T> =>
    new Promise((resolve) => {
      const tell = () => {
        const found = look();
        if (found === undefined || found === false) return;
        waiting.delete(tell);
        resolve(found);
      };
      waiting.add(tell);
      tell();
    });
  return {
    say: (message: object) => socket.send(Buffer.from(JSON.stringify(message)), { binary: false }, () => {}),
    /** The first message of that kind, taken out. */
    next: (kind: string) =>
      until(() => {
        const at = lines.findIndex((line) => kind in line);
        return at >= 0 && (lines.splice(at, 1)[0]![kind] as Record<string, unknown>);
      }),
    pings: (count: number) => until(() => pings >= count),
    closed: () => until(() => !open),
    hangUp: () => socket.terminate(),
  };
};

/** What a client says first. */
export const startOf = (name: string, more: Partial<StartSite> = {}): { start: StartSite } => {
  const { hash, bytes } = engineFile();
  return { start: { name, engine: { hash, size: bytes.length }, execArgv: [], ...more } };
};
