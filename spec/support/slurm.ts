import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { descendants, killAll, waitUntilGone } from './processes.ts';
import { aptInstall, freePort } from './sshd.ts';

const run = promisify(execFile);
const STARTING = 20_000;
const DAEMONS = ['munged', 'slurmctld', 'slurmd'] as const;
const PLACES = ['/usr/sbin', '/usr/local/sbin', '/usr/bin', '/usr/local/bin'];
const CPUS_OF_A_NODE = 8;

/** A real munged, slurmctld, and a slurmd for each of two nodes, all on this host. */
export interface Slurm {
  /** What SLURM_CONF has to be for Slurm's commands. */
  conf: string;
  nodes: readonly string[];
  /** Kills a node's slurmd and the steps that it has started, as if its host had lost power, and tells the controller. */
  lose(node: string): Promise<void>;
  /** The text that a command of Slurm's prints. */
  ask(command: string, ...words: string[]): Promise<string>;
  /** Ends all daemons and removes their folder. */
  close(): Promise<void>;
}

/** Starts Slurm, after installing it where this is root on Debian; or says why there is none. */
export async function startSlurm(): Promise<Slurm | { unavailable: string }> {
  try {
    return await start(findDaemons());
  } catch (error) {
    return {
      unavailable: `No Slurm could be started here: ${error instanceof Error ? error.message : String(error)}`,
    };
  }
}

type Daemons = Record<(typeof DAEMONS)[number], string>;

function lookFor(): Daemons | undefined {
  const found = DAEMONS.map((name) => PLACES.map((place) => join(place, name)).find(existsSync));
  return found.every(Boolean)
    ? (Object.fromEntries(DAEMONS.map((name, at) => [name, found[at]])) as Daemons)
    : undefined;
}

function findDaemons(): Daemons {
  if (process.getuid?.() !== 0) throw new Error('its daemons run as root only.');
  const found = lookFor();
  if (found) return found;
  if (!existsSync('/usr/bin/apt-get')) {
    throw new Error('it is not installed, and can only be on Debian (apt-get install slurm-wlm munge).');
  }
  process.stderr.write(
    'spec: installing slurm-wlm and munge with apt-get, for the specs that need a real Slurm\n',
  );
  aptInstall('slurm-wlm', 'munge');
  const installed = lookFor();
  if (!installed)
    throw new Error('apt-get installed slurm-wlm, but its daemons are not where they should be.');
  return installed;
}

async function start(daemons: Daemons): Promise<Slurm> {
  const folder = mkdtempSync(join(tmpdir(), 'offsite-slurm-'));
  const file = (name: string): string => join(folder, name);
  const log = (node: string): string => file(`slurmd-${node}.log`);
  const running = new Map<string, ChildProcess>();
  const said = new Map<string, string>();
  const nodes = ['alpha', 'beta'];
  const conf = file('slurm.conf');
  const environment = { ...process.env, SLURM_CONF: conf };

  const daemon = (name: string, program: string, words: string[]): void => {
    const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'pipe'], env: environment });
    const hear = (text: string): void => {
      said.set(name, `${said.get(name) ?? ''}${text}`.slice(-4_000));
    };
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', hear);
    child.once('error', (error) => hear(error.message));
    child.unref();
    for (const stream of [child.stdout, child.stderr]) (stream as unknown as { unref(): void }).unref();
    running.set(name, child);
  };
  const slurmd = (node: string): void => daemon(node, daemons.slurmd, ['-D', '-N', node, '-f', conf]);
  const ask = async (command: string, ...words: string[]): Promise<string> =>
    (await run(command, words, { env: environment, timeout: STARTING })).stdout.trim();
  const idle = (node: string) =>
    until(
      async () => (await ask('sinfo', '-h', '-n', node, '-o', '%T').catch(() => '')) === 'idle',
      () => `node ${node} is not idle; slurmd said: ${said.get(node)}; slurmctld: ${said.get('slurmctld')}`,
    );
  const end = async (name: string): Promise<void> => {
    const child = running.get(name);
    running.delete(name);
    if (!child?.pid || child.exitCode !== null || child.signalCode !== null) return;
    child.ref();
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), 3_000);
    await gone;
    clearTimeout(timer);
  };
  const close = async (): Promise<void> => {
    await ask('scancel', '--user=root').catch(() => {});
    for (const name of [...running.keys()].reverse()) await end(name);
    killAll(nodes.flatMap((node) => holdersOf(log(node))));
    rmSync(folder, { recursive: true, force: true });
  };

  try {
    mkdirSync(file('munge'), { mode: 0o755 });
    for (const name of ['state', ...nodes.map((node) => `spool-${node}`)]) mkdirSync(file(name));
    writeFileSync(file('munge/key'), randomBytes(64), { mode: 0o600 });
    writeFileSync(file('plugstack.conf'), '');
    writeFileSync(conf, await config(folder, nodes));
    daemon('munged', daemons.munged, [
      '--foreground',
      '--force',
      ...['key', 'log', 'seed', 'pid'].map((name) => `--${name}-file=${file(`munge/${name}`)}`),
      `--socket=${file('munge/socket')}`,
    ]);
    await until(
      async () => existsSync(file('munge/socket')),
      () => `munged made no socket; it said: ${said.get('munged')}`,
    );
    daemon('slurmctld', daemons.slurmctld, ['-D', '-c', '-f', conf]);
    for (const node of nodes) slurmd(node);
    await Promise.all(nodes.map(idle));
  } catch (error) {
    await close();
    throw error;
  }
  return {
    conf,
    nodes,
    ask,
    close,
    lose: async (node) => {
      const daemons = holdersOf(log(node));
      const lost = [...daemons, ...daemons.flatMap(descendants)];
      killAll(lost);
      running.delete(node);
      await waitUntilGone(lost, 2_000);
      // It would notice by itself, but only when its questions have not been answered for a while.
      await ask('scontrol', 'update', `NodeName=${node}`, 'State=DOWN', 'Reason=lost');
    },
  };
}

/** What has a file open: a slurmstepd has no name of its node but that of its log, and clears its environment. */
function holdersOf(file: string): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .filter((pid) => {
      try {
        return readdirSync(`/proc/${pid}/fd`).some((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`) === file);
      } catch {
        return false; // it ended while we looked
      }
    })
    .map(Number);
}

async function config(folder: string, nodes: readonly string[]): Promise<string> {
  const host = hostname().split('.')[0];
  const file = (name: string): string => join(folder, name);
  const lines = [
    'ClusterName=offsite',
    `SlurmctldHost=${host}(127.0.0.1)`,
    `SlurmctldPort=${await freePort()}`,
    'AuthType=auth/munge',
    'CredType=cred/munge',
    `AuthInfo=socket=${file('munge/socket')}`,
    'SlurmUser=root',
    'SlurmdUser=root',
    `StateSaveLocation=${file('state')}`,
    `SlurmdSpoolDir=${file('spool-%n')}`,
    `SlurmdLogFile=${file('slurmd-%n.log')}`,
    `SlurmctldPidFile=${file('slurmctld.pid')}`,
    `SlurmdPidFile=${file('slurmd-%n.pid')}`,
    `PlugStackConfig=${file('plugstack.conf')}`,
    'ProctrackType=proctrack/linuxproc',
    'TaskPlugin=task/none',
    'SwitchType=switch/none',
    'MpiDefault=none',
    'MailProg=/bin/true',
    'SelectType=select/cons_tres',
    'SelectTypeParameters=CR_Core',
    'AccountingStorageType=accounting_storage/none',
    'JobAcctGatherType=jobacct_gather/none',
    // More cores than this host has, so that several workers get their own.
    'SlurmdParameters=config_overrides',
    'ReturnToService=2',
    // A lost node is noticed after this many seconds.
    'SlurmdTimeout=3',
    'KillWait=1',
  ];
  for (const node of nodes) {
    lines.push(
      `NodeName=${node} NodeHostname=${host} NodeAddr=127.0.0.1 Port=${await freePort()} CPUs=${CPUS_OF_A_NODE} State=UNKNOWN`,
    );
  }
  lines.push(`PartitionName=main Nodes=${nodes.join(',')} Default=YES MaxTime=60 State=UP`);
  return `${lines.join('\n')}\n`;
}

async function until(holds: () => Promise<boolean>, complaint: () => string): Promise<void> {
  const start = performance.now();
  while (!(await holds())) {
    if (performance.now() - start > STARTING) throw new Error(complaint());
    await delay(50);
  }
}
