import type { Buffer } from 'node:buffer';
import type { ChainedBatch, ClassicLevel } from 'classic-level';
import { JobServerClosedError } from '../../../lib/jobs/errors.ts';
import { JournalError } from './errors.ts';

/** The database as the journal has it. */
export type Database = ClassicLevel<Buffer, Buffer>;

/** Changes that go to the disk together. */
interface Group {
  readonly batch: ChainedBatch<Database, Buffer, Buffer>;
  readonly written: Promise<void>;
  readonly settle: { done: () => void; failed: (cause: Error) => void };
  readonly before: (() => void)[];
  readonly after: (() => void)[];
}

/**
 * Writes in groups: all changes of one turn, and all that come while a group is on its way, go to the disk with one
 * write, in their order. So a promise of durability costs one wait for the disk for all who ask at the same time.
 */
export class Commits {
  readonly #database: Database;
  readonly #path: string;
  readonly #sync: boolean;
  #open: Group | undefined;
  #writing: Promise<void> | undefined;
  #scheduled: NodeJS.Immediate | undefined;
  #failure: JournalError | undefined;
  #closed = false;

  /** `sync` waits for the disk itself, and not only for the operating system. */
  constructor(database: Database, path: string, sync: boolean) {
    this.#database = database;
    this.#path = path;
    this.#sync = sync;
  }

  /** Adds a change. Throws JournalError once a write has failed: what would come later can't be promised any more. */
  put(key: Buffer, value: Buffer): void {
    this.#group().batch.put(key, value);
  }

  /** Takes a key away. Throws JournalError. */
  delete(key: Buffer): void {
    this.#group().batch.del(key);
  }

  /** Has something done just before what was added so far is written; it may add to that. */
  before(work: () => void): void {
    this.#group().before.push(work);
  }

  /** Has something done as soon as what was added so far can be read. */
  afterwards(work: () => void): void {
    this.#group().after.push(work);
  }

  /** Resolves when all that was added so far is written; rejects with JournalError. */
  written(): Promise<void> {
    if (this.#failure) return Promise.reject(this.#failure);
    return this.#open?.written ?? this.#writing ?? Promise.resolve();
  }

  /** Writes what is left. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.written().catch(() => {});
    clearImmediate(this.#scheduled);
  }

  #group(): Group {
    if (this.#failure) throw this.#failure;
    if (this.#open) return this.#open;
    if (this.#closed) throw new JobServerClosedError('The journal was closed; open it again.');
    let done!: () => void;
    let failed!: (cause: Error) => void;
    const written = new Promise<void>((resolve, reject) => {
      done = resolve;
      failed = reject;
    });
    // Not all who change something wait for it; the next one who does is told.
    written.catch(() => {});
    this.#open = { batch: this.#database.batch(), written, settle: { done, failed }, before: [], after: [] };
    // While a group is written, the next one only grows.
    if (!this.#writing) this.#scheduled = setImmediate(() => void this.#write());
    return this.#open;
  }

  async #write(): Promise<void> {
    for (let group = this.#open; group; group = this.#open) {
      for (const work of group.before) work();
      this.#open = undefined;
      this.#writing = group.written;
      try {
        await group.batch.write({ sync: this.#sync });
        for (const work of group.after) work();
        group.settle.done();
      } catch (cause) {
        this.#fail(group, cause);
      }
    }
    this.#writing = undefined;
  }

  #fail(group: Group, cause: unknown): void {
    const failure = new JournalError(
      this.#path,
      `The journal ${this.#path} can not be written (${cause instanceof Error ? cause.message : String(cause)}), so no job can be taken or started any more. Look whether the disk is full, and open it again.`,
      { cause },
    );
    this.#failure = failure;
    group.settle.failed(failure);
    const next = this.#open;
    this.#open = undefined;
    if (!next) return;
    void next.batch.close();
    next.settle.failed(failure);
  }
}
