import { isRecord } from './is-record.ts';

/** What is said beside the frames, as WebSocket messages of text, by a program that lets sites join and one that joins. */

/** What a site says first that wants to join. */
export interface Hello {
  /** Its host's name, as it knows it. */
  readonly host: string;
  /** Its process, over there. */
  readonly pid: number;
  /** As it wants to be called. */
  readonly name?: string;
  /** Where it lets other workers connect, `host[:port]`. */
  readonly bind?: string;
}

/** How its engine is to be started, once the cluster takes it. */
export interface Start {
  readonly name: string;
  /** Options of Node.js. */
  readonly execArgv: readonly string[];
  /** How often it says that it is alive, in milliseconds. */
  readonly heartbeat: number;
  /** How long it bears to be cut off, in milliseconds; not said if for ever. */
  readonly endAfter?: number;
  /** How long its start may take, in milliseconds. */
  readonly timeout: number;
}

/** What the one that joins says. */
export type FromJoiner =
  | { readonly hello: Hello }
  /** The engine runs, and speaks frames from now on. */
  | { readonly started: { readonly pid: number } }
  /** It could not be started. */
  | { readonly failed: { readonly what: string; readonly remedy: string } }
  /** A line of its real standard error. */
  | { readonly line: string }
  /** The engine has ended. */
  | { readonly exit: { readonly exitCode: number | null; readonly signal: NodeJS.Signals | null } };

/** What the program says that it joins. */
export type FromProgram =
  /** The ticket is good; the site waits until it is wanted. */
  | { readonly welcome: true }
  /** The ticket is not good any more. */
  | { readonly refused: 'used' | 'expired' | 'gone' }
  | { readonly start: Start }
  | { readonly signal: 'SIGTERM' | 'SIGKILL' };

/** A message of text that is longer than this is none of these: 256 KiB, four times the longest line. */
export const LONGEST_MESSAGE = 256 * 1024;

const isText = (value: unknown): value is string => typeof value === 'string';
const maybeText = (value: unknown): boolean => value === undefined || isText(value);
const isPid = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) > 0;
const isTime = (value: unknown): boolean => typeof value === 'number' && value > 0;

const CHECKS: Record<string, (value: unknown) => boolean> = {
  hello: (hello) =>
    isRecord(hello) &&
    isText(hello.host) &&
    isPid(hello.pid) &&
    maybeText(hello.name) &&
    maybeText(hello.bind),
  started: (started) => isRecord(started) && isPid(started.pid),
  failed: (failed) => isRecord(failed) && isText(failed.what) && isText(failed.remedy),
  line: isText,
  exit: (exit) =>
    isRecord(exit) &&
    (exit.exitCode === null || Number.isSafeInteger(exit.exitCode)) &&
    (exit.signal === null || isText(exit.signal)),
  welcome: (welcome) => welcome === true,
  refused: (reason) => reason === 'used' || reason === 'expired' || reason === 'gone',
  start: (start) =>
    isRecord(start) &&
    isText(start.name) &&
    Array.isArray(start.execArgv) &&
    start.execArgv.every(isText) &&
    isTime(start.heartbeat) &&
    isTime(start.timeout) &&
    (start.endAfter === undefined || isTime(start.endAfter)),
  signal: (signal) => signal === 'SIGTERM' || signal === 'SIGKILL',
};

/** Reads a message; `undefined` if it is none that this version knows. */
export const readMessage = (text: string): FromJoiner | FromProgram | undefined => {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isRecord(message)) return undefined;
  const [[word, value] = [], more] = Object.entries(message);
  if (word === undefined || more || !Object.hasOwn(CHECKS, word) || !CHECKS[word]!(value)) return undefined;
  return message as unknown as FromJoiner | FromProgram;
};
