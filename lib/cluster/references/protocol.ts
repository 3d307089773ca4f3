import type { FunctionText, Outcome } from '../protocol.ts';

/** What the processes of a cluster say to each other about Futures and channels. */

/** The id of a reference at its owner: who made it, and its number among those that this one made there. */
export type RefId = readonly [maker: number, number: number];

/** What a channel is made of: the number of values that it holds, or the function that gives its store. */
export type ChannelOf = number | FunctionText;

/** What there is to be made at the owner. */
export type Making =
  | { readonly kind: 'future'; readonly waitingFor?: number | undefined }
  | { readonly kind: 'channel'; readonly of: ChannelOf };

/** What a process tells an owner without waiting for an answer; it arrives once and in order. */
export type Note =
  /** Its maker holds it. */
  | readonly ['make', RefId, Making]
  /** A handle with this token was sent to somebody. */
  | readonly ['lend', RefId, token: string]
  /** The handle with this token has arrived here, and is held. */
  | readonly ['claim', RefId, token: string]
  /** It is not held here any more. */
  | readonly ['release', RefId]
  /** The Future's value is here, and need not be kept for this process. */
  | readonly ['have', RefId]
  /** What was delivered for this `take` has arrived. */
  | readonly ['taken', RefId, request: string]
  /** This `take` was given up. */
  | readonly ['withdraw', RefId, request: string];

/** The answer to notes. */
export interface Noted {
  /** The number of the last note that was taken in. */
  readonly last: number;
  /** Futures whose values this process alone can give back: it has sent on what it has fetched. */
  readonly wanted: readonly RefId[];
}

/** How it stands with a channel. */
export interface ChannelState {
  readonly ready: boolean;
  readonly open: boolean;
}

/**
 * What each process lets the others ask of the Futures and channels that lie in it. A `signal` is given within the
 * process alone: between processes the call itself is given up.
 */
export interface ReferencesService {
  /** Takes in notes of `from`, whose first one has the number `first`. */
  notes(from: number, first: number, notes: readonly Note[]): Promise<Noted>;
  /** Calls a function, and puts what becomes of it into a Future; answers when the call has begun. */
  run(ref: RefId, fn: FunctionText, args: readonly unknown[]): Promise<void>;
  /** Gives a Future what became of it, if nothing is there. */
  settle(ref: RefId, outcome: Outcome): Promise<void>;
  /** Sets a Future; rejects with FutureSetError. */
  set(ref: RefId, value: unknown): Promise<void>;
  /** Waits until a Future is set, and gives what became of it; with `keys` a part of its value. */
  get(ref: RefId, keys?: readonly PropertyKey[], signal?: AbortSignal): Promise<Outcome>;
  /** Waits until a Future is set; gives only the error, if it holds one. */
  wait(ref: RefId, signal?: AbortSignal): Promise<{ readonly error?: unknown }>;
  isSet(ref: RefId): Promise<boolean>;
  put(ref: RefId, value: unknown, signal?: AbortSignal): Promise<void>;
  take(ref: RefId, request: string, from: number): Promise<{ readonly value: unknown }>;
  peek(ref: RefId, keys?: readonly PropertyKey[], signal?: AbortSignal): Promise<Outcome>;
  state(ref: RefId): Promise<ChannelState>;
  close(ref: RefId): Promise<void>;
}
