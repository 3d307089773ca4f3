import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { setDefaultCluster } from '../../actors/cluster/current-cluster.ts';
import { readMachineFile } from '../../actors/cluster/machine-file.ts';
import { Cluster } from '../../actors/cluster.ts';
import { type Command, numberOf, type Parsed } from './command.ts';
import { messageOf, UsageError } from './report.ts';
import { runScript, scriptFile } from './run/script.ts';
import { StartingLine } from './run/starting-line.ts';
import { importTypeScript } from './run/typescript.ts';

/** How many workers there are to be on this host: one for each processor if nothing is said of any. */
const countOf = (parsed: Parsed): number => {
  const { procs, 'machine-file': file } = parsed.args;
  if (procs === 'auto') return availableParallelism();
  const count = numberOf(parsed, 'procs', { least: 0, whole: true });
  return count ?? (file === undefined ? availableParallelism() : 0);
};

/** The machines of a file. Throws a `UsageError` if it can't be read, or a line is not right. */
const machinesOf = ({ args: { 'machine-file': file } }: Parsed): string[] => {
  if (typeof file !== 'string') return [];
  try {
    return readMachineFile(file);
  } catch (error) {
    throw new UsageError(messageOf(error), 'Write one machine a line: [count*][user@]host[:port]');
  }
};

/** A module as all processes are to load it: a file of this host by its URL, or a name. */
const moduleOf = (text: string): string => {
  const file = resolve(text);
  return existsSync(file) ? pathToFileURL(file).href : text;
};

/** The workers that a command line asks for. */
interface Wanted {
  readonly count: number;
  readonly machines: readonly string[];
  readonly fork: string | undefined;
}

/** Starts the workers; rejects with AddProcsError if one does not come. */
const addWorkers = async (
  cluster: Cluster,
  { count, machines, fork }: Wanted,
  line: StartingLine,
): Promise<void> => {
  const added = [
    ...(count > 0 ? [cluster.addProcs(count, fork === undefined ? {} : { fork })] : []),
    ...(machines.length > 0 ? [cluster.addProcs(machines)] : []),
  ];
  // How many `auto` is on another machine is known there.
  const all = machines.length === 0 ? count : undefined;
  line.show(0, all);
  await Promise.all(
    added.map(async (workers) => {
      for await (const _ of workers) line.show(1, all);
    }),
  );
};

/** `offsite run`: a script with a cluster, as `julia -p`. */
export const run: Command = {
  name: 'run',
  description: 'Start sites, run a script with them as the workers of its cluster, and end them',
  operands: 'SCRIPT [ARGUMENT…]',
  passesOn: true,
  args: {
    procs: {
      type: 'string',
      alias: 'p',
      valueHint: 'N',
      description: 'Workers on this machine, or auto: one for each processor (default: auto)',
    },
    'machine-file': {
      type: 'string',
      valueHint: 'FILE',
      description: 'Machines with workers, by ssh: [count*][user@]host[:port] a line',
    },
    load: {
      type: 'string',
      alias: 'L',
      valueHint: 'MODULE',
      description: 'A module that all processes load first; may be repeated',
    },
    fork: {
      type: 'string',
      valueHint: 'METHOD',
      description:
        'How those on this machine are started: sh for processes, virtual for threads (default: sh)',
    },
  },
  notes: [
    [
      'THE SCRIPT',
      '',
      '  It is a module, JavaScript or TypeScript, runs in this process, and has its cluster by currentCluster() of',
      "  'offsite/cluster'. Options behind its name are its own.",
    ].join('\n'),
    [
      'THE END',
      '',
      '  When the script has nothing more to do, the workers are ended, and the exit code is its own; also when it',
      '  fails (1), and after Ctrl-C (130) or SIGTERM (143).',
    ].join('\n'),
  ],
  examples: [
    ['offsite run -p 4 script.ts', 'Four workers on this machine'],
    ['offsite run --machine-file hosts.txt script.ts', 'Workers on the machines of a file'],
    [
      'offsite run -p 4 --fork virtual -L ./prices.ts script.ts --year 2024',
      'As threads that load a module first',
    ],
  ],
  run: async (parsed) => {
    const [path, ...words] = parsed.rest;
    if (path === undefined) {
      throw new UsageError('There is no script to run.', 'For example: offsite run -p 4 script.ts');
    }
    const file = scriptFile(path);
    const { fork } = parsed.args;
    const wanted: Wanted = {
      count: countOf(parsed),
      machines: machinesOf(parsed),
      fork: typeof fork === 'string' ? fork : undefined,
    };
    importTypeScript();
    const cluster = new Cluster({ name: 'offsite run' });
    const line = new StartingLine(process.stderr);
    const stop = onEarlySignal(cluster);
    let early: number | undefined;
    try {
      await addWorkers(cluster, wanted, line).finally(() => line.clear());
      for (const module of parsed.all('load')) await cluster.everywhere(moduleOf(module));
      if (stop.code !== undefined) return stop.code;
      stop.restore();
      setDefaultCluster(cluster);
      const { code, cutShort } = await runScript(file, words);
      if (cutShort) early = code;
      return code;
    } catch (error) {
      // What was given up by a signal has not failed.
      if (stop.code !== undefined) return stop.code;
      throw error;
    } finally {
      stop.restore();
      await cluster.close();
      setDefaultCluster(undefined);
      // What the script has begun and not ended would hold the process.
      if (early !== undefined) process.exit(early);
    }
  },
};

/** Gives up the workers that start when a signal asks for an end. */
const onEarlySignal = (cluster: Cluster): { code: number | undefined; restore: () => void } => {
  const listeners = Object.entries({ SIGINT: 130, SIGTERM: 143, SIGHUP: 129 }).map(([signal, code]) => {
    const listener = () => {
      if (early.code !== undefined) process.exit(code);
      early.code = code;
      void cluster.close();
    };
    process.on(signal, listener);
    return () => process.off(signal, listener);
  });
  const early = {
    code: undefined as number | undefined,
    restore: () => {
      for (const off of listeners) off();
    },
  };
  return early;
};
