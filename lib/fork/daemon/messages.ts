import { isRecord } from '../elastic/is-record.ts';

/** What is said beside the bytes of a site, as WebSocket messages of text, by a daemon and a client that has a site there. */

/** What a client says first: the site that he wants. */
export interface StartSite {
  readonly name: string;
  /** The client's own engine, which is sent if it is not there: SHA-256 in hexadecimal, and its size in bytes. */
  readonly engine: { readonly hash: string; readonly size: number };
  /** Options of Node.js. */
  readonly execArgv: readonly string[];
  /** The path of `node` over there, if it is not to be the daemon's own. */
  readonly nodePath?: string;
  /** Whether it is no site but a bridge, which does one errand for a detached one. */
  readonly bridge?: boolean;
  /** The client's current folder: one of that name over there becomes the site's, else it has one of its own. */
  readonly folder?: string;
  /** The node that is wanted, if this is said to a scheduler. */
  readonly node?: string;
  /** How long the site bears to be cut off from its client, in milliseconds; not said if for ever. */
  readonly endAfter?: number;
  /** Whether the client waits for a slot if none is free; else he is refused. @default false */
  readonly waits?: boolean;
}

/** Why a daemon starts no site. */
export type Refusal = 'busy' | 'draining' | 'closed' | 'request' | 'failed';

/** What a client says. */
export type FromClient =
  | { readonly start: StartSite }
  | { readonly signal: 'SIGTERM' | 'SIGKILL' }
  /** Nothing more is written for the site to read. */
  | { readonly end: true };

/** What a daemon says. */
export type FromDaemon =
  /** The process runs; what it writes are the binary messages from now on. */
  | { readonly spawned: { readonly pid: number } }
  | { readonly refused: { readonly why: Refusal; readonly what: string; readonly remedy: string } }
  /** What it wrote to its real standard error. */
  | { readonly noise: string }
  /** It has ended, and all that it wrote was sent. */
  | { readonly exit: { readonly exitCode: number | null; readonly signal: NodeJS.Signals | null } };

/** A message of text that is longer than this is none of these: 1 MiB. */
export const LONGEST_MESSAGE = 1024 * 1024;

const isText = (value: unknown): value is string => typeof value === 'string';
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) > 0;
const isMaybe = (check: (value: unknown) => boolean) => (value: unknown) =>
  value === undefined || check(value);
const isFlag = isMaybe((value) => typeof value === 'boolean');

const isStart = (start: unknown): boolean =>
  isRecord(start) &&
  isText(start.name) &&
  isRecord(start.engine) &&
  isText(start.engine.hash) &&
  /^[0-9a-f]{64}$/.test(start.engine.hash) &&
  isCount(start.engine.size) &&
  Array.isArray(start.execArgv) &&
  start.execArgv.every(isText) &&
  isMaybe(isText)(start.nodePath) &&
  isFlag(start.bridge) &&
  isMaybe(isText)(start.folder) &&
  isMaybe(isText)(start.node) &&
  isMaybe((value) => typeof value === 'number' && value > 0)(start.endAfter) &&
  isFlag(start.waits);

const REFUSALS: readonly unknown[] = ['busy', 'draining', 'closed', 'request', 'failed'];

const CHECKS: Record<string, (value: unknown) => boolean> = {
  start: isStart,
  signal: (signal) => signal === 'SIGTERM' || signal === 'SIGKILL',
  end: (end) => end === true,
  spawned: (spawned) => isRecord(spawned) && isCount(spawned.pid),
  refused: (refused) =>
    isRecord(refused) && REFUSALS.includes(refused.why) && isText(refused.what) && isText(refused.remedy),
  noise: isText,
  exit: (exit) =>
    isRecord(exit) &&
    (exit.exitCode === null || Number.isSafeInteger(exit.exitCode)) &&
    (exit.signal === null || isText(exit.signal)),
};

/** Reads a message; `undefined` if it is none that this version knows. */
export const readMessage = (text: string): FromClient | FromDaemon | undefined => {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return undefined;
  }
  const [[kind, value] = ['', undefined], more] = isRecord(message) ? Object.entries(message) : [];
  const holds = more === undefined && Object.hasOwn(CHECKS, kind) && CHECKS[kind]!(value);
  return holds ? (message as FromClient | FromDaemon) : undefined;
};
