import type { Limits } from '../wire/limits.ts';

/** What a manager tells the engine first, as the session's greeting; plain data. */
export interface ManagerGreeting {
  readonly protocol: number;
  /** The manager's process id; an engine whose parent is another process may have to clear up after itself. */
  readonly pid: number;
  /** The site's name, as people see it. */
  readonly name: string;
  /** The folder to work in, the engine's own if it is not said. */
  readonly cwd?: string;
  /** Environment variables to set, `null` to remove one. They come here because a command line can be read by all. */
  readonly env?: Readonly<Record<string, string | null>>;
  /** Whether the site was asked for on the manager's own host, without a command that may lead elsewhere. */
  readonly local: boolean;
  /** What the manager may take of the site's process, as far as it differs from what is usual. */
  readonly limits?: Partial<Limits>;
  /** Whether the site outlives its parent. */
  readonly detach: boolean;
  /** How often the site says that it is alive, in milliseconds. */
  readonly heartbeat?: number;
  /** How long the manager bears a site that is out of reach, in milliseconds; not said if for ever. */
  readonly unreachableTimeout?: number;
  /** The manager's own `SSH_CONNECTION`: a site that has the same one has inherited it. */
  readonly sshConnection?: string;
}

/** How often a site says that it is alive if nobody says otherwise, in milliseconds. */
export const HEARTBEAT_EVERY = 1_000;

/** What the engine answers; `refused` if it can't be the site that was asked for. */
export interface EngineGreeting {
  readonly protocol: number;
  readonly node: string;
  readonly pid: number;
  readonly platform: string;
  readonly hostname: string;
  readonly refused?: { readonly step: 'version' | 'cwd'; readonly message: string };
}

/** What an engine writes before any frame: this word, JSON on the same line, a line feed. */
export const BOOT_WORD = 'offsite/1 ';

/** The JSON behind the boot word. */
export interface BootLine {
  /** Version of Node.js, without the `v`. */
  readonly node: string;
  readonly pid: number;
  /** Whether the engine is there already and need not be sent. */
  readonly engine: boolean;
}

/** The descriptor from which an engine in a process reads frames: what was its stdin. */
export const INPUT_DESCRIPTOR = 3;
/** The descriptor to which it writes frames: what was its stdout. */
export const OUTPUT_DESCRIPTOR = 4;

/**
 * What the lifeline writes to stderr, whatever the main thread does, so that the site is known to be alive. It is
 * not text, fits one atomic write, and is taken out again by the manager.
 */
export const HEARTBEAT = '\u0016\u0016\u0006';

/** What a site says, as a line of stderr, before it ends because it is cut off: it arrives if the way is mended soon. */
export const CUT_OFF = 'offsite: the manager could not be reached for too long, so this site has ended';

/** What a worker thread gets as its `workerData` when it is to be a virtual site. */
export interface VirtualSiteData {
  readonly offsite: {
    readonly input: SharedArrayBuffer;
    readonly output: SharedArrayBuffer;
    readonly port: import('node:worker_threads').MessagePort;
  };
}

/** The engine's exit code when its manager is gone, as Mozart's. */
export const EXIT_ORPHANED = 3;
/** The engine's exit code when it refused its manager's greeting. */
export const EXIT_REFUSED = 65;
