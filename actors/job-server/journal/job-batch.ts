import type { Acknowledgement, BatchResult, Deliveries } from './deliveries.ts';
import { resultOf } from './deliveries.ts';
import type { JobStore } from './store.ts';
import type { Submission } from './submissions.ts';
import type { SettledJob } from './types.ts';

/** How results are read. */
export interface ResultOptions {
  /** @default 'delivered', which is when the next one is asked for */
  readonly acknowledge?: Acknowledgement;
  /** Ends the reading with its reason. */
  readonly signal?: AbortSignal;
}

/**
 * Jobs that were submitted together, of which all but a few are on the disk alone. `for await (const result of batch)`
 * gives their results as they come, each once: one is acknowledged when the next one is asked for, so a program that
 * ends in the middle of its work with one gets it again.
 */
export class JobBatch<T = unknown> implements AsyncIterable<BatchResult<T>> {
  /**
   * Resolves to their number when all are on the disk. Rejects with what their iterable threw, UnserializableError and
   * JournalError; those before are submitted then.
   */
  readonly submitted: Promise<number>;
  readonly #store: JobStore;
  readonly #deliveries: Deliveries;
  readonly #submission: Submission;
  /** Read, and not yet given to anybody. */
  #page: SettledJob[] = [];
  #after = 0;
  #reading: Promise<unknown> = Promise.resolve();
  /** Why not all of it could be submitted. */
  #failure: { readonly cause: unknown } | undefined;

  /** `submitted` resolves when all its jobs are on the disk, as they are if an earlier process has submitted them. */
  constructor(store: JobStore, deliveries: Deliveries, submission: Submission, submitted: Promise<void>) {
    this.#store = store;
    this.#deliveries = deliveries;
    this.#submission = submission;
    this.submitted = submitted.then(() => submission.count);
    this.submitted.catch((cause: unknown) => {
      this.#failure = { cause };
      deliveries.changed(submission.number);
    });
  }

  /** What `attachBatch` takes. */
  get id(): string {
    return this.#store.idOf({ submission: this.#submission.number, index: 0 }).replace(/\.\d+$/, '');
  }

  /** How many jobs it has; more may come as long as it is being submitted. */
  get count(): number {
    return this.#submission.count;
  }

  /** Ids of its jobs, one after the other. */
  get ids(): Iterable<string> {
    const { number } = this.#submission;
    const idOf = (index: number) => this.#store.idOf({ submission: number, index });
    const count = () => this.count;
    return {
      *[Symbol.iterator]() {
        for (let index = 0; index < count(); index++) yield idOf(index);
      },
    };
  }

  [Symbol.asyncIterator](): AsyncGenerator<BatchResult<T>, void, undefined> {
    return this.results();
  }

  /**
   * Their results as they come, until all were given. Several readers share them. Rejects with the signal's reason, and
   * with JobServerClosedError.
   */
  async *results({
    acknowledge = 'delivered',
    signal,
  }: ResultOptions = {}): AsyncGenerator<BatchResult<T>, void, undefined> {
    for (;;) {
      const settled = await this.#next(signal);
      if (!settled) return;
      let done = false;
      try {
        yield resultOf<T>(this.#store, settled);
        done = true;
      } finally {
        // Who left the loop may not be done with it.
        if (!done) this.#giveBack(settled);
      }
      // Before the next one is given: of all that were, only one can come a second time.
      if (acknowledge === 'delivered') await this.#store.delivered(settled);
    }
  }

  #giveBack(settled: SettledJob): void {
    this.#page.unshift(settled);
    this.#deliveries.changed(this.#submission.number);
  }

  #next(signal: AbortSignal | undefined): Promise<SettledJob | undefined> {
    // One after the other, so that each is given to one reader.
    const next = this.#reading.then(() => this.#read(signal));
    this.#reading = next.catch(() => {});
    return next;
  }

  async #read(signal: AbortSignal | undefined): Promise<SettledJob | undefined> {
    const { number } = this.#submission;
    for (;;) {
      signal?.throwIfAborted();
      const settled = await this.#take();
      if (settled) return settled;
      const wait = this.#deliveries.change(number, signal);
      try {
        const { open, count, ended } = this.#submission;
        // Once more, because something may have come before this began to wait.
        const late = await this.#take();
        if (late) return late;
        if (!open && ended >= count) {
          // The last ones may be on their way to the disk.
          await this.#store.written();
          const last = await this.#take();
          if (last) return last;
          if (this.#failure) throw this.#failure.cause;
          return undefined;
        }
        await wait.over;
      } finally {
        wait.leave();
      }
    }
  }

  async #take(): Promise<SettledJob | undefined> {
    if (this.#page.length === 0) {
      this.#page = await this.#store.outcomes(this.#submission.number, this.#after);
      this.#after = this.#page.at(-1)?.head.order ?? this.#after;
    }
    return this.#page.shift();
  }
}
