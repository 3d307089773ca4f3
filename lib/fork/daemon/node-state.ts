/** What a node tells everybody who may use it, at once and whenever it changes, as `{ node: NodeState }` over `/node`. */
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
