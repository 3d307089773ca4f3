import { Buffer } from 'node:buffer';
import type { Database } from './commits.ts';
import { all, behind, type JobPlace, placeIn, priorityIn, priorityPrefix, queuedKey, Table } from './keys.ts';

/** The key that follows directly. */
const next = (key: Buffer): Buffer => Buffer.concat([key, Buffer.of(0)]);

const sooner = (a: Buffer, b: Buffer): Buffer => (Buffer.compare(a, b) <= 0 ? a : b);

/** A job that is queued on the disk. */
export interface Queued {
  readonly place: JobPlace;
  readonly priority: number;
  /** How often it was started before. */
  readonly attempts: number;
}

/**
 * Reads what is queued in its order: by priority, then as it was submitted. What was handed out stays on the disk until
 * it is started, and is not handed out again unless it is given back. Where reading goes on is known for each priority,
 * because LevelDB walks over all that was deleted since it last merged its tables.
 */
export class QueueOrder {
  readonly #database: Database;
  readonly #from = new Map<number, Buffer>();
  /** Highest first. */
  #priorities: number[] = [];
  readonly #out = new Set<string>();
  /** Handed out, and since then deleted on the disk. */
  readonly #gone: string[] = [];
  #reading: Promise<unknown> = Promise.resolve();

  constructor(database: Database) {
    this.#database = database;
  }

  /** Finds the priorities that are there. */
  async open(): Promise<void> {
    const { gte, lt } = all(Table.queued);
    let from: Buffer = gte;
    for (;;) {
      const [key] = await this.#database.keys({ gte: from, lt, limit: 1 }).all();
      if (!key) return;
      this.written(key);
      from = behind(key.subarray(0, 9));
    }
  }

  /** Something lies on the disk under this key now. */
  written(key: Buffer): void {
    this.#lower(priorityIn(key), key);
  }

  #lower(priority: number, key: Buffer): void {
    const known = this.#from.get(priority);
    this.#from.set(priority, known ? sooner(known, key) : key);
    if (!known) this.#priorities = [...this.#from.keys()].sort((a, b) => b - a);
  }

  /** Hands out the next ones, at most `limit`. */
  take(limit: number): Promise<Queued[]> {
    // One after the other, so that nothing is handed out twice.
    const taken = this.#reading.then(() => this.#take(limit));
    this.#reading = taken.catch(() => {});
    return taken;
  }

  async #take(limit: number): Promise<Queued[]> {
    const found: Queued[] = [];
    // What is read from here on no longer has them.
    for (const id of this.#gone.splice(0)) this.#out.delete(id);
    for (const priority of this.#priorities) {
      if (found.length >= limit) break;
      await this.#takeOf(priority, limit, found);
    }
    return found;
  }

  async #takeOf(priority: number, limit: number, found: Queued[]): Promise<void> {
    const prefix = priorityPrefix(priority);
    const lt = behind(prefix);
    const gte = this.#from.get(priority)!;
    // What is written meanwhile may lie before the place that this reading ends at.
    this.#from.set(priority, lt);
    let reached = gte;
    try {
      const iterator = this.#database.iterator({ gte, lt });
      for await (const [key, value] of iterator) {
        reached = next(key);
        const place = placeIn(key);
        const id = key.toString('latin1');
        if (this.#out.has(id)) continue;
        this.#out.add(id);
        found.push({ place, priority, attempts: value.length === 0 ? 0 : value.readUInt32BE(0) });
        if (found.length >= limit) return;
      }
      reached = lt;
    } finally {
      this.#lower(priority, reached);
    }
  }

  /** The key of a job that was handed out. */
  keyOf(priority: number, place: JobPlace): Buffer {
    return queuedKey(priorityPrefix(priority), place);
  }

  /** A key is no longer on the disk. A reading that began before may still meet it, so it is known until the next one. */
  deleted(key: Buffer): void {
    this.#gone.push(key.toString('latin1'));
  }

  /** A job that was handed out can be handed out again. */
  giveBack(priority: number, place: JobPlace): void {
    const key = this.keyOf(priority, place);
    // A reading that is under way has passed it, or will meet it and take it.
    this.#out.delete(key.toString('latin1'));
    this.#lower(priority, key);
  }
}
