import { performance } from 'node:perf_hooks';
import { textOf } from '../wire/codec/remote-error.ts';
import { writeDown } from './written.ts';

/** How a job ended that is kept in its site until its client has it on the disk. */
export interface KeptOutcome {
  readonly id: string;
  readonly ok: boolean;
  /** Its value or what it threw, written down. */
  readonly value: Uint8Array;
  /** In milliseconds since 1970, by this host's clock. */
  readonly startedAt: number;
  /** How long it ran, in milliseconds. */
  readonly took: number;
}

/** What a site knows of a job: that it runs, that it has ended, or nothing. */
export type KeptState = 'running' | 'ended' | undefined;

/** What was thrown need not be anything that can be written. */
const writeError = (error: unknown): Uint8Array => {
  try {
    return writeDown(error, 'error');
  } catch {
    return writeDown(new Error(textOf(error)), 'error');
  }
};

/**
 * Outcomes of the jobs of a site whose clients have journals. A job runs here at most once under its id, whoever asks for
 * it and how often, and what became of it is here until it is forgotten: a client may die before it has written that
 * down, and the next one asks.
 */
export class KeptOutcomes {
  readonly #running = new Map<string, Promise<KeptOutcome>>();
  readonly #ended = new Map<string, KeptOutcome>();
  readonly #refused = new Set<string>();

  /** Runs a job, unless it runs here or has. What it throws is its outcome; rejects only if it was claimed before. */
  run(id: string, work: () => unknown): Promise<KeptOutcome> {
    const known = this.outcome(id);
    if (known) return known;
    if (this.#refused.has(id)) {
      return Promise.reject(
        new Error(`The job ${id} belongs to another client now, and was not begun here.`),
      );
    }
    const running = this.#run(id, work);
    this.#running.set(id, running);
    return running;
  }

  async #run(id: string, work: () => unknown): Promise<KeptOutcome> {
    const startedAt = Date.now();
    const start = performance.now();
    let ok = true;
    let value: Uint8Array;
    try {
      // First, so that it is known here before it begins.
      await Promise.resolve();
      value = writeDown(await work(), 'value');
    } catch (error) {
      ok = false;
      value = writeError(error);
    }
    const outcome = { id, ok, value, startedAt, took: performance.now() - start };
    this.#ended.set(id, outcome);
    this.#running.delete(id);
    return outcome;
  }

  /** What becomes of a job, when it has ended; nothing if it is not known here. */
  outcome(id: string): Promise<KeptOutcome> | undefined {
    const ended = this.#ended.get(id);
    return ended ? Promise.resolve(ended) : this.#running.get(id);
  }

  /**
   * What is known of jobs, in the order of their ids. Those that are not known never begin here any more: a request of a
   * client that has died may still be on its way, while its successor starts them elsewhere.
   */
  claim(ids: readonly string[]): KeptState[] {
    return ids.map((id) => {
      if (this.#ended.has(id)) return 'ended';
      if (this.#running.has(id)) return 'running';
      this.#refused.add(id);
      return undefined;
    });
  }

  /** Their client has these on its disk, and nobody will ask for them again. */
  forget(ids: readonly string[]): void {
    for (const id of ids) this.#ended.delete(id);
  }
}

// Each client brings its own copy of this file along, and all must mean the same jobs.
const key = Symbol.for('offsite.keptOutcomes');
const shared = globalThis as { [key]?: KeptOutcomes };

/** Those of this site. */
export const keptOutcomes = (): KeptOutcomes => {
  shared[key] ??= new KeptOutcomes();
  return shared[key];
};
