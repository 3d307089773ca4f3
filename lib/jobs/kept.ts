import { performance } from 'node:perf_hooks';
import type { Outcome } from '../cluster/function-text.ts';
import { textOf } from '../wire/codec/remote-error.ts';
import { writeDown } from './written.ts';

/** How a job ended that is kept in its site until its client has it on the disk. */
export interface KeptOutcome {
  readonly ok: boolean;
  /** Its value or what it threw, written down. */
  readonly value: Uint8Array;
  /** In milliseconds since 1970, by this host's clock. */
  readonly startedAt: number;
  /** How long it ran, in milliseconds. */
  readonly took: number;
}

/** What a site knows of a job: for how many milliseconds it has run, that it has ended, or nothing. */
export type KeptState = number | 'ended' | undefined;

interface Running {
  readonly startedAt: number;
  readonly since: number;
  readonly cancel: (reason: unknown) => void;
  over?: Promise<KeptOutcome>;
  tell?: (outcome: KeptOutcome) => void;
}

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
  readonly #running = new Map<string, Running>();
  readonly #ended = new Map<string, KeptOutcome>();
  readonly #refused = new Set<string>();

  /** A job begins now; `cancel` aborts its signal. Throws if it has begun before, or was claimed for another site. */
  begin(id: string, cancel: (reason: unknown) => void): void {
    if (this.#refused.has(id)) {
      throw new Error(`The job ${id} belongs to another client now, and was not begun here.`);
    }
    if (this.#running.has(id) || this.#ended.has(id)) {
      throw new Error(`The job ${id} has begun in this site before, and was not begun again.`);
    }
    this.#running.set(id, { startedAt: Date.now(), since: performance.now(), cancel });
  }

  /** A job that runs has ended; returns what is kept of that. What can't be written down is its error. */
  end(id: string, outcome: Outcome): KeptOutcome {
    const running = this.#running.get(id)!;
    let ok = !('error' in outcome);
    let value: Uint8Array;
    try {
      value = 'error' in outcome ? writeError(outcome.error) : writeDown(outcome.value, 'value');
    } catch (error) {
      ok = false;
      value = writeError(error);
    }
    const kept = { ok, value, startedAt: running.startedAt, took: performance.now() - running.since };
    this.#ended.set(id, kept);
    this.#running.delete(id);
    running.tell?.(kept);
    return kept;
  }

  /** What becomes of a job, when it has ended; nothing if it is not known here. */
  outcome(id: string): Promise<KeptOutcome> | undefined {
    const ended = this.#ended.get(id);
    if (ended) return Promise.resolve(ended);
    const running = this.#running.get(id);
    if (running)
      running.over ??= new Promise((resolve) => {
        running.tell = resolve;
      });
    return running?.over;
  }

  /** Aborts the signal of a job that runs. */
  cancel(id: string, reason: unknown): void {
    this.#running.get(id)?.cancel(reason);
  }

  /**
   * What is known of jobs, in the order of their ids. Those that have not begun never begin here any more: they wait in a
   * batch behind another one, or a request of a client that has died may still be on its way, while its successor starts
   * them elsewhere.
   */
  claim(ids: readonly string[]): KeptState[] {
    return ids.map((id) => {
      if (this.#ended.has(id)) return 'ended';
      const running = this.#running.get(id);
      if (running) return performance.now() - running.since;
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
