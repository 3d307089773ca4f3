import type { Readable } from 'node:stream';
import type { ResourceLimits } from 'node:worker_threads';
import type { Credentials } from '../access/credentials.ts';
import type { Order, Reply } from '../engine/detached/order.ts';
import type { Death } from '../wire/errors.ts';
import type { Link } from '../wire/link/link.ts';

/** How an engine is started: by a name, by a command that gets two arguments, or by a command's words. */
export type ForkMethod =
  | 'automatic'
  | 'virtual'
  | 'sh'
  | 'ssh'
  | 'daemon'
  | (string & {})
  | readonly string[];

/** What a fork method needs to know; the manager has checked it. */
export interface ForkRequest {
  /** As the user wrote it, `[user@]host[:port]`. */
  readonly host: string;
  /** The site's name in messages. */
  readonly name: string;
  readonly detach: boolean;
  /** The folder that the site is to work in, as far as it matters to the fork; the engine goes there by itself. */
  readonly cwd?: string;
  /** Options of Node.js over there. */
  readonly execArgv: readonly string[];
  /** Whether the engine is sent or must be installed over there. */
  readonly engine: 'travel' | 'installed';
  /** The path of `node` over there, if it is not on the PATH. */
  readonly nodePath?: string;
  /** More words for ssh, before the host. */
  readonly sshOptions: readonly string[];
  /** The command line of ssh, if it is not the system's own. */
  readonly ssh?: string;
  /** How one shows a daemon who one is. */
  readonly credentials?: Credentials;
  /** The node that is wanted, of a scheduler that shares several out. */
  readonly node?: string;
  readonly resourceLimits?: ResourceLimits;
  /** How long the whole start may take, in milliseconds. */
  readonly timeout: number;
  /** How long a site that is out of reach is borne, in milliseconds; may be `Infinity`. */
  readonly unreachableTimeout: number;
  /** How often the site says that it is alive, in milliseconds, as far as it matters to the fork. */
  readonly heartbeat?: number;
  /** Aborted when the start is given up; what was started by then must be ended. */
  readonly signal: AbortSignal;
  /** What is to be done over there, if no site is to be started by it that ends with this process. */
  readonly order?: Order;
  /** Gets each line that the site wrote to its real standard error (or output), past the link. */
  readonly onLine: (line: string) => void;
}

/** A command that becomes an engine, or leads to one. */
export interface Command {
  /** The fork method's name. */
  readonly method: string;
  readonly file: string;
  readonly args: readonly string[];
  /** Whether it becomes the engine on this host, and is no command of the user's that leads to one. */
  readonly here?: boolean;
  /** Whether it is the engine itself, which then has its link on the descriptors 3 and 4, and not a way to one. */
  readonly direct?: boolean;
  /** How to run a shell line where the engine runs, if that is not this host: its processes can't be signalled else. */
  readonly elsewhere?: (line: string) => Pick<Command, 'file' | 'args'>;
}

/** Why a site's process or thread ended. */
export interface SiteDeath extends Death {
  /** The error that ended it, where one is known. */
  readonly cause?: unknown;
}

/** What came of an order. */
export interface Errand {
  readonly reply: Reply;
  /** What is said over there after the reply, paused. */
  readonly input: Readable;
}

/** An engine that runs, and the link to it. */
export interface ForkedSite {
  /** The fork method that was chosen, as a word. */
  readonly method: string;
  readonly link: Link;
  /** The process that was started on this host: the engine's, or that of the command which leads to it. */
  readonly pid: number;
  /**
   * When something was last heard from the site, on the clock of `performance.now()`. Without it there is no way between
   * that could break: a thread lives as long as its process, and may be busy, but never out of reach.
   */
  heardAt?(): number;
  /** Resolves once the process or thread has ended. */
  readonly exited: Promise<SiteDeath>;
  /**
   * Has the operating system end it and all of its group, wherever it runs: SIGTERM asks, SIGKILL does not. A thread
   * is ended by either. Resolves when the signal was delivered, or could not be; never rejects.
   */
  kill(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /**
   * Ends at once what is on this host of a site that is out of reach, and tries to end it where it runs; unless it is
   * to outlive this process, then only the way to it ends. Resolves when both were tried; never rejects.
   */
  abandon(): Promise<void>;
  /** What came back for an order, and the streams behind it. */
  readonly errand?: Errand;
  /** Whether the site is detached and its door was gone to without a way that leads there, on this host. */
  readonly here?: true;
  /** Lets go of a site that is detached, which lives on; only there. Never rejects. */
  leave?(): Promise<void>;
  /** Ends what is left on this host of the group of a process that has ended. */
  sweep(): Promise<void>;
}

/** Starts an engine; rejects with ForkError, and then nothing of the attempt is left. */
export type Fork = (request: ForkRequest) => Promise<ForkedSite>;
