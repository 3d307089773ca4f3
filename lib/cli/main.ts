#!/usr/bin/env node
import { createRequire } from 'node:module';
import process from 'node:process';
import { type Command, ownWords, parse, usage, wantsHelp } from './command.ts';
import { report, UsageError } from './report.ts';

// Each command is loaded when it is asked for: an engine that a manager starts through `offsite engine`
// should not pay for the parser of `map`, nor `map` for anything of `test`.
const commands: Record<string, () => Promise<Command>> = {
  attach: async () => (await import('./attach.ts')).attach,
  clients: async () => (await import('./clients.ts')).clients,
  close: async () => (await import('./close.ts')).close,
  drain: async () => (await import('./drain.ts')).drain,
  engine: async () => (await import('./engine.ts')).engine,
  join: async () => (await import('./join.ts')).join,
  keygen: async () => (await import('./keygen.ts')).keygen,
  logs: async () => (await import('./logs.ts')).logs,
  map: async () => (await import('./map.ts')).map,
  nodes: async () => (await import('./nodes.ts')).nodes,
  passwd: async () => (await import('./passwd.ts')).passwd,
  resume: async () => (await import('./resume.ts')).resume,
  run: async () => (await import('./run.ts')).run,
  scheduler: async () => (await import('./scheduler.ts')).scheduler,
  serve: async () => (await import('./serve.ts')).serve,
  'set-cpus': async () => (await import('./set-cpus.ts')).setCpus,
  sites: async () => (await import('./sites.ts')).sites,
  status: async () => (await import('./status.ts')).status,
  stop: async () => (await import('./stop.ts')).stop,
  test: async () => (await import('./test.ts')).test,
  tree: async () => (await import('./tree.ts')).tree,
};

const version = (): string =>
  (createRequire(import.meta.url)('offsite/package.json') as { version: string }).version;

const root: Command = {
  name: 'offsite',
  description: 'Start engines on this machine or others, put modules into them, and call those',
  args: {
    test: { type: 'boolean', description: 'Prove that this command can be started, print one line and exit' },
    version: { type: 'boolean', alias: 'v', description: 'Print the version' },
    help: { type: 'boolean', alias: 'h', description: 'Print this text, or that of the command before it' },
  },
  commands: {
    attach: 'Show how a detached site is and what it prints',
    clients: 'List the clients of a daemon, with their sites',
    close: 'End a detached site',
    drain: 'Have a daemon start nothing more, and wait until what runs has ended',
    engine: 'What runs in a site; managers start it',
    join: 'Start sites here that join a cluster elsewhere, by a ticket, or serve a scheduler',
    keygen: 'Make a key by which a user and a daemon know each other',
    logs: 'Print what a detached site has printed',
    map: 'Call a function once per input, on many sites',
    nodes: 'Find nodes in the network, and say why others can not be used',
    passwd: "Set a user's password in a daemon's file",
    resume: 'Have a daemon that drains take work again',
    run: 'Run a script with a cluster of sites',
    scheduler: 'Share the slots of nodes out among many clients',
    serve: 'Wait here for clients, and start sites for them',
    'set-cpus': 'Set how many sites a daemon has at most',
    sites: 'List your detached sites',
    status: 'Show how a daemon does',
    stop: 'End a daemon',
    test: 'Prove the whole way to a site and back, step by step',
    tree: 'Show the supervisors, sites and actors of a program or a detached site',
  },
  examples: [
    ['offsite test --host bamse', 'Can this machine reach bamse, and how fast?'],
    ['offsite map ./hash.js#sha256 *.iso -p 4', 'One JSON line a file, from four sites'],
    ['offsite run -p 4 script.ts', 'A script that finds four workers by currentCluster()'],
    ['offsite serve', 'A daemon here, which starts sites for programs'],
    ['offsite map --help', 'Everything about one command'],
  ],
  run: async ({ args, rest }) => {
    if (args.version === true) process.stdout.write(`${version()}\n`);
    else if (args.test === true) process.stdout.write('Remote: Test succeeded...\n');
    else {
      const unknown = rest[0] === undefined ? 'No command was given' : `There is no command "${rest[0]}"`;
      throw new UsageError(`${unknown}.`, `Use one of ${Object.keys(commands).join(', ')}: offsite --help`);
    }
    return 0;
  },
};

const main = async (argv: readonly string[]): Promise<number> => {
  const load = argv[0] !== undefined && Object.hasOwn(commands, argv[0]) ? commands[argv[0]] : undefined;
  const command = load ? await load() : root;
  const words = load ? argv.slice(1) : argv;
  if (wantsHelp(ownWords(command, words))) {
    process.stdout.write(await usage(command, process.stdout));
    return 0;
  }
  return command.run(parse(command, words));
};

// The code is set and not exited with, so that what was written to a pipe still leaves it.
process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => report(error, process.stderr));
