import process from 'node:process';
import type { SchedulerOptions, SharePolicy } from '../../actors/scheduler/options.ts';
import { SCHEDULER_PORT, Scheduler } from '../../actors/scheduler.ts';
import type { AccessFiles } from '../access/credentials.ts';
import { written } from '../cluster/direct/address.ts';
import { OptionError } from '../wire/errors.ts';
import { type Command, numberOf, type Parsed } from './command.ts';
import { printable } from './daemon/columns.ts';
import { UsageError } from './report.ts';
import { schedulerTable } from './scheduler/table.ts';
import { accessKinds } from './serve/announce.ts';
import { codeOf, listenToSignals } from './serve/signals.ts';

const MINUTE = 60_000;
const SECOND = 1_000;

const FILES = {
  'secret-file': 'secretFile',
  certfile: 'certfile',
  keyfile: 'keyfile',
  ca: 'ca',
  'password-file': 'passwordFile',
} as const satisfies Record<string, keyof AccessFiles>;

const textOf = ({ args }: Parsed, option: string): string | undefined => {
  const value = args[option];
  return typeof value === 'string' ? value : undefined;
};

const weightsOf = (parsed: Parsed): Record<string, number> =>
  Object.fromEntries(
    parsed.all('weight').map((word) => {
      const [, user, weight] = /^([^=]+)=(\d+(?:\.\d+)?)$/.exec(word) ?? [];
      if (user !== undefined) return [user, Number(weight)];
      throw new UsageError(
        `The option --weight is "${word}", but must be USER=N.`,
        'For example --weight ada=3',
      );
    }),
  );

const optionsOf = (parsed: Parsed): SchedulerOptions => {
  const access = Object.fromEntries(
    Object.entries(FILES).flatMap(([option, name]) => {
      const file = textOf(parsed, option);
      return file === undefined ? [] : [[name, file]];
    }),
  );
  const hosts = parsed.all('host');
  const port = numberOf(parsed, 'port', { least: 0, whole: true });
  const name = textOf(parsed, 'name');
  const policy = textOf(parsed, 'policy') as SharePolicy | undefined;
  const nodeSecret = textOf(parsed, 'node-secret-file');
  const lease = numberOf(parsed, 'zombie-interval', { least: 0.02 });
  const patience = numberOf(parsed, 'msg-timeout', { least: 0.001 });
  return {
    access,
    nodes: parsed.all('node'),
    weights: weightsOf(parsed),
    // With credentials everywhere, as a daemon.
    ...(hosts.length > 0 ? { host: hosts } : Object.keys(access).length > 0 && { host: ['0.0.0.0'] }),
    ...(port !== undefined && { port }),
    ...(name !== undefined && { name }),
    ...(policy !== undefined && { policy }),
    ...(nodeSecret !== undefined && { nodeCredentials: { secretFile: nodeSecret } }),
    ...(lease !== undefined && { zombieInterval: lease * MINUTE }),
    ...(patience !== undefined && { msgTimeout: patience * SECOND }),
  };
};

const serve = async (options: SchedulerOptions, json: boolean): Promise<number> => {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  let code = 0;
  let scheduler: Scheduler | undefined;
  let told = false;
  const log = (line: string) => {
    if (json) process.stdout.write(`${JSON.stringify({ event: 'node', at: Date.now(), line })}\n`);
    else process.stderr.write(`offsite: ${printable(line)}\n`);
  };
  const restore = listenToSignals({
    stop: (signal) => {
      if (!json)
        process.stderr.write(`offsite: ${signal}: ends when what runs has ended; the same again kills it\n`);
      told = true;
      void scheduler?.stop();
    },
    kill: (signal) => {
      code = codeOf(signal);
      void scheduler?.stop({ now: true });
    },
    report: () => {
      if (scheduler) process.stderr.write(`${schedulerTable(scheduler.status(), Date.now()).join('\n')}\n`);
    },
  });
  try {
    scheduler = await Scheduler.open(options, log);
    const { name, addresses } = scheduler;
    const access = accessKinds(options.access);
    if (json) {
      const serving = { event: 'serving', name, pid: process.pid, addresses, access };
      process.stdout.write(`${JSON.stringify(serving)}\n`);
    } else {
      const known = access.length > 0 ? access.join(' and ') : 'no credentials, so this host only';
      process.stderr.write(`offsite: ${name} schedules at ${addresses.map(written).join(' ')} (${known})\n`);
    }
    // A signal that came while it opened found nothing to stop.
    if (told) void scheduler.stop({ now: code !== 0 });
    await scheduler.ended;
    return code;
  } catch (cause) {
    if (cause instanceof OptionError) throw new UsageError(cause.message, 'Type: offsite scheduler --help');
    throw cause;
  } finally {
    restore();
  }
};

/** `offsite scheduler`: shares the slots of daemons out among many clients. */
export const scheduler: Command = {
  name: 'scheduler',
  description: 'Share the slots of nodes out among many clients',
  args: {
    node: {
      type: 'string',
      valueHint: 'HOST[:PORT]',
      description: 'A daemon whose slots are shared; may be repeated (others join by themselves)',
    },
    policy: {
      type: 'string',
      valueHint: 'POLICY',
      description: 'How slots are shared out: fair, fifo or exclusive (default: fair)',
    },
    weight: {
      type: 'string',
      valueHint: 'USER=N',
      description: 'The weight of a user for fair, from 1 to 1000; may be repeated (default: 1)',
    },
    host: {
      type: 'string',
      alias: 'i',
      valueHint: 'ADDR',
      description: 'Where to listen; may be repeated (default: everywhere with credentials, else loopback)',
    },
    port: {
      type: 'string',
      alias: 'p',
      valueHint: 'N',
      description: `The port (default: ${SCHEDULER_PORT}; 0 is any that is free)`,
    },
    name: { type: 'string', valueHint: 'NAME', description: "As people call it (default: the host's name)" },
    'secret-file': {
      type: 'string',
      valueHint: 'FILE',
      description: 'Keys of users and of nodes that join, as offsite keygen writes them',
    },
    certfile: { type: 'string', valueHint: 'FILE', description: 'Its certificate (PEM), for mutual TLS' },
    keyfile: { type: 'string', valueHint: 'FILE', description: 'The private key of that certificate (PEM)' },
    ca: {
      type: 'string',
      valueHint: 'FILE',
      description: 'The authorities that others must come from (PEM)',
    },
    'password-file': {
      type: 'string',
      valueHint: 'FILE',
      description: 'Verifiers of passwords, as offsite passwd writes them',
    },
    'node-secret-file': {
      type: 'string',
      valueHint: 'FILE',
      description: 'The key by which it goes to its daemons (default: your own)',
    },
    'zombie-interval': {
      type: 'string',
      valueHint: 'MINUTES',
      description: 'A client who is silent for so long loses its sites (default: 60)',
    },
    'msg-timeout': {
      type: 'string',
      valueHint: 'S',
      description: 'Seconds that others may take for what they have begun to say (default: 10)',
    },
    json: { type: 'boolean', description: 'Lines of JSON on stdout instead' },
  },
  notes: [
    [
      'THE END',
      '',
      '  SIGTERM, SIGINT and SIGHUP have it take nobody any more and end when what runs has ended; a second one kills',
      '  that. SIGUSR1 prints nodes and clients on stderr.',
    ].join('\n'),
  ],
  examples: [
    ['offsite scheduler --secret-file keys --node node-1 --node node-2', 'Two nodes for all who have a key'],
    [
      'offsite scheduler --secret-file keys --weight ada=3',
      'Nodes join by themselves; ada gets three times as much',
    ],
    ['offsite scheduler --secret-file keys --policy exclusive', 'One client after the other'],
  ],
  run: async (parsed) => {
    if (parsed.rest.length > 0)
      throw new UsageError(
        'scheduler takes no operand, and one was given.',
        'Type: offsite scheduler --help',
      );
    const policy = textOf(parsed, 'policy') ?? 'fair';
    if (!['fair', 'fifo', 'exclusive'].includes(policy)) {
      const what = `The option --policy is "${policy.slice(0, 40)}", but must be fair, fifo or exclusive.`;
      throw new UsageError(what, 'For example --policy fifo');
    }
    return serve(optionsOf(parsed), parsed.args.json === true);
  },
};
