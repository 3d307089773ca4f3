import type { ArraysService } from './arrays/protocol.ts';
import type { BroadcastService } from './broadcast/protocol.ts';
import type { ExitedReason } from './errors.ts';
import type { FunctionText, Outcome } from './function-text.ts';
import type { MessagesService } from './messages/protocol.ts';
import type { ReferencesService } from './references/protocol.ts';

/** What the processes of a cluster say to each other. */

/** What became of a batch. */
export interface BatchOutcome {
  /** In the order of the elements, `null` where the errors are; fewer than elements if not all were begun. */
  readonly values: readonly unknown[];
  /** The place of an element, and what was thrown for it. */
  readonly errors: readonly (readonly [index: number, error: unknown])[];
  /** How long all of it took there, in milliseconds. */
  readonly took: number;
}

/** What one process maps and reduces: elements, or the whole numbers from `start` up to, but without, `end`. */
export type Chunk =
  | { readonly elements: readonly unknown[] }
  | { readonly start: number; readonly end: number };

/** Where a process of the cluster lets others connect. */
export interface MemberAddress {
  readonly host: string;
  readonly port: number;
}

/** How long something may take that another process is asked for. */
export interface CallBounds {
  readonly timeout?: number | undefined;
}

/** How long the removal of workers may take: the timeout for all of it. */
export interface RemoveBounds extends CallBounds {
  /** How long those are waited for who listen to `leaving`. */
  readonly callbackTimeout?: number | undefined;
}

/** What each process of a cluster may ask of each other. */
export interface MemberService {
  /** The Futures and channels that lie in it. */
  readonly refs: ReferencesService;
  /** The broadcast values in it. */
  readonly casts: BroadcastService;
  /** Its mailbox, and the commands that it runs. */
  readonly messages: MessagesService;
  /** What it does with elements of several arrays. */
  readonly arrays: ArraysService;
  /** Calls a function, and tells what became of it. */
  perform(fn: FunctionText, args: readonly unknown[]): Promise<Outcome>;
  /** Calls a function and tells nobody what became of it; what it throws is printed here. */
  run(fn: FunctionText, args: readonly unknown[]): void;
  /**
   * Calls a function once for each element, with `rest` behind it; begins no further one when `within` ms have passed.
   */
  performEach(
    fn: FunctionText,
    elements: readonly unknown[],
    rest: readonly unknown[],
    within?: number,
  ): Promise<BatchOutcome>;
  /**
   * Calls a function once for each element of a chunk, with `rest` behind it, and reduces the values in their order.
   * Without a function the elements are the values, and without a reducer there is no result.
   */
  performReduce(
    fn: FunctionText | undefined,
    reducer: FunctionText | undefined,
    chunk: Chunk,
    rest: readonly unknown[],
  ): Promise<Outcome>;
  /** Loads a module; if it is a functor that gives a function, or names one, that is called. */
  prepare(fn: FunctionText, args: readonly unknown[]): Promise<Outcome>;
  /** Gives up all that runs here for others: their calls reject with InterruptedError. */
  interrupt(): void;
  /** The name of the host on which it runs. */
  hostname(): Promise<string>;
  /** A process that has connected directly says who it is, so that the connection serves both. */
  meet(id: number, service: MemberService): void;
}

/** What process 1 tells the others besides. */
export interface WorkerService extends MemberService {
  /** These are in the cluster now. */
  joined(ids: readonly number[]): void;
  /** This one is not any more. */
  left(id: number, reason: ExitedReason, why: string | undefined): void;
  /** Opens a door for others, once; gives where it is. */
  open(bind: string | undefined): Promise<MemberAddress>;
  /** Connects to those it may call, before it has to. */
  connect(ids: readonly number[]): Promise<void>;
  /** How many direct connections it has to other workers. */
  connections(): number;
}

/** How a worker gets to another process: through process 1, or directly if there is an address. */
export interface Reach {
  readonly service: MemberService;
  readonly address?: MemberAddress | undefined;
}

/** What workers ask of process 1 besides. */
export interface OwnerService extends MemberService {
  /** How process `from` gets to process `to`. Rejects with NoProcessError, ProcessExitedException, TopologyError. */
  reach(from: number, to: number): Promise<Reach>;
  /** Loads a module in process `into`, and gives it: it comes home there. */
  load(into: number, fn: FunctionText): Promise<object>;
  /** What workers ask of the cluster, as its own methods do it. */
  addProcs(target: unknown, options: object): Promise<number[]>;
  rmProcs(ids: readonly number[], options: RemoveBounds): Promise<void>;
  everywhere(
    fn: FunctionText,
    args: readonly unknown[],
    ids: readonly number[] | undefined,
    options: CallBounds,
  ): Promise<ReadonlyMap<number, unknown>>;
  interruptProcs(ids: readonly number[]): Promise<void>;
  /** The processes on the same host as this one, itself among them. */
  procsBeside(id: number): Promise<number[]>;
  /** What a process says that it is doing. */
  setStatus(id: number, status: unknown): Promise<void>;
  getStatus(id: number): Promise<unknown>;
}

/** What a site is told when it becomes a worker. */
export interface Joining {
  /** Unique among all clusters everywhere. */
  readonly cluster: string;
  /** 32 random bytes, which all members know and nobody else. */
  readonly key: Uint8Array;
  readonly id: number;
  readonly owner: OwnerService;
  /** All that are in the cluster already, process 1 among them. */
  readonly ids: readonly number[];
}
