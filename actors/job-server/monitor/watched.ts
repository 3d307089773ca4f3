import type { NodeState } from '../../../lib/fork/daemon/node-state.ts';

/** How many jobs there were and are; all times in milliseconds. */
export interface JobTotals {
  /** All that were ever submitted, begun or not. */
  readonly submitted: number;
  /** Those that have not begun. */
  readonly queued: number;
  readonly running: number;
  /** Those that gave their value. */
  readonly done: number;
  /** Those that threw, ran out of time, or were lost. */
  readonly failed: number;
  readonly cancelled: number;
  /** How long jobs that are over have run, all together. */
  readonly jobTime: number;
}

/** A node as the monitor shows it; what is not known is not there. */
export interface NodeFigures {
  readonly name: string;
  /** Its server, as its user wrote it. */
  readonly server: string;
  readonly state: string;
  readonly platform?: string;
  readonly cpus: number;
  readonly busy: number;
  /** How busy its processors are, from 0 to 1. */
  readonly load?: number;
  readonly memory?: NodeState['memory'];
  readonly disk?: NodeState['disk'];
  /** How many jobs have ended on it, and how long they ran, all together, in milliseconds. */
  readonly jobs: number;
  readonly jobTime: number;
  /** Bytes of files and outputs. */
  readonly sent: number;
  readonly received: number;
  /** When something was heard of it last, in milliseconds since 1970. */
  readonly lastNews?: number;
}

/** A job as the monitor shows it. All times are in milliseconds since 1970. */
export interface JobFigures {
  readonly id: string;
  /** The name of its function or program. */
  readonly what: string;
  readonly status: string;
  readonly node?: string;
  readonly submitted: number;
  readonly started?: number;
  readonly ended?: number;
  /** Its arguments as text, if those are to be shown. */
  readonly args?: string;
  /** The message of what it threw. */
  readonly error?: string;
}

/** What a monitor shows and steers. */
export interface Watched {
  readonly name: string;
  /** Since when it runs, in milliseconds since 1970. */
  readonly since: number;
  totals(): JobTotals;
  nodes(): readonly NodeFigures[];
  /** Those that run now, at most so many of them. */
  running(most: number): readonly JobFigures[];
  /** Those that ended last, the newest first. */
  ended(): readonly JobFigures[];
  /** Has a job end; `over` if it has already, `unknown` if there is none of this id. */
  cancel(id: string): 'cancelling' | 'over' | 'unknown';
  hasNode(name: string): boolean;
  /** Each throws OptionError, or rejects, for what is not possible with this node. */
  drain(node: string): unknown;
  resume(node: string): unknown;
  setCpus(node: string, cpus: number): unknown;
}
