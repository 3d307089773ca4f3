import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { execa } from 'execa';
import { StreamLink } from '../wire/link/stream-link.ts';
import { bootEngine } from './boot.ts';
import { explainSpawn } from './diagnose.ts';
import { ForkError } from './errors.ts';
import type { Command, ForkedSite, ForkRequest, SiteDeath } from './fork-method.ts';
import { LineReader } from './lines.ts';
import { groupGone, killGroup, signalTo } from './process-group.ts';
import { tether } from './tether.ts';

/** How long the streams of a process that has ended may still carry what it said, in milliseconds. */
const DRAIN_WITHIN = 200;
/** A started command, and the way to the engine at its end. */
interface Started {
  readonly child: ChildProcess & { readonly pid: number };
  /** What the engine writes. */
  readonly input: Readable;
  /** What the engine reads. */
  readonly output: Writable;
  /** What else is written there. */
  readonly noise: readonly Readable[];
  /** Holds a tether; nothing is ever written to it. */
  readonly tether?: Writable;
}

/** Starts a command; rejects with what the operating system said. */
const start = async ({ file, args, direct }: Command): Promise<Started> => {
  // Not by execa, which takes longer for it than all else here: many sites are often started at once.
  const child = spawn(file, args, {
    stdio: direct ? ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'] : ['pipe', 'pipe', 'pipe', 'pipe'],
    // Lifetimes are ours: a session of its own keeps the terminal's Ctrl-C away, so that sites end in order, and
    // makes one group of all that the site starts.
    detached: true,
  });
  if (child.pid === undefined) throw ((await once(child, 'error')) as [Error])[0];
  for (const stream of child.stdio) stream?.on('error', () => {});
  const [stdin, stdout, stderr, third, fourth] = child.stdio as unknown as (Readable & Writable)[];
  const started = child as Started['child'];
  return direct
    ? { child: started, input: fourth!, output: third!, noise: [stderr!, stdout!] }
    : { child: started, input: stdout!, output: stdin!, noise: [stderr!], tether: third! };
};

/** A shell says by an exit code past 128 that a signal ended its command. */
const signalOf = (exitCode: number | null): NodeJS.Signals | undefined =>
  (Object.keys(constants.signals) as NodeJS.Signals[]).find(
    (name) => exitCode !== null && constants.signals[name] === exitCode - 128,
  );

const deathOf = (child: ChildProcess, lines: LineReader, tethered: boolean): Promise<SiteDeath> =>
  new Promise((resolve) => {
    child.once('exit', (code, directly) => {
      const signal = directly ?? (tethered ? signalOf(code) : undefined) ?? null;
      const exitCode = signal ? null : code;
      const death = () => resolve({ exitCode, signal, stderr: [...lines.tail] });
      // Grandchildren may hold the streams open for ever, so what was said last is waited for, but not long.
      const timer = setTimeout(death, DRAIN_WITHIN);
      child.once('close', () => {
        clearTimeout(timer);
        death();
      });
    });
  });

/** How long a bridge may take to pass on the last bytes and end, in milliseconds. */
const LET_GO_WITHIN = 1_000;

/** Ends a bridge and the command that leads to it, by the end of its input first, so that what was sent arrives. */
const letGo = async (pid: number, output: Writable, exited: Promise<unknown>): Promise<void> => {
  output.end();
  const timer = setTimeout(() => killGroup(pid, 'SIGKILL'), LET_GO_WITHIN);
  await exited;
  clearTimeout(timer);
};

/** How long the way to another host may take to deliver a signal, in milliseconds. */
const DELIVER_WITHIN = 5_000;

/** Ends a process and its group on another host, and waits there until it is gone, for two seconds at most. */
const killElsewhere = async (
  elsewhere: NonNullable<Command['elsewhere']>,
  pid: number,
  signal: 'SIGTERM' | 'SIGKILL',
): Promise<void> => {
  const kill = `kill -s ${signal.slice(3)}`;
  const { file, args } = elsewhere(
    `{ ${kill} -- -${pid} || ${kill} ${pid}; } 2>/dev/null; n=0; ` +
      `while [ $n -lt 40 ] && kill -0 ${pid} 2>/dev/null; do n=$((n+1)); sleep 0.05; done`,
  );
  await execa(file, [...args], {
    reject: false,
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'ignore',
    timeout: DELIVER_WITHIN,
  });
};

/** Whether a command is not the engine itself, but leads to it. */
const leads = ({ here }: Command): boolean => !here;

/** Starts a command and waits until the engine at its end is there; rejects with ForkError and leaves nothing. */
export const forkProcess = async (command: Command, request: ForkRequest): Promise<ForkedSite> => {
  // What is started here is never the detached site itself, but a bridge to it.
  const tethered = leads(command);
  const {
    child,
    input,
    output,
    noise,
    tether: held,
  } = await start(tethered ? tether(command) : command).catch((cause: unknown) => {
    throw new ForkError(request.name, explainSpawn(command.file, cause));
  });
  const { pid } = child;
  const lines = new LineReader(noise[0]!, request.onLine);
  for (const stream of noise.slice(1)) lines.read(stream);
  const exited = deathOf(child, lines, tethered);
  const { pid: enginePid, errand } = await bootEngine(
    { input, output, lines, exited, end: () => killGroup(pid, 'SIGKILL') },
    request,
  );
  const link = new StreamLink(input, output);
  // An idle site must not keep its parent's program from ending.
  child.unref();
  for (const stream of [...noise, held]) (stream as { unref?(): void } | undefined)?.unref?.();
  link.unref();
  return {
    method: command.method,
    link,
    pid,
    // A command of the user's may not pass stderr on: signs of life that never come can't be missed.
    heardAt: () =>
      command.elsewhere || !leads(command) || lines.beats
        ? Math.max(lines.heardAt, link.heardAt)
        : performance.now(),
    exited,
    ...(errand && { errand, leave: () => letGo(pid, output, exited) }),
    sweep: async () => {
      // Only the group: the process itself has been waited for, and its id may be another's by now.
      signalTo(-pid, 'SIGKILL');
      await groupGone(pid);
    },
    abandon: async () => {
      // First what is here: nobody may wait for the way to a host that does not answer.
      killGroup(pid, 'SIGKILL');
      if (command.elsewhere) await killElsewhere(command.elsewhere, enginePid, 'SIGKILL');
    },
    kill: async (signal) => {
      if (command.elsewhere) await killElsewhere(command.elsewhere, enginePid, signal);
      if (!command.elsewhere || signal === 'SIGKILL') killGroup(pid, signal);
    },
  };
};
