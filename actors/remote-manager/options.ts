import { existsSync } from 'node:fs';
import type { ResourceLimits } from 'node:worker_threads';
import * as v from 'valibot';
import type { Credentials } from '../../lib/access/credentials.ts';
import { HEARTBEAT_EVERY } from '../../lib/engine/protocol.ts';
import type { ForkMethod } from '../../lib/fork/fork-method.ts';
import { parseHost } from '../../lib/fork/host.ts';
import type { LinkWish } from '../../lib/module/table.ts';
import { TicketError } from '../../lib/ticket/errors.ts';
import { parseTicket, type Ticket } from '../../lib/ticket/ticket.ts';
import type { CallOptions } from '../../lib/wire/call/options.ts';
import { OptionError } from '../../lib/wire/errors.ts';
import { MAX_FRAME } from '../../lib/wire/frame/frame.ts';
import type { Limits } from '../../lib/wire/limits.ts';
import type { OutputSink } from './output.ts';
import type { GivenWay } from './way.ts';

/** How a site is to be started; everything has a default. */
export interface RemoteManagerOptions {
  /** `[user@]host[:port]`. @default 'localhost' */
  host?: string;
  /** How the engine is started. @default 'automatic' */
  fork?: ForkMethod;
  /** Whether the site outlives this process; it then ends only by `close()`. @default false */
  detach?: boolean;
  /** A detached site that had no client for so long ends itself, in milliseconds. @default it never does */
  idleTimeout?: number;
  /** Text that `ticket()` gave: attaches to that detached site instead of starting one. */
  ticket?: string;
  /** The site's name in messages and before what it prints. @default the host and a number */
  name?: string;
  /** The folder that the site works in. @default this process's on this host, the login's elsewhere */
  cwd?: string;
  /** Environment variables for the site, `undefined` to remove one. @default what the engine inherits */
  env?: Readonly<Record<string, string | undefined>>;
  /** Options of Node.js for the site, for instance `['--max-old-space-size=512']`. @default none */
  execArgv?: readonly string[];
  /** How long the start may take, in milliseconds. @default 30000, as in Mozart: slow hosts need it */
  timeout?: number;
  /** Aborting it closes the site, whether it has started or not. */
  signal?: AbortSignal;
  /** Where the lines go that the site's code prints. @default 'inherit' */
  stdout?: OutputSink;
  /** Where the lines go that it prints as errors. @default 'inherit' */
  stderr?: OutputSink;
  /** Whether the engine is sent, or `offsite` is installed over there. @default 'travel' */
  engine?: 'travel' | 'installed';
  /** The path of `node` over there. @default this program's own on this host, `node` from the PATH elsewhere */
  nodePath?: string;
  /** More words for ssh, for instance `['-J', 'gate']`. @default none */
  sshOptions?: readonly string[];
  /** The command line of ssh. @default the environment variable OFFSITE_SSH, or 'ssh' */
  ssh?: string;
  /** How one shows a daemon who one is. @default the key file of this user */
  credentials?: Credentials;
  /** The node that is wanted, where `host` is a scheduler that shares several out. @default any that has a slot */
  node?: string;
  /** Folders outside the packages of linked modules from which these may import. @default none */
  serve?: readonly string[];
  /** What a call, a value or a stream may take of either process. @default see Limits */
  limits?: Partial<Limits>;
  /** How often a site in a process says that it is alive, in milliseconds, from 40 up. @default 1000 */
  heartbeat?: number;
  /**
   * How long a site may be out of reach before it is taken for dead, in milliseconds; `Infinity` is for ever.
   * @default 60000, as Erlang's net_ticktime
   */
  unreachableTimeout?: number;
  /** Limits of a virtual site, as for a worker thread. @default none */
  resourceLimits?: ResourceLimits;
}

/** How a module is linked. */
export interface LinkOptions extends CallOptions {
  /** Whose disk the module lies on. @default 'parent' for a `file:` URL that exists there, 'site' for the rest */
  origin?: 'parent' | 'site';
  /** Load it again if it is there, beside the old one, with all that has changed. @default false */
  fresh?: boolean;
}

/** The same, checked and complete. */
export interface CheckedOptions extends Omit<RemoteManagerOptions, 'name' | 'ticket'> {
  host: string;
  fork: ForkMethod;
  detach: boolean;
  execArgv: readonly string[];
  timeout: number;
  stdout: OutputSink;
  stderr: OutputSink;
  engine: 'travel' | 'installed';
  sshOptions: readonly string[];
  serve: readonly string[];
  heartbeat: number;
  unreachableTimeout: number;
  name?: string;
  ticket?: Ticket;
  /** The way to a site that has come by itself. */
  way?: GivenWay;
}

/** How a detached site is attached; what is not said is as when one is started. */
export type AttachOptions = Pick<
  RemoteManagerOptions,
  | 'host'
  | 'fork'
  | 'name'
  | 'timeout'
  | 'signal'
  | 'stdout'
  | 'stderr'
  | 'engine'
  | 'nodePath'
  | 'sshOptions'
  | 'ssh'
  | 'credentials'
  | 'node'
  | 'serve'
  | 'limits'
>;

const words = v.array(v.string());
const sink = v.custom<OutputSink>(
  (value) =>
    value === 'inherit' ||
    value === 'ignore' ||
    typeof value === 'function' ||
    typeof (value as { write?: unknown } | null)?.write === 'function',
  "must be 'inherit', 'ignore', a function of a line, or a writable stream",
);

const text = v.optional(v.string());

const credentials = v.strictObject({
  secret: text,
  secretFile: text,
  certfile: text,
  keyfile: text,
  ca: text,
  user: text,
  password: v.optional(
    v.union(
      [v.string(), v.custom<() => string>((value) => typeof value === 'function')],
      'must be a text, or a function',
    ),
  ),
});

const count = (most: number) => v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(most)));

const schema = v.strictObject({
  host: v.optional(v.string(), 'localhost'),
  fork: v.optional(
    v.union(
      [v.pipe(v.string(), v.nonEmpty()), v.pipe(words, v.minLength(1))],
      'must be a name, or the words of a command',
    ),
    'automatic',
  ),
  detach: v.optional(v.boolean(), false),
  idleTimeout: v.optional(
    v.pipe(v.number(), v.minValue(1), v.maxValue(2 ** 31 - 1, 'must be below 2^31 milliseconds')),
  ),
  ticket: v.optional(v.string()),
  name: v.optional(v.pipe(v.string(), v.nonEmpty('must not be empty'))),
  cwd: v.optional(v.string()),
  env: v.optional(v.record(v.string(), v.optional(v.string()))),
  execArgv: v.optional(words, []),
  timeout: v.optional(
    v.pipe(v.number(), v.minValue(1), v.maxValue(2 ** 31 - 1, 'must be below 2^31 milliseconds')),
    30_000,
  ),
  signal: v.optional(v.instance(AbortSignal)),
  stdout: v.optional(sink, 'inherit'),
  stderr: v.optional(sink, 'inherit'),
  engine: v.optional(v.picklist(['travel', 'installed']), 'travel'),
  nodePath: v.optional(v.string()),
  sshOptions: v.optional(words, []),
  ssh: v.optional(v.pipe(v.string(), v.nonEmpty('must not be empty'))),
  credentials: v.optional(credentials),
  node: v.optional(v.string()),
  serve: v.optional(
    v.array(
      v.pipe(
        v.string(),
        v.check((folder) => existsSync(folder), 'must be folders that exist'),
      ),
    ),
    [],
  ),
  limits: v.optional(
    v.strictObject({
      messageSize: count(Number.MAX_SAFE_INTEGER),
      frameSize: count(MAX_FRAME),
      depth: count(100_000),
      references: count(2 ** 31),
      calls: count(2 ** 31),
      streams: count(2 ** 31),
    }),
  ),
  heartbeat: v.optional(
    v.pipe(
      v.number(),
      v.minValue(40, 'must be 40 ms or more'),
      v.maxValue(3_600_000, 'must be an hour or less'),
    ),
    HEARTBEAT_EVERY,
  ),
  unreachableTimeout: v.optional(v.pipe(v.number(), v.minValue(1)), 60_000),
  resourceLimits: v.optional(v.record(v.string(), v.optional(v.number()))),
});

const linkSchema = v.object({
  origin: v.optional(v.picklist(['parent', 'site'])),
  fresh: v.optional(v.boolean()),
});

/** Checks how a module is to be linked; throws OptionError. */
export const checkLinkOptions = (options: LinkOptions): LinkWish => {
  const result = v.safeParse(linkSchema, options, { abortEarly: true });
  if (result.success) return result.output;
  const option = v.getDotPath(result.issues[0]) ?? 'options';
  throw new OptionError(option, `The option ${option} of a link is not right: ${result.issues[0].message}.`);
};

/** Checks what a user gave and fills in the defaults; throws OptionError, which names the option. */
export const checkOptions = (options: RemoteManagerOptions): CheckedOptions => {
  const result = v.safeParse(schema, options, { abortEarly: true });
  if (!result.success) {
    const [issue] = result.issues;
    const option = v.getDotPath(issue) ?? 'options';
    const what =
      issue.type === 'strict_object' && issue.expected === 'never'
        ? `There is no option "${option}" for a RemoteManager.`
        : `The option ${option} is not right: ${issue.message}.`;
    throw new OptionError(option, what);
  }
  const checked = result.output as Omit<CheckedOptions, 'ticket'> & { ticket?: string };
  const { ticket: text, ...rest } = checked;
  const ticket = text === undefined ? undefined : parseTicket(text);
  if (rest.idleTimeout !== undefined && (!rest.detach || ticket)) {
    throw new OptionError(
      'idleTimeout',
      'The option idleTimeout is for a detached site that is started: set detach.',
    );
  }
  parseHost(rest.host);
  return ticket ? ofTicket(rest, ticket, options) : rest;
};

/** Whether following a ticket runs no command but `ssh` and Node.js: it may come from anybody. */
const leadsByItself = ({ fork = 'automatic' }: Ticket): boolean =>
  typeof fork === 'string' && ['automatic', 'sh', 'ssh'].includes(fork);

/** What a ticket says, where its user does not say otherwise. */
const ofTicket = (
  checked: Omit<CheckedOptions, 'ticket'>,
  ticket: Ticket,
  { host, fork, name }: RemoteManagerOptions,
): CheckedOptions => {
  if (ticket.kind !== 'site') {
    throw new TicketError('malformed', 'This ticket is for a value that was offered; use take(ticket).');
  }
  const { cwd, env, execArgv } = checked;
  if (cwd !== undefined || env !== undefined || execArgv.length > 0) {
    throw new OptionError(
      'ticket',
      'A site that runs keeps its cwd, env and execArgv; leave them out to attach to it.',
    );
  }
  if (ticket.host !== undefined) parseHost(ticket.host);
  if (fork === undefined && host === undefined && !leadsByItself(ticket)) {
    const command = [ticket.fork].flat().join(' ');
    throw new TicketError(
      'command',
      `The ticket for ${ticket.name} leads there by the command "${command}", which is run only at your own word, because anybody could have written it: give attach(ticket, { fork }) with it.`,
    );
  }
  return {
    ...checked,
    detach: true,
    ticket,
    name: name ?? ticket.name,
    host: host ?? ticket.host ?? checked.host,
    // The fork method of a ticket leads to its own host.
    fork: fork ?? (host === undefined ? ticket.fork : undefined) ?? checked.fork,
  };
};
