import { readBack } from '../../../lib/jobs/written.ts';
import { OptionError } from '../../../lib/wire/errors.ts';
import type { JobStore } from './store.ts';
import type { SettledJob } from './types.ts';
import { type Wait, Waiting } from './waiting.ts';

/** When a result is dropped from the journal: when it was delivered, or when its receiver says so. */
export type Acknowledgement = 'delivered' | 'manual';

/** What became of one job of many. */
export interface BatchResult<T = unknown> {
  readonly id: string;
  /** Which one of its submission it is. */
  readonly index: number;
  readonly status: string;
  /** What it gave, if it gave something. */
  readonly value?: T;
  /** What it threw, or why it gave nothing. */
  readonly error?: unknown;
  /** Drops it from the journal; resolves when that is on the disk. */
  acknowledge(): Promise<void>;
}

/** Tells those in this process who wait for results. */
export class Deliveries {
  readonly #store: JobStore;
  readonly #jobs = new Waiting<string, SettledJob>();
  readonly #submissions = new Waiting<number, void>();

  constructor(store: JobStore) {
    this.#store = store;
  }

  /** A job has ended, and that is on the disk. */
  settled(settled: SettledJob): void {
    this.#jobs.tell(settled.id, settled);
    this.changed(settled.place.submission);
  }

  /** There may be more to read of a submission, or nothing any more. */
  changed(submission: number): void {
    this.#submissions.tell(submission);
  }

  /**
   * Waits until a job has ended, also one of an earlier process. Rejects with OptionError if there is none with that id,
   * with the signal's reason, or with why the journal was closed.
   */
  async of(id: string, signal?: AbortSignal): Promise<SettledJob> {
    // It waits before it looks, so that nothing can end in between.
    const wait = this.#jobs.begin(id, signal);
    try {
      const record = await this.#store.get(id);
      if (!record) throw notThere(id);
      return record.state === 'settled' ? record.settled : await wait.over;
    } finally {
      wait.leave();
    }
  }

  /** Waits until something changes in a submission. */
  change(submission: number, signal?: AbortSignal): Wait<void> {
    return this.#submissions.begin(submission, signal);
  }

  /** Those who wait are told why they do so in vain. */
  close(reason: Error): void {
    this.#jobs.close(reason);
    this.#submissions.close(reason);
  }
}

const notThere = (id: string): OptionError =>
  new OptionError(
    'id',
    `There is no job ${id} in this journal: its result was acknowledged or has expired, or it is of another journal.`,
  );

/** A result as its receiver has it. */
export const resultOf = <T>(store: JobStore, { id, place, head, value }: SettledJob): BatchResult<T> => {
  const given = readBack(value);
  return {
    id,
    index: place.index,
    status: head.status,
    ...(head.ok ? { value: given as T } : { error: given }),
    acknowledge: () => store.acknowledged({ place, head }),
  };
};
