/**
 * What a node tells everybody who may use it, at once and whenever it changes, as `{ node: NodeState }` over `/node`. A
 * scheduler tells the same of each of its nodes, and `{ gone: name }` of one that has left.
 */
export interface NodeState {
  /** As people call it. */
  readonly name: string;
  /** Its host's own name. */
  readonly host: string;
  /** The version of this package there, and of Node.js. */
  readonly version: string;
  readonly node: string;
  readonly platform: NodeJS.Platform;
  readonly arch: string;
  readonly labels: Readonly<Record<string, string>>;
  /** How many sites it has at most, all clients together, and how many of these slots are free. */
  readonly cpus: number;
  readonly free: number;
  /** How many of them this client may have now, if somebody shares them out among clients. @default cpus */
  readonly share?: number;
  /** `draining` starts nothing more and ends what runs when it is done; `closed` is outside of its service hours. */
  readonly state: 'serving' | 'draining' | 'closed';
  /** How busy its processors were of late, from 0 to 1. */
  readonly load: number;
  /** In bytes. */
  readonly memory: { readonly total: number; readonly free: number };
  /** Of the file system where sites have their folders, in bytes; not said where it is not known. */
  readonly disk?: { readonly total: number; readonly free: number };
  /** The largest file that a job may send or fetch, in bytes; not said if there is no bound. */
  readonly maxFileSize?: number;
  /** Whether a job server is to have a fresh site there for each job. */
  readonly restartWorkers?: boolean;
}

/** What a client of a scheduler tells it over `/node` when it changes, so that it gets its share. */
export interface Demand {
  /** How many sites it could use now: jobs that run or wait, at most. */
  readonly wants: number;
  /** The priority of the first of them. @default 0 */
  readonly priority?: number;
  /** Since when the first of them has waited, in milliseconds since 1970. */
  readonly since?: number;
}
