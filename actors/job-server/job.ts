import type { JobOutput, JobRecord, JobStatus, ReceivedFile } from './job-record.ts';

/** The record behind a job. */
export let recordOf: (job: Job<unknown, unknown>) => JobRecord;

/** How a job is cancelled. */
export interface CancelOptions {
  /** How long it may go on to return its best value, in milliseconds; then its site is killed. @default that of `submit` */
  grace?: number;
  /** What the job's signal is aborted with, and the cause of what the job rejects with. */
  reason?: unknown;
}

/**
 * A job, as the one who submitted it has it. `await` gives its result, or throws what it threw; one that fails and is
 * never awaited disturbs nobody.
 */
export class Job<R = unknown, P = unknown> implements PromiseLike<R> {
  readonly #record: JobRecord;
  #result: Promise<R> | undefined;

  static {
    recordOf = (job) => job.#record;
  }

  constructor(record: JobRecord) {
    this.#record = record;
  }

  /** Unique among all jobs everywhere. */
  get id(): string {
    return this.#record.id;
  }

  get status(): JobStatus {
    return this.#record.status;
  }

  /** The same for each look at it: the value, or the rejection with what the job threw. */
  get result(): Promise<R> {
    this.#result ??= new Promise<R>((resolve, reject) => {
      this.#record.whenOver((record) => {
        if (record.status === 'finished') resolve(record.value as R);
        else reject(record.error);
        record.journaled?.delivered();
      });
    });
    return this.#result;
  }

  /** What it gave, once it is finished. */
  get value(): R | undefined {
    return this.#record.value as R | undefined;
  }

  /** What it threw, or why it was ended. */
  get error(): unknown {
    return this.#record.error;
  }

  /** What it has printed so far. */
  get stdout(): string {
    return this.#record.printed('stdout');
  }

  /** What it has printed as errors so far. */
  get stderr(): string {
    return this.#record.printed('stderr');
  }

  /** What it prints, as it comes, from the beginning to the end of the job. */
  get output(): AsyncIterable<JobOutput> {
    return this.#record.output;
  }

  /** What it says before its end, from its beginning on. */
  get provisional(): AsyncIterable<P> {
    return this.#record.provisional as AsyncIterable<P>;
  }

  /** What it said last before its end. */
  get progress(): P | undefined {
    return this.#record.provisional.kept.at(-1) as P | undefined;
  }

  /** The files that it has sent back so far. */
  get files(): readonly ReceivedFile[] {
    return this.#record.received ?? [];
  }

  /** When it was submitted, in milliseconds since 1970. */
  get submitTime(): number {
    return this.#record.submitTime;
  }

  /** When its last run began, in milliseconds since 1970. */
  get startTime(): number | undefined {
    return this.#record.startTime;
  }

  /** When it was over, in milliseconds since 1970. */
  get endTime(): number | undefined {
    return this.#record.endTime;
  }

  /** The name of the node on which it runs, or ran last. */
  get node(): string | undefined {
    return this.#record.node;
  }

  /** How often it was begun. */
  get attempts(): number {
    return this.#record.attempts;
  }

  /** What was given to `submit` as `data`. */
  get data(): unknown {
    return this.#record.options.data;
  }

  /**
   * Ends it: in the queue it is dropped; where it runs its signal is aborted, and after the grace its site is killed. It
   * may still give its best value in its grace. Returns it, to be awaited.
   */
  cancel({ grace, reason }: CancelOptions = {}): this {
    this.#record.owner.cancel(this.#record, reason, grace);
    return this;
  }

  /**
   * Says that its result has arrived for good, so that a journal drops it; resolves when that is on the disk. It waits
   * for the end of the job. Without a journal it does nothing.
   */
  async acknowledge(): Promise<void> {
    await new Promise<void>((resolve) => this.#record.whenOver(() => resolve()));
    await this.#record.journaled?.acknowledge();
  }

  // biome-ignore lint/suspicious/noThenProperty: a job is awaited
  then<A = R, B = never>(
    resolve?: ((value: R) => A | PromiseLike<A>) | null,
    reject?: ((cause: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.result.then(resolve, reject);
  }

  catch<B = never>(reject: (cause: unknown) => B | PromiseLike<B>): Promise<R | B> {
    return this.result.catch(reject);
  }

  finally(settle: () => void): Promise<R> {
    return this.result.finally(settle);
  }
}
