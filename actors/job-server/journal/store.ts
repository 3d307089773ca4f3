import { Buffer } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import { OptionError } from '../../../lib/wire/errors.ts';
import { Commits, type Database } from './commits.ts';
import { JournalDamagedError, JournalError } from './errors.ts';
import { type OpenFolder, openFolder } from './folder.ts';
import { JobIds } from './job-ids.ts';
import {
  all,
  behind,
  expiryKey,
  type JobPlace,
  jobKey,
  namedKey,
  orderKey,
  placeIn,
  queuedKey,
  priorityPrefix,
  submissionKey,
  Table,
} from './keys.ts';
import { QueueOrder } from './queue-order.ts';
import { type OutcomeHead, pairIn, sealed, sealedJson, sealedPair, unsealed } from './records.ts';
import { type Submission, Submissions } from './submissions.ts';

/** The version of what is on the disk; another one is refused. */
const FORMAT = 1;
/** So many numbers of submissions are taken at once, so that not each of them is written. */
const NUMBERS = 1_000;
/** Results are kept for a day unless the options say otherwise, in milliseconds. */
const KEEP_RESULTS = 24 * 3_600_000;
/** How many jobs are read at once where all are looked at. */
const AT_ONCE = 256;

/** How a journal is kept. */
export interface JobStoreOptions {
  /**
   * What a promise means: `sync`, that it holds although the host loses its power; `os`, that it holds although this
   * process is killed. @default 'sync'
   */
  readonly durable?: 'sync' | 'os';
  /** How long results wait for somebody who acknowledges them, in milliseconds. @default 86400000, which is a day */
  readonly keepResults?: number;
  /** Milliseconds since 1970. @default Date.now */
  readonly now?: () => number;
}

/** A job that is to be run. */
export interface QueuedJob {
  readonly id: string;
  readonly place: JobPlace;
  readonly priority: number;
  /** How often it was started before. */
  readonly attempts: number;
  /** What it shares with the others of its submission. */
  readonly shared: Buffer;
  /** What is its own. */
  readonly own: Buffer;
}

/** Where a job was started. */
export interface StartedAt {
  /** The name of the site, as `keepSite` knows it. */
  readonly site: string;
  /** How often it was started, this time counted. */
  readonly attempt: number;
  /** In milliseconds since 1970. */
  readonly at: number;
  readonly priority: number;
}

/** A job that was started and has not ended. */
export interface StartedJob extends StartedAt {
  readonly id: string;
  readonly place: JobPlace;
}

/** How a job ended. */
export interface SettledJob {
  readonly id: string;
  readonly place: JobPlace;
  readonly head: OutcomeHead;
  /** Its value or its error, as it was written down. */
  readonly value: Buffer;
}

/** What is known of a job. */
export type JobRecord =
  | { readonly state: 'queued' }
  | { readonly state: 'started'; readonly started: StartedJob }
  | { readonly state: 'settled'; readonly settled: SettledJob };

/** How to come back into a site. */
export interface KeptSite {
  readonly name: string;
  readonly ticket: string;
}

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
  readonly #submissions: Submissions;
  readonly #keepResults: number;
  readonly #now: () => number;
  #ids!: JobIds;
  #nextNumber = 1;
  #reserved = 1;
  /** The first key that was queued in each priority since the last write. */
  readonly #firstQueued = new Map<number, Buffer>();
  #closed = false;

  private constructor(
    folder: OpenFolder,
    { durable = 'sync', keepResults = KEEP_RESULTS, now = Date.now }: JobStoreOptions,
  ) {
    this.#folder = folder;
    this.#database = folder.database;
    this.#commits = new Commits(folder.database, folder.path, durable === 'sync');
    this.#order = new QueueOrder(folder.database);
    this.#submissions = new Submissions(folder.database, this.#commits, (value, what) => this.#open(value, what));
    this.#keepResults = keepResults;
    this.#now = now;
  }

  /** Opens a journal, or makes one. Rejects with JournalError, JournalHeldError and JournalDamagedError. */
  static async open(path: string, options: JobStoreOptions = {}): Promise<JobStore> {
    const store = new JobStore(await openFolder(path), options);
    try {
      await store.#start();
      return store;
    } catch (cause) {
      await store.#folder.close();
      throw cause;
    }
  }

  /** Where it is. */
  get path(): string {
    return this.#folder.path;
  }

  async #start(): Promise<void> {
    const bytes = await this.#read(namedKey(Table.meta, 'format'));
    const format = bytes && (this.#json(bytes, 'its format') as { version: number; ids: string });
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
    const reserved = await this.#read(namedKey(Table.meta, 'next'));
    if (reserved) this.#nextNumber = this.#reserved = this.#json(reserved, 'its next number') as number;
    await Promise.all([this.#order.open(), this.#submissions.open()]);
  }

  /**
   * Begins a submission: jobs that have `shared` in common, and are run one after the other in their order, as far as
   * `priority` and free slots allow. One with `many` jobs has results in the order in which they come.
   */
  submission(shared: Uint8Array, { priority = 0, many = false }: { priority?: number; many?: boolean } = {}): Submission {
    if (!Number.isFinite(priority)) {
      throw new OptionError('priority', `A priority is a finite number, not ${String(priority)}.`);
    }
    const number = this.#nextNumber++;
    if (number >= this.#reserved) {
      this.#reserved = number + NUMBERS;
      this.#commits.put(namedKey(Table.meta, 'next'), sealedJson(this.#reserved));
    }
    return this.#submissions.begin(number, Buffer.from(shared), { priority, many });
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
    });
  }

  /** The next jobs to be run, at most `limit`; each is given once, until it is given back. Rejects with JournalDamagedError. */
  async next(limit: number): Promise<QueuedJob[]> {
    const queued = await this.#order.take(limit);
    if (queued.length === 0) return [];
    const values = await this.#database.getMany(queued.map(({ place }) => jobKey(Table.job, place)));
    const jobs: QueuedJob[] = [];
    for (const [at, { place, priority, attempts }] of queued.entries()) {
      const value = values[at];
      const id = this.#ids.of(place, this.#submissions.isMany(place.submission));
      const own = this.#open(value, `the job ${id}`);
      const shared = await this.#submissions.sharedOf(place.submission);
      jobs.push({ id, place, priority, attempts, shared, own });
    }
    return jobs;
  }

  /** A job that `next` gave is not run now. */
  giveBack({ place, priority }: Pick<QueuedJob, 'place' | 'priority'>): void {
    this.#order.giveBack(priority, place);
  }

  /** A job is about to be started. Resolves when that is on the disk, and only then may it be. Rejects with JournalError. */
  started({ place, priority }: Pick<QueuedJob, 'place' | 'priority'>, where: Omit<StartedAt, 'at' | 'priority'>): Promise<void> {
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
  async settled(job: { place: JobPlace; priority?: number }, head: HeadOfOutcome, value: Uint8Array): Promise<SettledJob> {
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

  /** Somebody has an outcome for good, and it is dropped here. */
  acknowledged({ place, head }: Pick<SettledJob, 'place' | 'head'>): Promise<void> {
    this.#commits.delete(jobKey(Table.outcome, place));
    this.#commits.delete(expiryKey(head.expires, place));
    if (this.#submissions.isMany(place.submission)) this.#commits.delete(orderKey(place.submission, head.order));
    this.#submissions.gone(place.submission);
    return this.#commits.written();
  }

  /** What is known of a job; nothing if there never was one, or its result was acknowledged or has expired. */
  async get(id: string): Promise<JobRecord | undefined> {
    const place = this.#ids.placeOf(id);
    if (!place) return undefined;
    // What was said must be there before it is looked for.
    await this.#commits.written();
    const outcome = await this.#read(jobKey(Table.outcome, place));
    if (outcome) return { state: 'settled', settled: this.#settled(place, outcome) };
    const started = await this.#read(jobKey(Table.started, place));
    if (started) return { state: 'started', started: this.#started(place, started) };
    return (await this.#database.has(jobKey(Table.job, place))) ? { state: 'queued' } : undefined;
  }

  /** All jobs that were started and have not ended, a few at a time. */
  async *running(): AsyncGenerator<StartedJob, void, undefined> {
    await this.#commits.written();
    for await (const [key, value] of this.#database.iterator(all(Table.started))) {
      yield this.#started(placeIn(key), value);
    }
  }

  /** Outcomes of a submission in the order in which they came, those after the `after`th. */
  async outcomes(submission: number, after: number, limit = AT_ONCE): Promise<SettledJob[]> {
    await this.#commits.written();
    const range = { gt: orderKey(submission, after), lt: behind(submissionKey(Table.order, submission)), limit };
    const keys = await this.#database.values(range).all();
    const values = await this.#database.getMany(keys);
    return keys.map((key, at) => this.#settled(placeIn(key), values[at]));
  }

  /** Ids of all jobs that are here, a few at a time. */
  async *ids(): AsyncGenerator<string, void, undefined> {
    await this.#commits.written();
    for (const table of [Table.outcome, Table.job]) {
      for await (const key of this.#database.keys(all(table))) {
        const place = placeIn(key);
        yield this.#ids.of(place, this.#submissions.isMany(place.submission));
      }
    }
  }

  /** The id of a job. */
  idOf(place: JobPlace): string {
    return this.#ids.of(place, this.#submissions.isMany(place.submission));
  }

  /** Submissions of many jobs that are not done with. */
  get submissions(): readonly Submission[] {
    return this.#submissions.unfinished;
  }

  /** Notes how to come back into a site. It is on the disk when this resolves. */
  keepSite({ name, ticket }: KeptSite): Promise<void> {
    this.#commits.put(namedKey(Table.site, name), sealedJson(ticket));
    return this.#commits.written();
  }

  /** A site is gone. */
  forgetSite(name: string): void {
    this.#commits.delete(namedKey(Table.site, name));
  }

  /** All sites that may still be there. */
  async sites(): Promise<KeptSite[]> {
    await this.#commits.written();
    const entries = await this.#database.iterator(all(Table.site)).all();
    return entries.map(([key, value]) => {
      const name = key.toString('utf8', 1);
      return { name, ticket: this.#json(value, `the way to the site ${name}`) as string };
    });
  }

  /** Drops what nobody has taken in time; resolves to how many results that were. */
  async expire(): Promise<number> {
    await this.#commits.written();
    let count = 0;
    const range = { gte: Buffer.of(Table.expiry), lt: expiryKey(this.#now(), { submission: 0, index: 0 }) };
    for await (const key of this.#database.keys(range)) {
      const place = placeIn(key);
      const outcome = await this.#read(jobKey(Table.outcome, place));
      // It was acknowledged while this went on.
      if (!outcome) continue;
      const dropped = this.acknowledged(this.#settled(place, outcome));
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
    await this.#commits.close();
    await this.#folder.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #read(key: Buffer): Promise<Buffer | undefined> {
    return this.#database.get(key);
  }

  #open(value: Buffer | undefined, what: string): Buffer {
    const content = value && unsealed(value);
    if (content) return content;
    throw new JournalDamagedError(this.path, value ? `${what} has a wrong checksum` : `${what} is missing`);
  }

  #json(value: Buffer, what: string): unknown {
    return JSON.parse(this.#open(value, what).toString());
  }

  #started(place: JobPlace, value: Buffer): StartedJob {
    const id = this.idOf(place);
    return { ...(this.#json(value, `the start of the job ${id}`) as StartedAt), id, place };
  }

  #settled(place: JobPlace, value: Buffer | undefined): SettledJob {
    const id = this.idOf(place);
    const [head, content] = pairIn(this.#open(value, `the outcome of the job ${id}`));
    return { id, place, head: JSON.parse(head.toString()) as OutcomeHead, value: content };
  }
}
