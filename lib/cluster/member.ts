import type { Remote } from '../module/remote.ts';
import type { CallOptions } from '../wire/call/options.ts';
import type { SiteClosedError, SiteCrashedError } from '../wire/errors.ts';
import { withOptions } from '../wire/reference/handle.ts';
import { BroadcastDesk, Broadcasts } from './broadcast/broadcasts.ts';
import { enrol, withdraw } from './current.ts';
import type { ExitedReason } from './errors.ts';
import { ClusterClosedError, NoProcessError, ProcessExitedException, RemoteException } from './errors.ts';
import type { FunctionText, Outcome } from './function-text.ts';
import { plain } from './functions.ts';
import { MessagesDesk } from './messages/desk.ts';
import { Messages } from './messages/messages.ts';
import type { MemberService } from './protocol.ts';
import { References } from './references/references.ts';
import { within } from './within.ts';

/** How long word of a process's end may take to come after its connection broke, in milliseconds. */
const TOLD_WITHIN = 1_000;

/** Another process as it can be called: at once, or when the way there is known. */
export type Way = Remote<MemberService> | Promise<Remote<MemberService>>;

/** What a process of the cluster does by itself in its own way: process 1, and a worker. */
export interface MemberHost {
  /** The way to another process that is in the cluster. Rejects with why there is none. */
  way(id: number): Way;
  /** Told when a process has left, after `Member` knows. */
  left?(id: number): void;
  /** Told when the way to a process broke that is still there: the next call looks for another. */
  lost?(id: number): void;
}

/** How a process came to its end: by which reason, and in the words of who had started it. */
interface End {
  readonly reason: ExitedReason;
  readonly why: string | undefined;
}

/** One process in one cluster: who is there, and the calls to each. Both process 1 and the workers have one. */
export class Member {
  /** Unique among all clusters everywhere. */
  readonly cluster: string;
  /** This process's id: Julia's `myid()`. */
  readonly id: number;
  /** What the others call. */
  readonly service: MemberService;
  /** The Futures and channels that lie in this process, and those that are held in it. */
  readonly references: References;
  /** The broadcast values in this process. */
  readonly broadcasts: Broadcasts;
  /** The messages of other processes to this one, and back. */
  readonly messages: Messages;
  readonly #host: MemberHost;
  readonly #ids: Set<number>;
  /** Those that were there once, and why they are not: ids are never used again. */
  readonly #departed = new Map<number, End>();
  readonly #listeners = new Set<(id: number, reason: ExitedReason) => void>();
  readonly #joinListeners = new Set<(id: number) => void>();
  readonly #closeListeners = new Set<() => void>();
  /** What gives up each call in this process itself. */
  readonly #waits = new Set<(reason: Error) => void>();
  #closed = false;
  #turn = 0;

  constructor(
    { cluster, id, ids }: { cluster: string; id: number; ids: readonly number[] },
    service: MemberService,
    host: MemberHost,
  ) {
    this.cluster = cluster;
    this.id = id;
    this.service = service;
    this.#host = host;
    this.#ids = new Set(ids).add(id);
    this.references = new References(this);
    this.broadcasts = new Broadcasts(this);
    this.messages = new Messages(this);
    BroadcastDesk.open(service.casts as BroadcastDesk, this);
    MessagesDesk.open(service.messages as MessagesDesk, this.messages);
    enrol(this);
  }

  /** All processes of the cluster that this one knows of, in order: Julia's `procs()`. */
  get ids(): number[] {
    return [...this.#ids].sort((a, b) => a - b);
  }

  has(id: number): boolean {
    return this.#ids.has(id);
  }

  /** Why a process is not in the cluster any more; `undefined` if it is, or never was. */
  departed(id: number): ExitedReason | undefined {
    return this.#departed.get(id)?.reason;
  }

  /** The worker whose turn it is, and process 1 while there are none: Julia's `nextproc`, which knows of no load. */
  nextWorker(): number {
    const workers = this.ids.filter((id) => id !== 1);
    const next = workers.find((id) => id > this.#turn) ?? workers[0] ?? 1;
    this.#turn = next;
    return next;
  }

  /** Whether this process has left the cluster, or the cluster was closed. */
  get closed(): boolean {
    return this.#closed;
  }

  /** These are in the cluster from now on. */
  joined(ids: readonly number[]): void {
    for (const id of ids) {
      // Word of the end may have been quicker.
      if (this.#ids.has(id) || this.#departed.has(id)) continue;
      this.#ids.add(id);
      for (const listener of [...this.#joinListeners]) listener(id);
    }
  }

  /** This one is not in the cluster any more. */
  left(id: number, reason: ExitedReason, why?: string): void {
    if (this.#departed.has(id)) return;
    this.#ids.delete(id);
    this.#departed.set(id, { reason, why });
    this.#host.left?.(id);
    this.references.left(id, reason);
    for (const listener of [...this.#listeners]) listener(id, reason);
  }

  /** Calls `listener` when a process joins; what is returned takes it back. */
  onJoin(listener: (id: number) => void): () => void {
    this.#joinListeners.add(listener);
    return () => this.#joinListeners.delete(listener);
  }

  /** Calls `listener` when a process leaves, however it does; what is returned takes it back. */
  onLeave(listener: (id: number, reason: ExitedReason) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Calls `listener` when nothing goes out from here any more; what is returned takes it back. */
  onClose(listener: () => void): () => void {
    this.#closeListeners.add(listener);
    return () => this.#closeListeners.delete(listener);
  }

  /** Nothing goes out from here any more: whoever waits is told, and all others have left. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.references.close();
    for (const giveUp of [...this.#waits]) giveUp(new ClusterClosedError());
    // Pools and maps wait for workers, and hear nothing any more afterwards.
    for (const id of this.ids) if (id !== this.id) this.left(id, 'closed');
    for (const listener of [...this.#closeListeners]) listener();
    withdraw(this);
    this.#listeners.clear();
    this.#joinListeners.clear();
    this.#closeListeners.clear();
  }

  /** Throws why a process can't be called: NoProcessError, ProcessExitedException or ClusterClosedError. */
  check(id: number): void {
    if (this.#closed) throw new ClusterClosedError();
    if (this.#ids.has(id)) return;
    const gone = this.#departed.get(id);
    throw gone
      ? new ProcessExitedException(id, gone.reason, false, { why: gone.why })
      : new NoProcessError(id, this.ids);
  }

  /**
   * What another process lets this one call, or what this one lets others. Throws, or rejects with,
   * NoProcessError, ProcessExitedException, TopologyError and ClusterClosedError.
   */
  peer(id: number): Way {
    this.check(id);
    return id === this.id ? (this.service as unknown as Remote<MemberService>) : this.#host.way(id);
  }

  /**
   * Calls a function in a process of the cluster and gives what it returns; in this process itself nothing is copied.
   * Rejects with RemoteException, ProcessExitedException, NoProcessError, TimeoutError, or the signal's reason.
   */
  async call(
    fn: FunctionText,
    id: number,
    args: readonly unknown[],
    options: CallOptions = {},
  ): Promise<unknown> {
    const text = plain(fn);
    const outcome = await this.ask(id, options, (peer) => peer.perform(text, args) as Promise<Outcome>);
    if ('error' in outcome) throw new RemoteException(id, outcome.error);
    return outcome.value;
  }

  /** Makes a call to another member's service. Rejects with ProcessExitedException if the member ends before it answers. */
  async ask<T>(
    id: number,
    options: CallOptions,
    call: (peer: Remote<MemberService>) => PromiseLike<T>,
  ): Promise<T> {
    const way = this.peer(id);
    const start = performance.now();
    const peer = way instanceof Promise ? await within(way, `Reaching process ${id}`, options) : way;
    const { timeout } = options;
    const left =
      timeout === undefined
        ? options
        : { ...options, timeout: Math.max(0, timeout - (performance.now() - start)) };
    try {
      if (id === this.id) return await within(this.#orClosed(call(peer)), `A call in process ${id}`, left);
      return await call(timeout === undefined && !options.signal ? peer : withOptions(peer, left));
    } catch (error) {
      throw await this.#failureOf(id, error);
    }
  }

  /** Waits for what runs in this process itself, but not longer than the cluster is there. */
  async #orClosed<T>(promise: PromiseLike<T>): Promise<T> {
    let giveUp!: (reason: Error) => void;
    const closed = new Promise<never>((_, reject) => {
      giveUp = reject;
    });
    this.#waits.add(giveUp);
    try {
      return await Promise.race([promise, closed]);
    } finally {
      this.#waits.delete(giveUp);
    }
  }

  /** What a call rejects with that did not get its answer. */
  async #failureOf(id: number, error: unknown): Promise<unknown> {
    if (isEndOfSite(error)) {
      const told = await this.#end(id);
      if (!told) this.#host.lost?.(id);
      const reason = told?.reason ?? ('reason' in error ? error.reason : 'closed');
      return new ProcessExitedException(id, reason, error.mayHaveRun, { cause: error, why: told?.why });
    }
    // Its answer could not be sent, or its module not be loaded.
    const far = error instanceof Error && Object.hasOwn(error, 'site') && id !== this.id;
    return far ? new RemoteException(id, error) : error;
  }

  /** How a process has left; a direct connection breaks before process 1 can tell. */
  async #end(id: number): Promise<End | undefined> {
    if (!this.#departed.has(id) && !this.#closed) {
      let stop = () => {};
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, TOLD_WITHIN);
        const unlisten = this.onLeave((who) => who === id && resolve());
        stop = () => {
          clearTimeout(timer);
          unlisten();
        };
      });
      stop();
    }
    return this.#departed.get(id);
  }
}

/** By their codes: one that crossed may be of another copy's class. */
const isEndOfSite = (error: unknown): error is SiteCrashedError | SiteClosedError => {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return code === 'ERR_OFFSITE_CRASHED' || code === 'ERR_OFFSITE_CLOSED';
};
