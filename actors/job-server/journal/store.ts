import { Buffer } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import { JobServerClosedError } from '../../../lib/jobs/errors.ts';
import { OptionError } from '../../../lib/wire/errors.ts';
import { Commits, type Database } from './commits.ts';
import { DeliveredLog } from './delivered-log.ts';
import { JournalError } from './errors.ts';
import { type OpenFolder, openFolder } from './folder.ts';
import { JobIds } from './job-ids.ts';
import {
  expiryKey,
  type JobPlace,
  jobKey,
  namedKey,
  orderKey,
  placeIn,
  priorityPrefix,
  queuedKey,
  Table,
} from './keys.ts';
import { QueueOrder } from './queue-order.ts';
import { JournalReader } from './reader.ts';
import { type OutcomeHead, sealed, sealedJson, sealedPair } from './records.ts';
import { type Common, type Submission, Submissions, type Terms } from './submissions.ts';
import type {
  JobStoreOptions,
  JournalEntry,
  KeptSite,
  QueuedJob,
  SettledJob,
  StartedAt,
  StartedJob,
} from './types.ts';

/** The version of what is on the disk; another one is refused. */
const FORMAT = 1;
/** So many numbers of submissions are taken at once, so that not each of them is written. */
const NUMBERS = 1_000;
/** Results are kept for a day unless the options say otherwise, in milliseconds. */
const KEEP_RESULTS = 24 * 3_600_000;
/** How many jobs are read at once where all are looked at. */
const AT_ONCE = 256;
/** So many results may be delivered before the database has dropped them. */
const MOST_DELIVERED = 4_096;

type HeadOfOutcome = Omit<OutcomeHead, 'expires' | 'order'>;

/**
 * The jobs of a job server on the disk: what is queued, what runs and where, and what has ended and waits for somebody
 * who takes it. What it holds in memory does not grow with the number of jobs. Nothing of values is known here but their
 * bytes.
 */
export class JobStore implements AsyncDisposable {
  readonly #folder: OpenFolder;
  readonly #database: Database;
  readonly #commits: Commits;
  readonly #order: QueueOrder;
  readonly #delivered: DeliveredLog;
  readonly #submissions: Submissions;
  readonly #keepResults: number;
  readonly #now: () => number;
  readonly #onQueued: () => void;
  readonly #reader: JournalReader;
  #ids!: JobIds;
  #nextNumber = 1;
  #reserved = 1;
  /** The first key that was queued in each priority since the last write. */
  readonly #firstQueued = new Map<number, Buffer>();
  /** Outcomes whose end is on its way to the disk. */
  readonly #dropping = new Set<string>();
  readonly #readings = new Set<Promise<unknown>>();
  #closed = false;

  private constructor(
    folder: OpenFolder,
    { durable = 'sync', keepResults = KEEP_RESULTS, now = Date.now, onQueued = () => {} }: JobStoreOptions,
  ) {
    this.#folder = folder;
    this.#delivered = new DeliveredLog(folder.path);
    this.#database = folder.database;
    this.#commits = new Commits(folder.database, folder.path, durable === 'sync');
    this.#order = new QueueOrder(folder.database);
    this.#submissions = new Submissions(folder.database, this.#commits, (value, what) =>
      this.#reader.open(value, what),
    );

    this.#reader = new JournalReader(folder.path, folder.database, {
      isMany: (submission) => this.#submissions.isMany(submission),
      ids: () => this.#ids,
    });
    this.#keepResults = keepResults;
    this.#now = now;
    this.#onQueued = onQueued;
  }

  /** Opens a journal, or makes one. Rejects with JournalError, JournalHeldError and JournalDamagedError. */
  static async open(path: string, options: JobStoreOptions = {}): Promise<JobStore> {
    const folder = await openFolder(path);
    let store: JobStore | undefined;
    try {
      store = new JobStore(folder, options);
      await store.#start();
      return store;
    } catch (cause) {
      if (store) store.#delivered.close();
      await folder.close();
      throw cause;
    }
  }

  /** Where it is. */
  get path(): string {
    return this.#folder.path;
  }

  async #start(): Promise<void> {
    const bytes = await this.#reader.read(namedKey(Table.meta, 'format'));
    const format = bytes && (this.#reader.json(bytes, 'its format') as { version: number; ids: string });
    if (format && format.version !== FORMAT) {
      throw new JournalError(
        this.path,
        `The journal ${this.path} has the format ${format.version}, and this version of Offsite reads ${FORMAT}. Open it with the version that wrote it, or take another path.`,
      );
    }
    // Two journals never give two jobs the same id.
    const ids = format?.ids ?? randomBytes(4).toString('hex');
    this.#ids = new JobIds(ids);
    if (!format) {
      this.#commits.put(namedKey(Table.meta, 'format'), sealedJson({ version: FORMAT, ids }));
      await this.#commits.written();
    }
    const reserved = await this.#reader.read(namedKey(Table.meta, 'next'));
    if (reserved)
      this.#nextNumber = this.#reserved = this.#reader.json(reserved, 'its next number') as number;
    await Promise.all([this.#order.open(), this.#submissions.open()]);
    await this.#dropDelivered();
  }

  /** What an earlier process has delivered, and had no time to drop. */
  async #dropDelivered(): Promise<void> {
    for (const place of this.#delivered.left) {
      const outcome = await this.#reader.read(jobKey(Table.outcome, place));
      if (outcome) void this.acknowledged(this.#reader.settled(place, outcome)).catch(() => {});
    }
    await this.#commits.written();
    this.#delivered.empty();
  }

  /**
   * Begins a submission: jobs that have `shared` in common, and are run one after the other in their order, as far as
   * `priority` and free slots allow. One with `many` jobs has results in the order in which they come.
   */
  submission(shared: Uint8Array, { priority = 0, many = false, retry = 0 }: Partial<Terms> = {}): Submission {
    if (!Number.isFinite(priority)) {
      throw new OptionError('priority', `A priority is a finite number, not ${String(priority)}.`);
    }
    const number = this.#nextNumber++;
    if (number >= this.#reserved) {
      this.#reserved = number + NUMBERS;
      this.#commits.put(namedKey(Table.meta, 'next'), sealedJson(this.#reserved));
    }
    return this.#submissions.begin(number, Buffer.from(shared), { priority, many, retry });
  }

  /** Adds a job to a submission and returns its id; it is promised when `written` has resolved. Throws JournalError. */
  put(submission: Submission, own: Uint8Array): string {
    const place = this.#submissions.add(submission);
    this.#commits.put(jobKey(Table.job, place), sealed(own));
    this.#queue(submission.priority, place, 0);
    return this.#ids.of(place, submission.many);
  }

  /** A submission has all its jobs. */
  finish(submission: Submission): void {
    this.#submissions.finish(submission);
  }

  /** Resolves when all that was said so far is on the disk. Rejects with JournalError. */
  written(): Promise<void> {
    return this.#commits.written();
  }

  #queue(priority: number, place: JobPlace, attempts: number): void {
    const key = queuedKey(priorityPrefix(priority), place);
    const value = Buffer.alloc(attempts === 0 ? 0 : 4);
    if (attempts > 0) value.writeUInt32BE(attempts, 0);
    this.#commits.put(key, value);
    // Within one write, the first one is enough to know.
    const first = this.#firstQueued.get(priority);
    if (first && Buffer.compare(first, key) <= 0) return;
    this.#firstQueued.set(priority, key);
    this.#commits.afterwards(() => {
      this.#order.written(key);
      if (this.#firstQueued.get(priority) === key) this.#firstQueued.delete(priority);
      this.#onQueued();
    });
  }

  /** The next jobs to be run, at most `limit`; each is given once, until it is given back. Rejects with JournalDamagedError. */
  next(limit: number): Promise<QueuedJob[]> {
    return this.#reading(() => this.#next(limit));
  }

  async #next(limit: number): Promise<QueuedJob[]> {
    const queued = await this.#order.take(limit);
    if (queued.length === 0) return [];
    const [values, commons] = await Promise.all([
      this.#database.getMany(queued.map(({ place }) => jobKey(Table.job, place))),
      this.#submissions.commonsOf(queued.map(({ place }) => place.submission)),
    ]);
    const jobs: QueuedJob[] = [];
    for (const [at, { place, priority, attempts }] of queued.entries()) {
      const value = values[at];
      const common = commons[at];
      // It has ended while this read.
      if (!(value && common) && !(await this.#database.has(this.#order.keyOf(priority, place)))) continue;
      const id = this.#ids.of(place, this.#submissions.isMany(place.submission));
      const own = this.#reader.open(value, `the job ${id}`);
      jobs.push({ id, place, priority, attempts, own, ...(common ?? (await this.commonOf(place))) });
    }
    return jobs;
  }

  /** A job that `next` gave is not run now. */
  giveBack({ place, priority }: Pick<QueuedJob, 'place' | 'priority'>): void {
    this.#order.giveBack(priority, place);
    this.#onQueued();
  }

  /** A job is about to be started. Resolves when that is on the disk, and only then may it be. Rejects with JournalError. */
  started(
    { place, priority }: Pick<QueuedJob, 'place' | 'priority'>,
    where: Omit<StartedAt, 'at' | 'priority'>,
  ): Promise<void> {
    this.#unqueue(priority, place);
    const started: StartedAt = { ...where, at: this.#now(), priority };
    this.#commits.put(jobKey(Table.started, place), sealedJson(started));
    return this.#commits.written();
  }

  /** A job that was started is to be started again. */
  again({ place, priority, attempt }: Pick<StartedJob, 'place' | 'priority' | 'attempt'>): Promise<void> {
    this.#commits.delete(jobKey(Table.started, place));
    this.#queue(priority, place, attempt);
    return this.#commits.written();
  }

  #unqueue(priority: number, place: JobPlace): void {
    const key = this.#order.keyOf(priority, place);
    this.#commits.delete(key);
    this.#commits.afterwards(() => this.#order.deleted(key));
  }

  /** A job has ended, wherever it was; its outcome is kept until it is acknowledged or expires. */
  async settled(
    job: { place: JobPlace; priority?: number },
    head: HeadOfOutcome,
    value: Uint8Array,
  ): Promise<SettledJob> {
    const { place, priority } = job;
    const expires = this.#now() + this.#keepResults;
    const order = this.#submissions.order(place.submission);
    const whole: OutcomeHead = { ...head, expires, order };
    // Cancelled before it was started: it is still queued.
    if (priority !== undefined) this.#unqueue(priority, place);
    this.#commits.delete(jobKey(Table.started, place));
    this.#commits.delete(jobKey(Table.job, place));
    this.#commits.put(jobKey(Table.outcome, place), sealedPair(Buffer.from(JSON.stringify(whole)), value));
    this.#commits.put(expiryKey(expires, place), Buffer.alloc(0));
    const many = this.#submissions.isMany(place.submission);
    if (many) this.#commits.put(orderKey(place.submission, order), jobKey(Table.outcome, place));
    await this.#commits.written();
    return { id: this.#ids.of(place, many), place, head: whole, value: Buffer.from(value) };
  }

  /**
   * Somebody has an outcome for good, and the next process does not give it again, although this one may be killed at
   * any time; resolves at once, unless many of these are on their way to the disk. Rejects with JournalError.
   */
  async delivered(settled: Pick<SettledJob, 'place' | 'head'>): Promise<void> {
    const gone = this.#delivered.note(settled.place);
    const written = this.acknowledged(settled);
    this.#commits.afterwards(gone);
    if (this.#delivered.open >= MOST_DELIVERED) await written;
    else written.catch(() => {});
  }

  /** Somebody has an outcome for good, or it has expired, and it is dropped here; who says it again says nothing. */
  acknowledged({ place, head }: Pick<SettledJob, 'place' | 'head'>): Promise<void> {
    const key = jobKey(Table.outcome, place);
    const name = key.toString('latin1');
    // Both may happen to one at the same time, and its submission counts it once.
    if (this.#dropping.has(name) || this.#database.getSync(key) === undefined) return this.#commits.written();
    this.#dropping.add(name);
    this.#commits.delete(key);
    this.#commits.delete(expiryKey(head.expires, place));
    if (this.#submissions.isMany(place.submission))
      this.#commits.delete(orderKey(place.submission, head.order));
    this.#submissions.gone(place.submission);
    this.#commits.afterwards(() => this.#dropping.delete(name));
    return this.#commits.written();
  }

  /** What is known of a job; nothing if there never was one, or its result was acknowledged or has expired. */
  get(id: string): Promise<JournalEntry | undefined> {
    return this.#reading(async () => {
      // What was said must be there before it is looked for.
      await this.#commits.written();
      return this.#reader.get(id);
    });
  }

  /** Outcomes of a submission in the order in which they came, those after the `after`th, as far as they are written. */
  outcomes(submission: number, after: number, limit = AT_ONCE): Promise<SettledJob[]> {
    return this.#reading(() => this.#reader.outcomes(submission, after, limit));
  }

  /** A job that is queued, if it is. */
  queued(id: string): Promise<Pick<QueuedJob, 'place' | 'priority'> | undefined> {
    return this.#reading(async () => {
      await this.#commits.written();
      const place = this.#ids.placeOf(id);
      if (!place || !(await this.#database.has(jobKey(Table.job, place)))) return undefined;
      if (await this.#database.has(jobKey(Table.started, place))) return undefined;
      return { place, priority: await this.#submissions.priorityOf(place.submission) };
    });
  }

  /** All jobs that were started and have not ended, a few at a time. */
  async *running(): AsyncGenerator<StartedJob, void, undefined> {
    await this.#commits.written();
    yield* this.#reader.running();
  }

  /** Ids of all jobs that are here, a few at a time. */
  async *ids(): AsyncGenerator<string, void, undefined> {
    await this.#commits.written();
    yield* this.#reader.ids();
  }

  /** What a job has in common with the others of its submission. Rejects with JournalDamagedError. */
  async commonOf({ submission }: JobPlace): Promise<Common> {
    const { shared, retry } = await this.#submissions.commonOf(submission);
    return { shared, retry };
  }

  /** The id of a job. */
  idOf(place: JobPlace): string {
    return this.#reader.idOf(place);
  }

  /** Submissions of many jobs that are not done with. */
  get submissions(): readonly Submission[] {
    return this.#submissions.unfinished;
  }

  /** Notes how to come back into a site. It is on the disk when this resolves. */
  keepSite({ name, ...way }: KeptSite): Promise<void> {
    this.#commits.put(namedKey(Table.site, name), sealedJson(way));
    return this.#commits.written();
  }

  /** A site is gone. */
  forgetSite(name: string): void {
    this.#commits.delete(namedKey(Table.site, name));
  }

  /** All sites that may still be there. */
  sites(): Promise<KeptSite[]> {
    return this.#reading(async () => {
      await this.#commits.written();
      return this.#reader.sites();
    });
  }

  /** Drops what nobody has taken in time; resolves to how many results that were. */
  expire(): Promise<number> {
    return this.#reading(() => this.#expire());
  }

  async #expire(): Promise<number> {
    await this.#commits.written();
    let count = 0;
    const range = { gte: Buffer.of(Table.expiry), lt: expiryKey(this.#now(), { submission: 0, index: 0 }) };
    for await (const key of this.#database.keys(range)) {
      const place = placeIn(key);
      const outcome = await this.#reader.read(jobKey(Table.outcome, place));
      // It was acknowledged while this went on.
      if (!outcome) continue;
      const dropped = this.acknowledged(this.#reader.settled(place, outcome));
      count++;
      if (count % AT_ONCE === 0) await dropped;
    }
    await this.#commits.written();
    return count;
  }

  /** Writes what is left and gives the journal free. Can be called again. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.allSettled(this.#readings);
    await this.#commits.close();
    this.#delivered.close();
    await this.#folder.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** The journal is not closed under what reads in it. Rejects with JobServerClosedError. */
  async #reading<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed) throw new JobServerClosedError('The journal was closed; open it again.');
    const reading = work();
    this.#readings.add(reading);
    try {
      return await reading;
    } finally {
      this.#readings.delete(reading);
    }
  }
}
