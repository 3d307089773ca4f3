import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { inject } from 'vitest';
import { type AttachOptions, RemoteManager, type RemoteManagerOptions } from '../../lib/index.ts';
import { parseTicket, type Ticket } from '../../lib/ticket/ticket.ts';
import { killAll, waitUntilGone } from './processes.ts';
import { closeTracked, fixture, track } from './sites.ts';

/** A detached site that another process has started. */
export interface Raised {
  readonly parent: ChildProcessWithoutNullStreams;
  readonly ticket: string;
  readonly pid: number;
}

const started = new Set<number>();

/** Has a process start a detached site, count once in it and wait in a call of it. */
export async function raiseDetached(
  options: RemoteManagerOptions,
  env: NodeJS.ProcessEnv = {},
): Promise<Raised> {
  const parent = spawn(process.execPath, [fileURLToPath(fixture('detach.js')), JSON.stringify(options)], {
    env: { ...process.env, ...env },
    stdio: 'pipe',
  });
  started.add(parent.pid!);
  let complaint = '';
  parent.stderr.on('data', (text: Buffer) => {
    complaint += text.toString();
  });
  for await (const line of createInterface(parent.stdout)) {
    const said = JSON.parse(line) as { ticket: string; pid: number };
    started.add(said.pid);
    return { parent, ...said };
  }
  throw new Error(`The parent ended before its site was ready; it said:\n${complaint}`);
}

/** Ends a parent with SIGKILL; resolves when it is gone. */
export async function killParent({ parent }: Raised): Promise<void> {
  const gone = once(parent, 'exit');
  parent.kill('SIGKILL');
  await gone;
}

/** A detached site of this process's, that is ended with its test. */
export function detach(options: RemoteManagerOptions = {}): RemoteManager {
  const site = track(new RemoteManager({ stdout: 'ignore', stderr: 'ignore', ...options, detach: true }));
  site.ready.then(
    () => started.add(site.pid!),
    () => {},
  );
  return site;
}

/** A client of a site, that is ended with its test. */
export function attach(ticket: string, options: AttachOptions = {}): RemoteManager {
  return track(RemoteManager.attach(ticket, { stdout: 'ignore', stderr: 'ignore', ...options }));
}

/** Ends what a test has left, whether it failed or not. */
export async function endDetached(): Promise<void> {
  await closeTracked();
  killAll(started);
  await waitUntilGone(started, 2_000);
  started.clear();
}

/** What a ticket says. */
export const saidBy = (ticket: string): Ticket => parseTicket(ticket);

/** A way to have a detached site, and to get to it again. */
export interface DetachedWay {
  readonly name: string;
  readonly unavailable: string | undefined;
  readonly options: () => RemoteManagerOptions;
  readonly again: () => AttachOptions;
  /** Words for the shell, and its environment. */
  readonly words: () => string[];
  readonly env: () => NodeJS.ProcessEnv;
}

const ssh = inject('ssh');
const access = () => {
  if (ssh.unavailable !== undefined) throw new Error(ssh.unavailable);
  return ssh;
};

/** A command that takes a host and a shell line, as ssh does. */
const RUN_HERE = fileURLToPath(fixture('run-here'));

/** All ways: on this host, by ssh, and by a command. */
export const WAYS: readonly DetachedWay[] = [
  {
    name: 'on this host',
    unavailable: undefined,
    options: () => ({}),
    again: () => ({}),
    words: () => [],
    env: () => ({}),
  },
  {
    name: 'over ssh',
    unavailable: ssh.unavailable,
    options: () => ({ fork: 'ssh', host: access().host, sshOptions: access().options }),
    again: () => ({ sshOptions: access().options }),
    words: () => ['--host', access().host, '--fork', 'ssh'],
    env: () => ({ OFFSITE_SSH: `ssh -F ${access().config}` }),
  },
  {
    name: 'behind a command',
    unavailable: undefined,
    options: () => ({ fork: RUN_HERE, host: 'elsewhere' }),
    // The ticket says how, and is not obeyed.
    again: () => ({ fork: RUN_HERE }),
    words: () => ['--host', 'elsewhere', '--fork', RUN_HERE],
    env: () => ({}),
  },
];
