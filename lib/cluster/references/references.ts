import type { CallOptions } from '../../wire/call/options.ts';
import { whenAborted } from '../../wire/call/when-aborted.ts';
import { TimeoutError } from '../../wire/errors.ts';
import { ClusterClosedError, type ExitedReason, ProcessExitedException, RemoteException } from '../errors.ts';
import type { Outcome } from '../function-text.ts';
import type { Member } from '../member.ts';
import { within } from '../within.ts';
import { type CellInfo, Cells } from './cells.ts';
import { ReferencesDesk } from './desk.ts';
import { hasCode } from './errors.ts';
import { Future } from './future.ts';
import type { Handle, HandleText } from './handle.ts';
import { NoteSender } from './note-sender.ts';
import type { Making, Note, Noted, ReferencesService, RefId } from './protocol.ts';
import { keyOf } from './ref.ts';
import { registerHandles } from './register.ts';
import { RemoteChannel } from './remote-channel.ts';

/** The longest time that Node's timers take; what is longer is no bound. */
const FOREVER = 2 ** 31 - 1;

/** How many there are of each, for whoever looks for leaks. */
export interface ReferencesSizes {
  /** What lies in this process. */
  readonly cells: number;
  /** What stands here for it, and for what lies elsewhere. */
  readonly handles: number;
  /** What other owners are not known to have heard. */
  readonly notes: number;
  /** What is waited for. */
  readonly asks: number;
}

/** The Futures and channels of one process of a cluster: those that lie in it, and the handles that are held in it. */
export class References {
  readonly #member: Member;
  readonly #cells: Cells;
  /** One handle for each reference, weakly: when it is collected the owner is told. */
  readonly #handles = new Map<string, WeakRef<Handle>>();
  readonly #collected = new FinalizationRegistry<{ key: string; owner: number; ref: RefId }>((held) => {
    // It may have been sent here again since.
    if (this.#handles.get(held.key)?.deref() === undefined) this.#drop(held.key, held.owner, held.ref);
  });
  readonly #senders = new Map<number, NoteSender>();
  /** What is asked of each owner, to be given up when that ends. */
  readonly #asks = new Map<number, Set<AbortController>>();
  /** Who waits for the way to each owner, so that they go it in their order. */
  readonly #reaching = new Map<number, Promise<unknown>>();
  /** The last number of a reference that was made here for each owner. */
  readonly #numbers = new Map<number, number>();
  #token = 0;
  #request = 0;

  constructor(member: Member) {
    this.#member = member;
    this.#cells = new Cells({
      id: member.id,
      perform: (fn, args) => member.service.perform(fn, args),
      departed: (id) => member.departed(id),
    });
    // A desk is what a process has; another process's proxy of one never comes here.
    ReferencesDesk.open(member.service.refs as ReferencesDesk, this.#cells);
    registerHandles();
  }

  /** This process's id. */
  get id(): number {
    return this.#member.id;
  }

  /** The cluster's id. */
  get cluster(): string {
    return this.#member.cluster;
  }

  get sizes(): ReferencesSizes {
    let notes = 0;
    for (const { size } of this.#senders.values()) notes += size;
    let asks = 0;
    for (const { size } of this.#asks.values()) asks += size;
    return { cells: this.#cells.size, handles: this.#handles.size, notes, asks };
  }

  /** What lies here, and who holds it. */
  describe(): CellInfo[] {
    return this.#cells.describe();
  }

  /** Makes what is to lie at `owner`, without waiting. Throws NoProcessError, ProcessExitedException, ClusterClosedError. */
  make(owner: number, making: Making): Handle {
    this.#member.check(owner);
    const number = (this.#numbers.get(owner) ?? 0) + 1;
    this.#numbers.set(owner, number);
    const ref: RefId = [this.id, number];
    this.note(owner, ['make', ref, making]);
    return this.#hold(making.kind, owner, ref);
  }

  /** The handle that has arrived here. */
  receive({ owner, ref, kind, token }: HandleText): Handle {
    this.note(owner, ['claim', ref, token]);
    return this.#handles.get(`${owner} ${keyOf(ref)}`)?.deref() ?? this.#hold(kind, owner, ref);
  }

  /** A handle is sent to somebody; gives its token. Throws ReleasedError and ClusterClosedError. */
  lend(handle: Handle): string {
    handle.check();
    if (this.#member.closed) throw new ClusterClosedError();
    const { owner, ref } = handle;
    const token = `${this.id}:${++this.#token}`;
    const outcome = handle instanceof Future ? handle.outcome : undefined;
    // Its owner may have dropped the value, which who gets the handle will want.
    if (outcome && owner === this.id) void this.#cells.future(ref, (cell) => cell.settle(outcome));
    this.note(owner, ['lend', ref, token], outcome);
    return token;
  }

  /** A handle is not used any more. */
  forget(handle: Handle): void {
    this.#collected.unregister(handle);
    this.#drop(`${handle.owner} ${keyOf(handle.ref)}`, handle.owner, handle.ref);
  }

  /** The id of a `take`, unique in the cluster. */
  nextRequest(): string {
    return `${this.id}:${++this.#request}`;
  }

  /** Tells an owner something, without waiting; it arrives for certain, unless the owner ends. */
  note(owner: number, note: Note, outcome?: Outcome): void {
    if (this.#member.closed) return;
    if (owner === this.id) this.#cells.note(this.id, note);
    else if (this.#member.departed(owner) === undefined) this.#senderTo(owner).add(note, outcome);
  }

  /** What was told to an owner leaves now, and not at the end of the turn. */
  flush(owner: number): void {
    this.#senders.get(owner)?.flush();
  }

  /**
   * Asks an owner for something, which is given up when the handle is released, when the owner ends, and as the options
   * say. Rejects with what the owner rejects with.
   */
  async ask<T>(
    handle: Handle,
    what: string,
    { timeout, signal }: CallOptions,
    call: (desk: ReferencesService, signal?: AbortSignal) => PromiseLike<T>,
  ): Promise<T> {
    const { owner } = handle;
    signal?.throwIfAborted();
    const controller = new AbortController();
    const unlisten = signal && whenAborted(signal, () => controller.abort(signal.reason));
    const timer =
      timeout === undefined || timeout > FOREVER
        ? undefined
        : setTimeout(() => {
            const message = `${what} of ${handle.toString()} was not answered within ${timeout} ms. Give it more time, or see who should have.`;
            controller.abort(new TimeoutError(message, timeout));
          }, timeout);
    const asks = this.#asks.get(owner) ?? new Set();
    this.#asks.set(owner, asks.add(controller));
    // What comes from elsewhere is held by its link; here nothing else holds the process while somebody waits.
    const hold = owner === this.id ? setInterval(() => {}, FOREVER) : undefined;
    try {
      return await handle.during(controller, () => this.#ask(owner, controller.signal, call));
    } finally {
      asks.delete(controller);
      clearInterval(hold);
      clearTimeout(timer);
      unlisten?.();
    }
  }

  /** Asks without anybody who waits; see `ask`. */
  tell(owner: number, call: (desk: ReferencesService) => PromiseLike<void>): Promise<void> {
    return this.#ask(owner, new AbortController().signal, call);
  }

  /** A process has left the cluster; told by the member. */
  left(id: number, reason: ExitedReason): void {
    this.#senders.get(id)?.close();
    this.#senders.delete(id);
    this.#numbers.delete(id);
    const what = 'what lay in it is lost';
    for (const ask of this.#asks.get(id) ?? [])
      ask.abort(new ProcessExitedException(id, reason, true, { what }));
    this.#asks.delete(id);
    this.#cells.left(id, reason);
  }

  /** This process has left the cluster; told by the member. */
  close(): void {
    const closed = new ClusterClosedError();
    for (const sender of this.#senders.values()) sender.close();
    for (const asks of this.#asks.values()) for (const ask of asks) ask.abort(closed);
    this.#cells.close(closed);
    this.#handles.clear();
  }

  #hold(kind: Making['kind'], owner: number, ref: RefId): Handle {
    const handle = kind === 'future' ? new Future(this, owner, ref) : new RemoteChannel(this, owner, ref);
    const key = `${owner} ${keyOf(ref)}`;
    this.#handles.set(key, new WeakRef(handle));
    this.#collected.register(handle, { key, owner, ref }, handle);
    return handle;
  }

  #drop(key: string, owner: number, ref: RefId): void {
    this.#handles.delete(key);
    this.note(owner, ['release', ref]);
  }

  #senderTo(owner: number): NoteSender {
    let sender = this.#senders.get(owner);
    if (!sender) {
      sender = new NoteSender({
        send: (first, notes) =>
          this.#to(owner, (desk) => desk.notes(this.id, first, notes)) as Promise<Noted>,
        giveBack: (ref, outcome) => this.#giveBack(owner, ref, outcome),
        isFinal: (error) =>
          hasCode(error, 'ERR_OFFSITE_TOPOLOGY') ||
          hasCode(error, 'ERR_OFFSITE_CLUSTER_CLOSED') ||
          hasCode(error, 'ERR_OFFSITE_NO_PROCESS') ||
          this.#member.departed(owner) !== undefined,
      });
      this.#senders.set(owner, sender);
    }
    return sender;
  }

  async #giveBack(owner: number, ref: RefId, outcome: Outcome): Promise<void> {
    try {
      await this.#to(owner, (desk) => desk.settle(ref, outcome));
    } catch (error) {
      if (hasCode(error, 'ERR_OFFSITE_PROCESS_EXITED')) throw error;
      // It can't be sent as it is now; those who wait for it are told why.
      await this.#to(owner, (desk) => desk.settle(ref, { error }));
    }
  }

  async #ask<T>(
    owner: number,
    signal: AbortSignal,
    call: (desk: ReferencesService, signal?: AbortSignal) => PromiseLike<T>,
  ): Promise<T> {
    if (owner !== this.id) return this.#to(owner, call, signal);
    this.#member.check(owner);
    return within(call(this.#member.service.refs, signal), 'It', { signal });
  }

  async #to<T>(
    owner: number,
    call: (desk: ReferencesService) => PromiseLike<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    const reaching = this.#reach(owner);
    if (reaching) await (signal ? within(reaching, 'It', { signal }) : reaching);
    try {
      return await this.#member.ask(owner, signal ? { signal } : {}, (peer) =>
        call(peer.refs as unknown as ReferencesService),
      );
    } catch (error) {
      // The owner's own refusals are told as they are.
      const refusal =
        error instanceof RemoteException ? (error.cause as { code?: unknown } | undefined) : undefined;
      throw /^ERR_OFFSITE_/.test(String(refusal?.code)) ? refusal : error;
    }
  }

  /** Waits for the way to an owner, behind all who do so already; nothing if it is known and nobody does. */
  #reach(owner: number): Promise<unknown> | undefined {
    const before = this.#reaching.get(owner);
    const way = this.#member.peer(owner);
    if (!before && !(way instanceof Promise)) return undefined;
    // Not `way` itself: a reference is given by no promise, because it would be asked for its `then`.
    const reached = Promise.allSettled([before, way]).then(() => {
      if (this.#reaching.get(owner) === reached) this.#reaching.delete(owner);
    });
    this.#reaching.set(owner, reached);
    return reached;
  }
}
