import { Buffer } from 'node:buffer';
import type { Commits, Database } from './commits.ts';
import { all, type JobPlace, numberIn, submissionKey, Table } from './keys.ts';
import { pairIn, sealedJson, sealedPair } from './records.ts';

/** So many of what jobs have in common are held in memory. */
const HELD = 64;

/** Jobs that were submitted together. */
export interface Submission {
  readonly number: number;
  readonly priority: number;
  readonly many: boolean;
  /** How often a job is run again whose site was lost. */
  readonly retry: number;
  /** How many jobs it has so far. */
  readonly count: number;
  /** How many of them have ended. */
  readonly ended: number;
  /** Of how many the result was acknowledged or has expired. */
  readonly gone: number;
  /** Whether more can come. */
  readonly open: boolean;
  /** What its jobs have in common. */
  readonly shared: Buffer;
}

type Live = { -readonly [K in keyof Submission]: Submission[K] } & {
  /** Whether its counts are to be written with the next group. */
  changed: boolean;
  /** Whether what its jobs have in common is on the disk. */
  kept: boolean;
};

/** How jobs were submitted. */
export type Terms = Pick<Submission, 'priority' | 'many' | 'retry'>;

/** What jobs of a submission have in common. */
export type Common = Pick<Submission, 'shared' | 'retry'>;

type Counts = Pick<Submission, 'count' | 'ended' | 'gone'>;

/**
 * What jobs of one submission have in common, and how many of them are left: the last one takes it along. Only
 * submissions of many jobs are held in memory.
 */
export class Submissions {
  readonly #database: Database;
  readonly #commits: Commits;
  readonly #unseal: (value: Buffer | undefined, what: string) => Buffer;
  readonly #live = new Map<number, Live>();
  /** What single jobs were submitted with, the latest ones. */
  readonly #common = new Map<number, Common>();

  constructor(
    database: Database,
    commits: Commits,
    unseal: (value: Buffer | undefined, what: string) => Buffer,
  ) {
    this.#database = database;
    this.#commits = commits;
    this.#unseal = unseal;
  }

  /** Reads those that are there. What was still being submitted has no more jobs than these: its client is gone. */
  async open(): Promise<void> {
    for await (const [key, value] of this.#database.iterator(all(Table.counts))) {
      const number = numberIn(key);
      const { count, ended, gone } = JSON.parse(
        this.#unseal(value, `the number of jobs of the submission ${number}`).toString(),
      ) as Counts;
      const { shared, priority, retry } = await this.#read(number);
      const live: Live = {
        number,
        priority,
        many: true,
        retry,
        count,
        ended,
        gone,
        open: false,
        shared,
        changed: false,
        kept: true,
      };
      this.#live.set(number, live);
      this.#dropIfDone(live);
    }
  }

  /** All that have many jobs and are not done with. */
  get unfinished(): readonly Submission[] {
    return [...this.#live.values()];
  }

  begin(number: number, shared: Buffer, { priority, many, retry }: Terms): Submission {
    const live: Live = {
      number,
      priority,
      many,
      retry,
      count: 0,
      ended: 0,
      gone: 0,
      open: true,
      shared,
      changed: false,
      kept: false,
    };
    if (many) this.#live.set(number, live);
    return live;
  }

  /** Adds a job. */
  add(submission: Submission): JobPlace {
    const live = submission as Live;
    if (!live.kept) {
      live.kept = true;
      const { priority, retry, shared } = live;
      const head = JSON.stringify({ priority, retry });
      this.#commits.put(submissionKey(Table.submission, live.number), sealedPair(Buffer.from(head), shared));
      if (!live.many) this.#hold(live.number, { shared, retry });
    }
    const place = { submission: live.number, index: live.count++ };
    this.#note(live);
    return place;
  }

  finish(submission: Submission): void {
    const live = submission as Live;
    live.open = false;
    this.#note(live);
    this.#dropIfDone(live);
  }

  /** As which one the next outcome comes. */
  order(number: number): number {
    const live = this.#live.get(number);
    if (!live) return 1;
    this.#note(live);
    return ++live.ended;
  }

  isMany(number: number): boolean {
    return this.#live.has(number);
  }

  /** One result is no longer there. */
  gone(number: number): void {
    const live = this.#live.get(number);
    if (!live) {
      this.#drop(number);
      return;
    }
    live.gone++;
    this.#note(live);
    this.#dropIfDone(live);
  }

  /** What the jobs of a submission have in common. Rejects with JournalDamagedError. */
  async commonOf(number: number): Promise<Common> {
    const known = this.#live.get(number) ?? this.#common.get(number);
    if (known) return known;
    const { shared, retry } = await this.#read(number);
    this.#hold(number, { shared, retry });
    return { shared, retry };
  }

  /** The same of many at once; nothing for one that is not there. Rejects with JournalDamagedError. */
  async commonsOf(numbers: readonly number[]): Promise<(Common | undefined)[]> {
    const commons = numbers.map((number) => this.#live.get(number) ?? this.#common.get(number));
    const unknown = numbers.filter((_, at) => !commons[at]);
    if (unknown.length === 0) return commons;
    const values = await this.#database.getMany(
      unknown.map((number) => submissionKey(Table.submission, number)),
    );
    let at = 0;
    return numbers.map((number, each) => {
      if (commons[each]) return commons[each];
      const value = values[at++];
      return value && this.#opened(number, value);
    });
  }

  /** The priority of the jobs of a submission. Rejects with JournalDamagedError. */
  async priorityOf(number: number): Promise<number> {
    return this.#live.get(number)?.priority ?? (await this.#read(number)).priority;
  }

  async #read(number: number): Promise<Common & { priority: number }> {
    return this.#opened(number, await this.#database.get(submissionKey(Table.submission, number)));
  }

  #opened(number: number, value: Buffer | undefined): Common & { priority: number } {
    const [head, shared] = pairIn(this.#unseal(value, `the submission ${number}`));
    return { ...(JSON.parse(head.toString()) as { priority: number; retry: number }), shared };
  }

  #hold(number: number, common: Common): void {
    this.#common.set(number, common);
    if (this.#common.size > HELD) this.#common.delete(this.#common.keys().next().value!);
  }

  /** Its counts are written once with each group, however many of its jobs are in there. */
  #note(live: Live): void {
    if (!live.many || live.changed) return;
    live.changed = true;
    this.#commits.before(() => {
      live.changed = false;
      if (!this.#live.has(live.number)) return;
      const { count, ended, gone } = live;
      const counts: Counts = { count, ended, gone };
      this.#commits.put(submissionKey(Table.counts, live.number), sealedJson(counts));
    });
  }

  #dropIfDone(live: Live): void {
    if (live.open || live.gone < live.count || !this.#live.delete(live.number)) return;
    this.#drop(live.number);
    this.#commits.delete(submissionKey(Table.counts, live.number));
  }

  #drop(number: number): void {
    this.#common.delete(number);
    this.#commits.delete(submissionKey(Table.submission, number));
  }
}
