import type { FunctionText, Outcome } from '../cluster/function-text.ts';
import type { KeptOutcome } from './kept.ts';

/** What a job server and the runner in one of its sites say to each other. Numbers of jobs are the job server's own. */

/** A file that goes with a job, or comes back from one. */
export interface FileText {
  /** Where it lies in the job's folder: a path without `..`. */
  readonly name: string;
  readonly size: number;
  /** SHA-256 of its content, in hexadecimal. */
  readonly hash: string;
  /** Its permission bits. */
  readonly mode: number;
}

/** A program as a job. */
export interface ProgramText {
  readonly program: string;
  /** Whether it was sent, so that it lies in the job's folder. */
  readonly sent: boolean;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** What a job has beside a function and its arguments. */
export interface JobExtras {
  /** As its submitter sees it. */
  readonly id: string;
  readonly data?: unknown;
  readonly files?: readonly FileText[];
  /** Modules that are loaded before it begins. */
  readonly modules?: readonly FunctionText[];
  readonly program?: ProgramText;
}

/** What became of the jobs of a batch. */
export interface BatchAnswer {
  /** How many have begun; all of them but the last are done and were told by `done`. The others have not begun. */
  readonly ran: number;
  /** What became of the last one; not there if it runs still: `outcome` tells. */
  readonly outcome?: Outcome;
  /** How long that took, in milliseconds. */
  readonly took?: number;
}

/** What a site is told when it begins to run jobs. */
export interface RunnerSetup {
  /** The node's name. */
  readonly node: string;
  /** What the ids of this job server's jobs begin with. */
  readonly prefix: string;
  /** What all sites of this node and this job server have in common, unique everywhere: their cached files. */
  readonly share: string;
  /** The largest file, in bytes. */
  readonly maxFileSize?: number;
  readonly desk: Desk;
}

/** What the site tells of where it is. */
export interface SiteFacts {
  readonly host: string;
  readonly version: string;
  readonly platform: NodeJS.Platform;
  readonly arch: string;
  readonly cpus: number;
  readonly memory: { readonly total: number; readonly free: number };
  readonly pid: number;
}

/** What a job server calls in its sites. */
export interface RunnerService {
  readonly facts: SiteFacts;
  /** Loads the modules of functions, so that their classes are known before arguments come. */
  load(functions: readonly FunctionText[]): Promise<void>;
  /**
   * Runs jobs of one function one after the other; begins none when `within` ms have passed, and lets none but the first
   * wait for one that takes longer.
   */
  run(
    fn: FunctionText,
    numbers: readonly number[],
    argLists: readonly (readonly unknown[])[],
    within: number,
  ): BatchAnswer | Promise<BatchAnswer>;
  /** Runs one job that has more than arguments; its start is told. */
  runOne(
    fn: FunctionText | undefined,
    number: number,
    args: readonly unknown[],
    extras: JobExtras,
  ): Promise<BatchAnswer>;
  /**
   * Runs one job of a journal, unless it runs here already or has; its arguments were written down, and what becomes of
   * it is kept until `forget`.
   */
  runKept(
    fn: FunctionText | undefined,
    number: number,
    args: Uint8Array,
    extras: JobExtras,
  ): Promise<KeptOutcome>;
  /** The outcomes of these jobs are on the disk of their client. */
  forget(ids: readonly string[]): void;
  /** What becomes of a job that ran longer than its batch. */
  outcome(number: number): Promise<BatchAnswer>;
  /** Aborts a job's signal; one that has not begun never will. */
  cancel(number: number, reason: unknown): void;
  /** Calls what makes the data that all jobs here share. */
  setup(fn: FunctionText, args: readonly unknown[]): Promise<void>;
  /** Calls what undoes that, and forgets the data. */
  cleanup(fn: FunctionText | undefined, args: readonly unknown[]): Promise<void>;
  /** Removes all files of this site's jobs; `shared` those of its node too. */
  close(shared: boolean): Promise<void>;
}

/** What a site calls in its job server. */
export interface Desk {
  /** Loads a module here, and gives it. */
  load(fn: FunctionText): Promise<object>;
  /** A job has been prepared, and begins. */
  started(number: number): void;
  /** A job is done that is not its batch's last, after `took` ms; without a value it gave `undefined`. */
  done(number: number, took: number, value?: unknown): void;
  /** It printed something: 1 is the standard output, 2 the standard error. */
  print(number: number, descriptor: number, text: string): void;
  /** It said something before its end. */
  provisional(number: number, value: unknown): void | Promise<void>;
  /** The content of a file that goes with a job, from a byte on. */
  fetch(hash: string): AsyncIterable<Uint8Array>;
  /** It sends a file; gives the hash of what arrived. */
  receive(
    number: number,
    file: { readonly name: string; readonly size: number; readonly mode: number },
    content: AsyncIterable<Uint8Array>,
  ): Promise<string>;
}

/** The function's name of a chunk of a map, which the runner has itself. */
export const MAP_CHUNK = 'offsite:map-chunk';

/** What a chunk of a map gives. */
export interface ChunkResult {
  /** A value for each element, `null` where it failed; or one value, folded from all. */
  readonly values: readonly unknown[];
  readonly errors: readonly (readonly [index: number, error: unknown])[];
}
