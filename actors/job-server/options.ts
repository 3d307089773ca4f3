import { availableParallelism } from 'node:os';
import * as v from 'valibot';
import type { Credentials } from '../../lib/access/credentials.ts';
import type { FunctionText } from '../../lib/cluster/function-text.ts';
import { parseWhere } from '../../lib/discovery/where.ts';
import { OptionError } from '../../lib/wire/errors.ts';
import { checked, count } from '../cluster/check.ts';
import { checkOptions, type RemoteManagerOptions } from '../remote-manager/options.ts';
import type { OutputSink } from '../remote-manager/output.ts';
import type { Acknowledgement } from './journal/deliveries.ts';
import { type CheckedJournalOptions, checkJournalOptions, journalSchema } from './journal/options.ts';
import { type JobTarget, targetText } from './target.ts';

/** A server on which jobs run. */
export interface ServerSpec {
  /** As the nodes' names and messages call it. @default what `host` says, or the fork method */
  name?: string;
  /**
   * `[user@]host[:port]`, or with the fork method `'daemon'` a word that says where daemons are looked for, as `'auto'`:
   * all that are found are such servers. @default this host
   */
  host?: string;
  /** How its sites are started; `'daemon'` reaches an `offsite serve`. @default 'automatic' */
  fork?: RemoteManagerOptions['fork'];
  /** How many jobs it runs at once at most. @default what a daemon says, or the number of its processors */
  cpus?: number;
  /** What jobs can ask for when they are placed; a daemon's own are there too. */
  labels?: Readonly<Record<string, string>>;
  /** The arguments of `setup` and `cleanup` on this node. @default those of `setup` */
  setupArgs?: readonly unknown[];
  /** The largest file that a job may send or fetch there, in bytes. @default what a daemon says, or no bound */
  maxFileSize?: number;
  /** More of how its sites are started. */
  site?: Omit<
    RemoteManagerOptions,
    'host' | 'fork' | 'name' | 'signal' | 'detach' | 'ticket' | 'idleTimeout'
  >;
}

/** A function that is called in each site before its first job, or when it ends. */
export type Preparation = JobTarget | { readonly run: JobTarget; readonly args?: readonly unknown[] };

/** How a job server is to be; everything has a default. */
export interface JobServerOptions {
  /** As it is called in messages and in the tree. @default 'jobs' and a number */
  name?: string;
  /** How many jobs run at once on this host; 0 runs them on the servers only. @default 'autodetect' */
  ncpus?: number | 'autodetect';
  /** How sites on this host are started. @default 'sh': processes, which can be killed one by one */
  fork?: RemoteManagerOptions['fork'];
  /**
   * Where jobs run beside this host: `host[:port]` of a daemon; `'auto'`, `'host:*'`, `'srv:NAME'` or `'@FILE'` for all
   * that are found; or more of it.
   */
  servers?: readonly (string | ServerSpec)[];
  /** The text of a key for all daemons; `credentials` says more. */
  secret?: string;
  credentials?: Credentials;
  /** Jobs of which at most so many wait; then `submit` throws QueueFullError. @default 100000 */
  maxQueued?: number;
  /** How long jobs wait if there is no node for them, in milliseconds; then they reject with NoNodeError. @default 30000 */
  nodeTimeout?: number;
  /** Runs in each site before its first job; what it gives is `currentJob().nodeData`. */
  setup?: Preparation;
  /** Runs in each site when it ends in order, with what `setup` gave. */
  cleanup?: Preparation;
  /** Whether each job has a fresh site, as Parallel Python's `restart`. @default false */
  restartWorkers?: boolean;
  /** Where lines go that sites print while no job does. @default 'inherit' */
  stdout?: OutputSink;
  stderr?: OutputSink;
  /** Options of Node.js for the sites of this host. @default none */
  execArgv?: readonly string[];
  /** Aborting it terminates the job server. */
  signal?: AbortSignal;
  /** The folder in which jobs are written down, so that they survive this process. @default none: they end with it */
  journal?: string;
  /** What being written means: that it survives the host's loss of power, or only this process's end. @default 'sync' */
  durable?: 'sync' | 'os';
  /** How long the journal keeps results that nobody has acknowledged, in milliseconds. @default 86400000, a day */
  keepResults?: number;
  /** When a result of the journal is acknowledged: as soon as it was delivered, or by `acknowledge()`. @default 'delivered' */
  acknowledge?: Acknowledgement;
}

/** A function that prepares a site, and its arguments. */
export interface PreparationText {
  readonly fn: FunctionText;
  readonly args: readonly unknown[];
}

/** A server, checked and complete. */
export interface CheckedServer extends ServerSpec {
  /** As its user wrote it. */
  readonly text: string;
  readonly fork: NonNullable<RemoteManagerOptions['fork']>;
  readonly labels: Readonly<Record<string, string>>;
}

/** Where daemons are looked for. */
export interface SoughtServers {
  readonly words: readonly string[];
  /** What those are like that are found, but for where they are. */
  readonly like: CheckedServer;
}

/** The same, checked and complete. */
export interface CheckedJobServerOptions {
  readonly name: string | undefined;
  readonly ncpus: number;
  readonly servers: readonly CheckedServer[];
  readonly sought: readonly SoughtServers[];
  readonly credentials: Credentials | undefined;
  readonly maxQueued: number;
  readonly nodeTimeout: number;
  readonly setup: PreparationText | undefined;
  readonly cleanup: PreparationText | undefined;
  readonly restartWorkers: boolean;
  readonly stdout: OutputSink;
  readonly stderr: OutputSink;
  readonly fork: NonNullable<RemoteManagerOptions['fork']>;
  readonly execArgv: readonly string[];
  readonly signal: AbortSignal | undefined;
  readonly journal: CheckedJournalOptions | undefined;
}

const preparation = v.optional(
  v.custom<Preparation>(
    (value) => ['string', 'function', 'object'].includes(typeof value) && value !== null,
    'must be a function, or { run, args }',
  ),
);
const fork = v.custom<NonNullable<RemoteManagerOptions['fork']>>(
  (value) => (typeof value === 'string' && value !== '') || (Array.isArray(value) && value.length > 0),
  'must be a name, or the words of a command',
);
const nonNegative = (what: string) => v.pipe(v.number(what), v.integer(what), v.minValue(0, what));
const sink = v.custom<OutputSink>(
  (value) =>
    value === 'inherit' ||
    value === 'ignore' ||
    typeof value === 'function' ||
    typeof (value as { write?: unknown } | null)?.write === 'function',
  "must be 'inherit', 'ignore', a function of a line, or a writable stream",
);

/** What a host is that says where daemons are looked for, as in docs/discovery.md. */
const SEARCH = /^auto$|^srv:|^@|:\*$/;

const serverSchema = v.strictObject({
  name: v.optional(v.pipe(v.string(), v.nonEmpty('must not be empty'))),
  host: v.optional(v.pipe(v.string(), v.nonEmpty('must not be empty'))),
  fork: v.optional(fork),
  cpus: v.optional(count()),
  labels: v.optional(v.record(v.string(), v.string()), {}),
  setupArgs: v.optional(v.array(v.unknown())),
  maxFileSize: v.optional(nonNegative('must be a number of bytes')),
  site: v.optional(v.record(v.string(), v.unknown())),
});

const schema = v.strictObject({
  name: v.optional(v.pipe(v.string(), v.nonEmpty('must not be empty'))),
  ncpus: v.optional(
    v.union([v.literal('autodetect'), nonNegative('')], "must be 'autodetect', or a whole number from 0 up"),
    'autodetect',
  ),
  fork: v.optional(fork, 'sh'),
  servers: v.optional(
    v.array(v.union([v.pipe(v.string(), v.nonEmpty()), v.record(v.string(), v.unknown())])),
    [],
  ),
  secret: v.optional(v.pipe(v.string(), v.nonEmpty('must not be empty'))),
  credentials: v.optional(v.record(v.string(), v.unknown())),
  maxQueued: v.optional(count(), 100_000),
  nodeTimeout: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(2 ** 31 - 1)), 30_000),
  setup: preparation,
  cleanup: preparation,
  restartWorkers: v.optional(v.boolean(), false),
  stdout: v.optional(sink, 'inherit'),
  stderr: v.optional(sink, 'inherit'),
  execArgv: v.optional(v.array(v.string()), []),
  signal: v.optional(v.instance(AbortSignal)),
  ...journalSchema,
});

/** The word of an entry of `servers` that says where daemons are looked for, and names none itself. Throws OptionError. */
const wordOf = (server: string | ServerSpec): string | undefined => {
  if (typeof server === 'string') {
    return server.startsWith('@') || parseWhere(server).kind !== 'static' ? server : undefined;
  }
  const { fork, host } = server;
  return fork === 'daemon' && host !== undefined && SEARCH.test(host) ? host : undefined;
};

/** Has what somebody else finds wrong told under the name that the user gave it. */
const named = <T>(option: (inner: string) => string, check: () => T): T => {
  try {
    return check();
  } catch (cause) {
    if (!(cause instanceof OptionError)) throw cause;
    throw new OptionError(option(cause.option), cause.message, { cause });
  }
};

/** Checks one server; throws OptionError. */
export const checkServer = (server: string | ServerSpec): CheckedServer => {
  const word = wordOf(server);
  if (word !== undefined) {
    throw new OptionError(
      'server',
      `${JSON.stringify(word)} looks for servers: give it to JobServer.open().`,
    );
  }
  return checkSpec(server);
};

const checkSpec = (server: string | ServerSpec): CheckedServer => {
  const spec = typeof server === 'string' ? { host: server, fork: 'daemon' } : server;
  const found = checked(serverSchema, spec, 'a server of a JobServer') as ServerSpec;
  const way = found.fork ?? 'automatic';
  if (way === 'daemon' && found.host === undefined) {
    throw new OptionError('host', 'A daemon is reached by its host: give host.');
  }
  // Here, because the site is made in nobody's turn, where nobody would hear of it.
  named(
    (option) => `site.${option}`,
    () => checkOptions({ ...found.site }),
  );
  const text = typeof server === 'string' ? server : (found.name ?? found.host ?? [way].flat().join(' '));
  return { ...found, fork: way, labels: found.labels ?? {}, text };
};

/** Words that stand alone are one search, so that a daemon that two of them find is one node. Throws OptionError. */
const soughtIn = (given: readonly (string | ServerSpec)[]): SoughtServers[] => {
  const alone: string[] = [];
  const sought: SoughtServers[] = [];
  for (const server of given) {
    const word = wordOf(server);
    if (word === undefined) continue;
    if (typeof server === 'string') alone.push(word);
    else sought.push({ words: [word], like: checkSpec(server) });
  }
  const [first] = alone;
  return first === undefined ? sought : [{ words: alone, like: checkSpec(first) }, ...sought];
};

/** What a user wants to be run in each site, as it is sent. Throws OptionError. */
export const preparationText = (
  given: Preparation | undefined,
  option: string,
): PreparationText | undefined => {
  if (given === undefined) return undefined;
  const isWhole = typeof given === 'object' && 'run' in given;
  const { fn } = named(
    () => option,
    () => targetText(isWhole ? given.run : given),
  );
  if (!fn) throw new OptionError(option, `The option ${option} is a function, and no program.`);
  const args: unknown = isWhole ? (given.args ?? []) : [];
  if (!Array.isArray(args)) throw new OptionError(option, `The option ${option} has args that are no array.`);
  return { fn, args };
};

/** Checks what a user gave and fills in the defaults; throws OptionError, which names the option. */
export const checkJobServerOptions = (options: JobServerOptions): CheckedJobServerOptions => {
  const found = checked(schema, options, 'a JobServer');
  const credentials = found.credentials as Credentials | undefined;
  const given = found.servers as (string | ServerSpec)[];
  return {
    name: found.name,
    ncpus: found.ncpus === 'autodetect' ? availableParallelism() : found.ncpus,
    fork: found.fork,
    servers: given.filter((each) => wordOf(each) === undefined).map(checkServer),
    sought: soughtIn(given),
    credentials: found.secret === undefined ? credentials : { ...credentials, secret: found.secret },
    maxQueued: found.maxQueued,
    nodeTimeout: found.nodeTimeout,
    setup: preparationText(found.setup, 'setup'),
    cleanup: preparationText(found.cleanup, 'cleanup'),
    restartWorkers: found.restartWorkers,
    stdout: found.stdout,
    stderr: found.stderr,
    execArgv: found.execArgv,
    signal: found.signal,
    journal: checkJournalOptions(found),
  };
};
