import { backoffDelay } from './backoff.ts';
import type { ChildRecord } from './child.ts';
import type { Time } from './clock.ts';
import { IntensityError } from './errors.ts';
import type { SupervisorExit } from './exit.ts';
import { RestartWindow } from './intensity.ts';
import type { CheckedSupervisorOptions } from './options.ts';
import { affectedBy, restartsGroups } from './strategy.ts';

/** What restarts need of the children. */
export interface Restartable {
  readonly options: CheckedSupervisorOptions;
  readonly overseer: { readonly name: string };
  readonly records: readonly ChildRecord[];
  readonly time: Time;
  /** Whether the supervisor ends: nothing is started any more. */
  readonly ending: boolean;
  begin(record: ChildRecord): Promise<void>;
  end(record: ChildRecord, then: 'gone' | 'restarting'): Promise<void>;
  /** Whether nothing is kept of a child once it has ended for good. */
  forgets(record: ChildRecord): boolean;
  inTurn<T>(work: () => Promise<T>): Promise<T>;
  giveUp(exit: SupervisorExit): void;
}

/** How dead children are started again: how often, how soon, and with whom. */
export class Restarts {
  readonly #children: Restartable;
  readonly #window: RestartWindow;
  /** Takes back the restart of a group that waits. */
  #cancelGroup: (() => void) | undefined;

  constructor(children: Restartable) {
    const { intensity, period } = children.options;
    this.#children = children;
    this.#window = new RestartWindow(intensity, period, () => children.time.now());
  }

  /** Takes back the restart of a group that waits; that of a single child is its record's. */
  cancel(): void {
    this.#cancelGroup?.();
    this.#cancelGroup = undefined;
  }

  /** Starts a dead child again, with those that the strategy says; `again` if the last attempt has failed. */
  restart(record: ChildRecord, again = false): void | Promise<void> {
    const { intensity, period, strategy, backoff, random } = this.#children.options;
    if (!this.#window.allows()) {
      const message = `${this.#children.overseer.name} gave up: ${record.spec.id} would have been restart ${intensity + 1} within ${period} ms, and its intensity is ${intensity}. See how the child ended, or allow more.`;
      this.#children.giveUp({
        reason: 'intensity',
        cause: new IntensityError(record.spec.id, message, { cause: record.exit?.cause }),
      });
      return;
    }
    record.state = 'restarting';
    const delay = backoff ? backoffDelay(backoff, record.tries++, random) : 0;
    if (restartsGroups(strategy)) return this.#restartGroup(record, delay, again);
    record.cancel = this.#later(delay, again, () => {
      record.cancel = undefined;
      void this.#restartOne(record);
    });
  }

  /**
   * Does it after the backoff, or at once. A repeated attempt lets everything else have its turn first: a start that
   * fails at once would starve the program.
   */
  #later(delay: number, again: boolean, work: () => void): (() => void) | undefined {
    if (delay > 0) return this.#children.time.after(delay, work, { holds: false });
    if (again) {
      const immediate = setImmediate(work);
      return () => clearImmediate(immediate);
    }
    work();
    return undefined;
  }

  async #restartOne(record: ChildRecord): Promise<void> {
    record.restarts++;
    try {
      await this.#children.begin(record);
    } catch (cause) {
      this.#failedAgain(record, cause);
      // Terminated meanwhile, or the supervisor ends.
      if (this.#children.ending || record.state !== 'restarting' || record.run) return;
      await this.restart(record, true);
    }
  }

  #failedAgain(record: ChildRecord, cause: unknown): void {
    if (record.state === 'restarting') record.exit = { reason: 'crashed', cause };
  }

  /** Ends those that are restarted with a child, and starts them all again; it is this group's turn. */
  async #restartGroup(died: ChildRecord, delay: number, again: boolean): Promise<void> {
    this.cancel();
    const children = this.#children;
    const affected = affectedBy(children.options.strategy, children.records, died);
    for (const record of affected.toReversed()) {
      // A temporary one is never started again.
      if (record !== died) await children.end(record, children.forgets(record) ? 'gone' : 'restarting');
      if (children.ending) return;
    }
    if (delay === 0 && !again) return this.#startGroup();
    this.#cancelGroup = this.#later(delay, again, () => {
      this.#cancelGroup = undefined;
      void this.#children.inTurn(() => this.#startGroup()).catch(() => {});
    });
  }

  async #startGroup(): Promise<void> {
    for (const record of [...this.#children.records]) {
      if (record.state !== 'restarting' || record.run) continue;
      record.restarts++;
      try {
        await this.#children.begin(record);
      } catch (cause) {
        if (this.#children.ending) return;
        this.#failedAgain(record, cause);
        return this.restart(record, true);
      }
    }
  }
}
