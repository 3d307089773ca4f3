import { networkInterfaces } from 'node:os';
import * as v from 'valibot';
import { OptionError } from '../../lib/wire/errors.ts';
import type { OutputSink } from '../remote-manager/output.ts';
import type { RemoteManagerOptions } from '../remote-manager.ts';
import { checked, count, milliseconds, words } from './check.ts';
import type { Topology } from './options.ts';

/** What every worker of an `addProcs` can be told, however it is started. */
export interface CommonProcsOptions {
  /** The folder that it works in. @default this process's on this host, as in Julia; elsewhere that of the login */
  dir?: string;
  /** Environment variables, `undefined` to remove one. @default none; Julia passes some of its own on */
  env?: Readonly<Record<string, string | undefined>>;
  /**
   * The path of Node.js, or a command's words that end with it, as `['nice', '-n', '10', 'node']`.
   * @default this program's own on this host, `node` from the PATH elsewhere; Julia takes its own path everywhere
   */
  exename?: string | readonly string[];
  /** Options of Node.js: one as a string, or several. @default none, as in Julia */
  exeflags?: string | readonly string[];
  /** How long one worker's start may take, in milliseconds. @default 30000; Julia has JULIA_WORKER_TIMEOUT, 60 s */
  timeout?: number;
  /** What the cluster is to have; only while it has no workers can it be another. @default the cluster's own */
  topology?: Topology;
  /** Whether workers connect to each other only when one calls the other. @default the cluster's own */
  lazy?: boolean;
  /** Where what its code prints goes. @default 'inherit', with its name before each line */
  stdout?: OutputSink;
  /** Where what it prints as errors goes. @default 'inherit' */
  stderr?: OutputSink;
}

/** What only workers on this host can be told. */
export interface LocalProcsOptions {
  /**
   * `sh` for processes, `virtual` for threads, or another fork method that leads to this host.
   * @default 'sh': as in Julia, a worker that dies takes nobody along
   */
  fork?: string | readonly string[];
  /** Limits of virtual ones, as for a worker thread. @default none */
  resourceLimits?: RemoteManagerOptions['resourceLimits'];
  /** Whether they let only this host connect. @default true, as in Julia */
  restrict?: boolean;
}

/** What only workers that ssh starts can be told. */
export interface SSHProcsOptions {
  /** The command line of ssh. @default the environment variable OFFSITE_SSH, or 'ssh', as in Julia */
  ssh?: string;
  /** More words for ssh: one as a string, or several. @default none, as in Julia */
  sshflags?: string | readonly string[];
  /** Whether other workers reach them only through the process that adds them. @default false, as in Julia */
  tunnel?: boolean;
  /**
   * Whether all workers of one machine share one connection.
   * @default true, but false on Windows, whose ssh can't; Julia's default is false, but one worker starts the others
   */
  multiplex?: boolean;
  /** How many may start on one machine at once: sshd's MaxStartups is 10. @default 10, as in Julia */
  maxParallel?: number;
}

/** All that `addProcs` can be told, with Julia's names; which of them fit depends on what is added. */
export interface AddProcsOptions extends CommonProcsOptions, LocalProcsOptions, SSHProcsOptions {}

const oneOrMore = () => v.union([v.string(), words()], 'must be a word, or several in an array');

const common = {
  dir: v.optional(v.string()),
  env: v.optional(v.record(v.string(), v.optional(v.string()))),
  exename: v.optional(
    v.union(
      [v.pipe(v.string(), v.nonEmpty()), v.pipe(words(), v.minLength(1))],
      'must be the path of node, or the words of a command',
    ),
  ),
  exeflags: v.optional(oneOrMore()),
  timeout: v.optional(milliseconds()),
  topology: v.optional(
    v.picklist(['all_to_all', 'master_worker', 'custom'], 'must be all_to_all, master_worker or custom'),
  ),
  lazy: v.optional(v.boolean()),
  // Checked by each worker's RemoteManager.
  stdout: v.optional(v.any()),
  stderr: v.optional(v.any()),
};

const local = {
  fork: v.optional(
    v.union(
      [v.pipe(v.string(), v.nonEmpty()), v.pipe(words(), v.minLength(1))],
      'must be a name, or the words of a command',
    ),
  ),
  resourceLimits: v.optional(v.record(v.string(), v.optional(v.number()))),
  restrict: v.optional(v.boolean(), true),
};

const ssh = {
  ssh: v.optional(v.pipe(v.string(), v.nonEmpty())),
  sshflags: v.optional(oneOrMore()),
  tunnel: v.optional(v.boolean(), false),
  multiplex: v.optional(v.boolean(), process.platform !== 'win32'),
  maxParallel: v.optional(count(), 10),
};

const schemas = {
  common: v.strictObject(common),
  local: v.strictObject({ ...common, ...local }),
  ssh: v.strictObject({ ...common, ...ssh }),
};

const WHOSE = {
  common: "workers of a manager's own",
  local: 'workers on this host',
  ssh: 'workers by ssh',
} as const;

/** Which options fit. */
export type ProcsKind = keyof typeof schemas;

/** The options checked, with what has the same default everywhere; throws OptionError for one that does not fit. */
export const checkAddProcs = <K extends ProcsKind>(
  kind: K,
  options: AddProcsOptions,
): v.InferOutput<(typeof schemas)[K]> => checked(schemas[kind], options, WHOSE[kind]);

/** What was written as one word or several, as several. */
export const listed = (given: string | readonly string[] | undefined): readonly string[] =>
  given === undefined ? [] : typeof given === 'string' ? [given] : given;

/** What `addProcs` was told of each worker, as its RemoteManager takes it; only what was said. Throws OptionError. */
export const siteOptionsOf = (options: AddProcsOptions): RemoteManagerOptions => {
  const { dir, env, exename, exeflags, timeout, stdout, stderr } = options;
  if (Array.isArray(exename) && exename.length === 0)
    throw new OptionError('exename', 'The option exename has no word; it must end with the path of node.');
  // What stands before `node` is what is run there; the rest of its words come before Node's own options.
  const [nodePath, ...before] = listed(exename);
  const execArgv = [...before, ...listed(exeflags)];
  return {
    ...(dir !== undefined && { cwd: dir }),
    ...(env !== undefined && { env }),
    ...(nodePath !== undefined && { nodePath }),
    ...(execArgv.length > 0 && { execArgv }),
    ...(timeout !== undefined && { timeout }),
    ...(stdout !== undefined && { stdout }),
    ...(stderr !== undefined && { stderr }),
  };
};

/**
 * The address of this host for other hosts, chosen as Julia does: IPv4 before IPv6, link-local ones last; loopback if
 * there is no network.
 */
export const outwardAddress = (interfaces = networkInterfaces()): string => {
  const rank = (address: string, family: string): number =>
    family === 'IPv4' ? (address.startsWith('169.254.') ? 2 : 0) : address.startsWith('fe80:') ? 3 : 1;
  const [best] = Object.values(interfaces)
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal }) => !internal)
    .sort((one, other) => rank(one.address, one.family) - rank(other.address, other.family));
  if (!best) return '127.0.0.1';
  return best.family === 'IPv6' ? `[${best.address}]` : best.address;
};
