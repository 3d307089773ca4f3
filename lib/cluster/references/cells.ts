import { ReleasedError } from '../../wire/errors.ts';
import { type ExitedReason, ProcessExitedException, RemoteException } from '../errors.ts';
import type { FunctionText, Outcome } from '../protocol.ts';
import type { ChannelCell } from './channel-cell.ts';
import { NoReferenceError } from './errors.ts';
import { Expiry } from './expiry.ts';
import { FutureCell } from './future-cell.ts';
import type { Making, Note, Noted, RefId } from './protocol.ts';
import { QueueCell } from './queue-cell.ts';
import { keyOf, nameOfRef } from './ref.ts';
import { type ChannelStore, StoreCell } from './store-cell.ts';

/**
 * How long a handle may be on its way, in milliseconds, before it is taken for lost: twice as long as a site may be out
 * of reach by default, for after that nothing of it arrives any more.
 */
export const ON_ITS_WAY = 120_000;

/**
 * How long what a dead process held is kept, in milliseconds: it may have sent handles on, and died before its word of
 * that arrived, so that those who got them have to be heard first.
 */
export const AFTER_DEATH = 10_000;

/** How long something is waited for that others know of already, in milliseconds: their ways may be quicker by that much. */
export const NEWS_WITHIN = 10_000;

/** What lies in a process. */
export type Cell = FutureCell | ChannelCell;

/** How one cell stands, for whoever looks for what is kept and why. */
export interface CellInfo {
  readonly ref: RefId;
  readonly kind: Cell['kind'];
  /** The processes that hold it. */
  readonly holders: readonly number[];
  /** How many handles of it are on their way. */
  readonly loans: number;
}

/** What the cells need of their process. */
export interface CellsHost {
  readonly id: number;
  perform(fn: FunctionText, args: readonly unknown[]): Promise<Outcome>;
  /** Why a process is not there any more, if it once was. */
  departed(id: number): ExitedReason | undefined;
}

/** Who waits for a reference to be made here. */
interface Expected {
  readonly maker: number;
  readonly waiting: { readonly go: (cell: Cell) => void; readonly fail: (cause: unknown) => void }[];
}

/** The Futures and channels that lie in this process, and who holds each. */
export class Cells {
  readonly #host: CellsHost;
  readonly #cells = new Map<string, Cell>();
  readonly #refs = new Map<string, RefId>();
  /** The number of the last reference that each process has made here; none is used again. */
  readonly #made = new Map<number, number>();
  /** The number of the last note of each process. */
  readonly #noted = new Map<number, number>();
  readonly #expected = new Map<string, Expected>();
  /** Values of Futures that were dropped here and sent on elsewhere, by who has them. */
  readonly #wanted = new Map<number, Map<string, RefId>>();
  readonly #tokens = new Expiry(ON_ITS_WAY);
  readonly #deaths = new Expiry(AFTER_DEATH);
  readonly #news = new Expiry(NEWS_WITHIN);

  constructor(host: CellsHost) {
    this.#host = host;
  }

  get size(): number {
    return this.#cells.size;
  }

  /** All that lies here. */
  describe(): CellInfo[] {
    return [...this.#cells].map(([key, { kind, holders }]) => ({
      ref: this.#refs.get(key)!,
      kind,
      holders: [...holders.ids],
      loans: holders.loans,
    }));
  }

  perform(fn: FunctionText, args: readonly unknown[]): Promise<Outcome> {
    return this.#host.perform(fn, args);
  }

  /** What a function's outcome is for whoever fetches it. */
  outcomeOf(outcome: Outcome): Outcome {
    return 'error' in outcome ? { error: new RemoteException(this.#host.id, outcome.error) } : outcome;
  }

  /** Uses a Future at once, or as soon as it is made. Rejects with NoReferenceError. */
  async future<T>(ref: RefId, use: (cell: FutureCell) => T | PromiseLike<T>): Promise<T> {
    return this.#use(ref, (cell) => {
      if (cell.kind === 'future') return use(cell);
      throw new NoReferenceError(`${nameOfRef(cell.kind, ref, this.#host.id)} is no Future.`);
    });
  }

  /** Uses a channel at once, or as soon as it is made. Rejects with NoReferenceError. */
  async channel<T>(ref: RefId, use: (cell: ChannelCell) => T | PromiseLike<T>): Promise<T> {
    return this.#use(ref, (cell) => {
      if (cell.kind === 'channel') return use(cell);
      throw new NoReferenceError(`${nameOfRef(cell.kind, ref, this.#host.id)} is no RemoteChannel.`);
    });
  }

  /** See ReferencesService. */
  notes(from: number, first: number, notes: readonly Note[]): Noted {
    // What a dead process said last would only be held for it for ever.
    if (this.#host.departed(from) !== undefined) return { last: first + notes.length - 1, wanted: [] };
    let last = this.#noted.get(from) ?? 0;
    // Those between may come again; what has come twice counts once.
    if (first <= last + 1) {
      for (const note of notes.slice(last + 1 - first)) {
        last++;
        this.note(from, note);
      }
      this.#noted.set(from, last);
    }
    return { last, wanted: [...(this.#wanted.get(from)?.values() ?? [])] };
  }

  /** Takes in one note. */
  note(from: number, note: Note): void {
    const [, ref] = note;
    if (note[0] === 'make') return this.#make(from, ref, note[2]);
    const cell = this.#cells.get(keyOf(ref));
    if (cell) return this.#noteOf(cell, from, note);
    if (!this.#isExpected(ref)) return;
    const go = (made: Cell) => {
      this.#noteOf(made, from, note);
      // It may have ended since, and nobody would tell of it again.
      if (this.#host.departed(from) !== undefined) this.#bury(made, keyOf(ref), from);
    };
    this.#expect(ref, { go, fail: () => {} });
  }

  /** See ReferencesService; also what is not there any more may come home. */
  settle(ref: RefId, cell: FutureCell, outcome: Outcome): void {
    cell.settle(outcome);
    for (const wanted of this.#wanted.values()) wanted.delete(keyOf(ref));
  }

  /** A process has ended. */
  left(id: number, reason: ExitedReason): void {
    this.#noted.delete(id);
    this.#wanted.delete(id);
    for (const [key, expected] of [...this.#expected]) {
      if (expected.maker !== id) continue;
      this.#expected.delete(key);
      const what = `what was to be used is ${key}, which it had not made yet`;
      const gone = new ProcessExitedException(id, reason, true, { what });
      for (const { fail } of expected.waiting) fail(gone);
    }
    for (const [key, cell] of [...this.#cells]) {
      if (cell.kind === 'future') cell.left(id, reason);
      else cell.left(id);
      this.#bury(cell, key, id);
    }
  }

  /** What a dead process held is a loan of its own: what it had sent on is not heard of yet. */
  #bury(cell: Cell, key: string, id: number): void {
    if (!cell.holders.delete(id)) return;
    const token = `departed ${id}`;
    cell.holders.lend(token);
    this.#deaths.add(() => this.#expire(key, cell, token));
  }

  /** Nothing lies here any more; whoever waits is told `cause`. */
  close(cause: unknown): void {
    for (const expiry of [this.#tokens, this.#deaths, this.#news]) expiry.close();
    for (const { waiting } of this.#expected.values()) for (const { fail } of waiting) fail(cause);
    this.#expected.clear();
    const cells = [...this.#cells.values()];
    this.#cells.clear();
    this.#refs.clear();
    for (const cell of cells) cell.drop(cause);
  }

  #make(from: number, ref: RefId, making: Making): void {
    const [maker, number] = ref;
    const key = keyOf(ref);
    this.#made.set(maker, number);
    const cell = this.#cellOf(ref, making);
    this.#cells.set(key, cell);
    this.#refs.set(key, ref);
    cell.holders.add(from);
    const waiting = this.#expected.get(key)?.waiting ?? [];
    this.#expected.delete(key);
    for (const { go } of waiting) go(cell);
  }

  #cellOf(ref: RefId, making: Making): Cell {
    const name = nameOfRef(making.kind, ref, this.#host.id);
    if (making.kind === 'future') {
      const { waitingFor } = making;
      const cell = new FutureCell(name, waitingFor, () => this.#news.add(() => cell.miss()));
      const departed = waitingFor === undefined ? undefined : this.#host.departed(waitingFor);
      if (departed !== undefined) cell.left(waitingFor!, departed);
      return cell;
    }
    const forget = (end: () => void) => this.#tokens.add(end);
    if (typeof making.of === 'number') return new QueueCell(name, making.of, forget);
    return new StoreCell(this.#host.id, this.#storeOf(making.of), forget);
  }

  async #storeOf(fn: FunctionText): Promise<ChannelStore> {
    const outcome = await this.#host.perform(fn, []);
    if ('error' in outcome) throw outcome.error;
    const store = outcome.value as Partial<ChannelStore> | null | undefined;
    for (const method of ['put', 'take', 'fetch', 'isReady', 'close'] as const) {
      if (typeof store?.[method] === 'function') continue;
      throw new TypeError(
        `${fn.name || 'The functor'} gave no store for a RemoteChannel: it has no method ${method}().`,
      );
    }
    return store as ChannelStore;
  }

  #noteOf(cell: Cell, from: number, note: Exclude<Note, readonly ['make', ...unknown[]]>): void {
    const key = keyOf(note[1]);
    switch (note[0]) {
      case 'lend':
        cell.holders.lend(note[2]);
        this.#tokens.add(() => this.#expire(key, cell, note[2]));
        if (cell.kind === 'future' && cell.wants(from)) {
          const wanted = this.#wanted.get(from) ?? new Map<string, RefId>();
          this.#wanted.set(from, wanted.set(key, note[1]));
        }
        break;
      case 'claim':
        cell.holders.claim(note[2], from);
        this.#tokens.add(() => this.#expire(key, cell, note[2]));
        break;
      case 'release':
        cell.holders.delete(from);
        if (cell.kind === 'future') cell.released(from);
        break;
      case 'have':
        if (cell.kind === 'future') cell.have(from);
        break;
      case 'taken':
        if (cell.kind === 'channel') cell.taken(note[2]);
        break;
      case 'withdraw':
        if (cell.kind === 'channel') cell.withdraw(note[2]);
    }
    this.#review(key, cell);
  }

  #expire(key: string, cell: Cell, token: string): void {
    // A claim that has come has ended its loan, and a loan its claim.
    cell.holders.expire(token);
    if (this.#cells.get(key) === cell) this.#review(key, cell);
  }

  /** Drops what nobody holds. */
  #review(key: string, cell: Cell): void {
    if (cell.kind === 'future') cell.review();
    if (!cell.holders.empty) return;
    const ref = this.#refs.get(key);
    if (!ref) return;
    this.#cells.delete(key);
    this.#refs.delete(key);
    for (const wanted of this.#wanted.values()) wanted.delete(key);
    cell.drop(
      new ReleasedError(`${nameOfRef(cell.kind, ref, this.#host.id)} was released by all who held it.`),
    );
  }

  /** Not by way of a promise of the cell: what comes a moment later must not overtake what waits. */
  #use<T>(ref: RefId, use: (cell: Cell) => T | PromiseLike<T>): T | PromiseLike<T> {
    const cell = this.#cells.get(keyOf(ref));
    if (cell) return use(cell);
    const [maker] = ref;
    if (!this.#isExpected(ref)) {
      throw new NoReferenceError(
        `There is no reference ${keyOf(ref)} in process ${this.#host.id} any more: nobody held it, or its maker, process ${maker}, ended before it was made.`,
      );
    }
    return new Promise<T>((resolve, fail) => {
      const go = (made: Cell) => {
        try {
          resolve(use(made));
        } catch (cause) {
          fail(cause);
        }
      };
      this.#expect(ref, { go, fail });
    });
  }

  /** Whether it may yet be made. */
  #isExpected([maker, number]: RefId): boolean {
    return number > (this.#made.get(maker) ?? 0) && this.#host.departed(maker) === undefined;
  }

  #expect(ref: RefId, one: Expected['waiting'][number]): void {
    const key = keyOf(ref);
    let expected = this.#expected.get(key);
    if (!expected) {
      const made: Expected = { maker: ref[0], waiting: [] };
      expected = made;
      this.#expected.set(key, made);
      this.#news.add(() => {
        if (this.#expected.get(key) !== made) return;
        this.#expected.delete(key);
        const message = `There is no reference ${key} in process ${this.#host.id}: nothing was heard of it for ${NEWS_WITHIN} ms.`;
        for (const { fail } of made.waiting) fail(new NoReferenceError(message));
      });
    }
    expected.waiting.push(one);
  }
}
