import { callSignal } from '../../wire/call/scope.ts';
import { RemoteTarget } from '../../wire/reference/reference.ts';
import { ClusterClosedError } from '../errors.ts';
import type { FunctionText, Outcome } from '../protocol.ts';
import type { Cells } from './cells.ts';
import { partOf } from './part-of.ts';
import type { ChannelState, Note, Noted, ReferencesService, RefId } from './protocol.ts';

/**
 * Where others ask for the Futures and channels that lie in this process. Each wait ends when the caller gives it up;
 * calls within this process bring their signal themselves.
 */
export class ReferencesDesk extends RemoteTarget implements ReferencesService {
  #cells: Cells | undefined;

  /** From now on it is about these. Static, so that nobody else can call it. */
  static open(desk: ReferencesDesk, cells: Cells): void {
    desk.#cells = cells;
  }

  get #open(): Cells {
    if (!this.#cells) throw new ClusterClosedError('This process is in no cluster yet.');
    return this.#cells;
  }

  async notes(from: number, first: number, notes: readonly Note[]): Promise<Noted> {
    return this.#open.notes(from, first, notes);
  }

  async run(ref: RefId, fn: FunctionText, args: readonly unknown[]): Promise<void> {
    const cells = this.#open;
    return cells.future(ref, (cell) => {
      // Not waited for: whoever wants to know asks the Future.
      void cells.perform(fn, args).then((outcome) => cells.settle(ref, cell, cells.outcomeOf(outcome)));
    });
  }

  async settle(ref: RefId, outcome: Outcome): Promise<void> {
    const cells = this.#open;
    return cells.future(ref, (cell) => cells.settle(ref, cell, outcome));
  }

  async set(ref: RefId, value: unknown): Promise<void> {
    return this.#open.future(ref, (cell) => cell.set({ value }));
  }

  async get(ref: RefId, keys?: readonly PropertyKey[], signal = callSignal()): Promise<Outcome> {
    const outcome = await this.#open.future(ref, (cell) => cell.get(signal));
    return keys && 'value' in outcome ? part(outcome.value, keys) : outcome;
  }

  async wait(ref: RefId, signal = callSignal()): Promise<{ readonly error?: unknown }> {
    return this.#open.future(ref, (cell) => cell.wait(signal));
  }

  async isSet(ref: RefId): Promise<boolean> {
    return this.#open.future(ref, (cell) => cell.isSet);
  }

  async put(ref: RefId, value: unknown, signal = callSignal()): Promise<void> {
    return this.#open.channel(ref, (cell) => cell.put(value, signal));
  }

  async take(ref: RefId, request: string, from: number): Promise<{ readonly value: unknown }> {
    return this.#open.channel(ref, (cell) => cell.take(request, from));
  }

  async peek(ref: RefId, keys?: readonly PropertyKey[], signal = callSignal()): Promise<Outcome> {
    const { value } = await this.#open.channel(ref, (cell) => cell.peek(signal));
    return keys ? part(value, keys) : { value };
  }

  async state(ref: RefId): Promise<ChannelState> {
    return this.#open.channel(ref, async (cell) => ({ ready: await cell.ready(), open: await cell.open() }));
  }

  async close(ref: RefId): Promise<void> {
    return this.#open.channel(ref, (cell) => cell.close());
  }
}

/** What is wrong with the keys is told as the value's own error is. */
const part = (value: unknown, keys: readonly PropertyKey[]): Outcome => {
  try {
    return { value: partOf(value, keys) };
  } catch (error) {
    return { error };
  }
};
