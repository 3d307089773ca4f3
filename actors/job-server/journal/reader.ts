import type { Buffer } from 'node:buffer';
import type { Database } from './commits.ts';
import { JournalDamagedError } from './errors.ts';
import type { JobIds } from './job-ids.ts';
import { all, behind, type JobPlace, jobKey, orderKey, placeIn, submissionKey, Table } from './keys.ts';
import { type OutcomeHead, pairIn, unsealed } from './records.ts';
import type { JournalEntry, KeptSite, SettledJob, StartedAt, StartedJob } from './types.ts';

/** What a reader needs to name jobs. */
export interface Naming {
  ids(): JobIds;
  /** Whether a submission has many jobs. */
  isMany(submission: number): boolean;
}

/** Reads what is in a journal. All that reads may reject with JournalDamagedError. */
export class JournalReader {
  readonly #path: string;
  readonly #database: Database;
  readonly #naming: Naming;

  constructor(path: string, database: Database, naming: Naming) {
    this.#path = path;
    this.#database = database;
    this.#naming = naming;
  }

  /** What is known of a job. */
  async get(id: string): Promise<JournalEntry | undefined> {
    const place = this.#naming.ids().placeOf(id);
    if (!place) return undefined;
    const outcome = await this.read(jobKey(Table.outcome, place));
    if (outcome) return { state: 'settled', settled: this.settled(place, outcome) };
    const started = await this.read(jobKey(Table.started, place));
    if (started) return { state: 'started', started: this.started(place, started) };
    return (await this.#database.has(jobKey(Table.job, place))) ? { state: 'queued' } : undefined;
  }

  /** All jobs that were started and have not ended, a few at a time. */
  async *running(): AsyncGenerator<StartedJob, void, undefined> {
    for await (const [key, value] of this.#database.iterator(all(Table.started))) {
      yield this.started(placeIn(key), value);
    }
  }

  /** Outcomes of a submission in the order in which they came, those after the `after`th. */
  async outcomes(submission: number, after: number, limit: number): Promise<SettledJob[]> {
    const range = {
      gt: orderKey(submission, after),
      lt: behind(submissionKey(Table.order, submission)),
      limit,
    };
    const keys = await this.#database.values(range).all();
    const values = await this.#database.getMany(keys);
    return keys.map((key, at) => this.settled(placeIn(key), values[at]));
  }

  /** Ids of all jobs that are here, a few at a time. */
  async *ids(): AsyncGenerator<string, void, undefined> {
    for (const table of [Table.outcome, Table.job]) {
      for await (const key of this.#database.keys(all(table))) {
        const place = placeIn(key);
        yield this.idOf(place);
      }
    }
  }

  /** All sites that may still be there. */
  async sites(): Promise<KeptSite[]> {
    const entries = await this.#database.iterator(all(Table.site)).all();
    return entries.map(([key, value]) => {
      const name = key.toString('utf8', 1);
      return { name, ...(this.json(value, `the way to the site ${name}`) as Omit<KeptSite, 'name'>) };
    });
  }

  /** The id of a job. */
  idOf(place: JobPlace): string {
    return this.#naming.ids().of(place, this.#naming.isMany(place.submission));
  }

  /** The bytes under a key. */
  read(key: Buffer): Promise<Buffer | undefined> {
    return this.#database.get(key);
  }

  /** What was sealed; `what` is its name in errors. Throws JournalDamagedError. */
  open(value: Buffer | undefined, what: string): Buffer {
    const content = value && unsealed(value);
    if (content) return content;
    throw new JournalDamagedError(this.#path, value ? `${what} has a wrong checksum` : `${what} is missing`);
  }

  /** The same for JSON. Throws JournalDamagedError. */
  json(value: Buffer, what: string): unknown {
    return JSON.parse(this.open(value, what).toString());
  }

  /** A job that was started. Throws JournalDamagedError. */
  started(place: JobPlace, value: Buffer): StartedJob {
    const id = this.idOf(place);
    return { ...(this.json(value, `the start of the job ${id}`) as StartedAt), id, place };
  }

  /** A job that has ended. Throws JournalDamagedError. */
  settled(place: JobPlace, value: Buffer | undefined): SettledJob {
    const id = this.idOf(place);
    const [head, content] = pairIn(this.open(value, `the outcome of the job ${id}`));
    return { id, place, head: JSON.parse(head.toString()) as OutcomeHead, value: content };
  }
}
