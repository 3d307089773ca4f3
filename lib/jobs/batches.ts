import { isThenable } from '../cluster/batch.ts';
import type { Outcome } from '../cluster/function-text.ts';
import type { AnyFunction } from '../cluster/functions.ts';
import { within } from '../wire/call/scope.ts';
import type { JobScope } from './job-scope.ts';
import { type KeptOutcome, keptOutcomes } from './kept.ts';
import type { BatchAnswer } from './protocol.ts';
import { isGenerator, type RunningJobs } from './running-jobs.ts';
import { isSmallData } from './small.ts';
import { readBack } from './written.ts';

/** A larger result of a job of a journal is not told while others wait, in bytes. */
const MOST_KEPT = 4_096;

/** Jobs of one function that have arrived together. */
export interface JobsOfBatch {
  readonly call: AnyFunction;
  readonly numbers: readonly number[];
  readonly argLists: readonly (readonly unknown[])[] | readonly Uint8Array[];
  /** Their ids, if they are of a journal: their arguments were written down then. */
  readonly ids: readonly string[] | undefined;
  /** When it came, and when it is to begin no other job; by this site's clock. */
  readonly since: number;
  readonly until: number;
}

/** What a batch tells while it runs. */
export interface BatchHost {
  /** A job of it is done and was not its last one; nothing else of this site comes before that is on its way. */
  told(number: number, took: number, value: unknown): void;
  /** A job of a journal begins, or has ended. */
  keeps(number: number, runs: boolean): void;
}

/** Runs batches of jobs, one job after the other. */
export class Batches {
  readonly #jobs: RunningJobs;
  readonly #host: BatchHost;
  /** Jobs that went on after their batch was answered. */
  readonly #late = new Map<number, Promise<BatchAnswer>>();

  constructor(jobs: RunningJobs, host: BatchHost) {
    this.#jobs = jobs;
    this.#host = host;
  }

  /** Runs jobs from one on; it is a loop without promises as long as the functions give none. */
  run(batch: JobsOfBatch, first = 0): BatchAnswer | Promise<BatchAnswer> {
    const { call, numbers, argLists, ids, until } = batch;
    const last = numbers.length - 1;
    let began = first === 0 ? batch.since : performance.now();
    for (let index = first; index <= last; index++) {
      const number = numbers[index]!;
      const error = this.#jobs.neverBegun(number);
      if (error) return { ran: index + 1, outcome: { error }, took: 0 };
      const id = ids?.[index];
      if (id !== undefined) this.#begin(id, number);
      const scope = this.#jobs.open(number, id === undefined ? undefined : { id });
      let outcome: Outcome;
      try {
        const args = argLists[index]!;
        const value = within(scope, () =>
          Reflect.apply(call, scope, id === undefined ? args : (readBack(args as Uint8Array) as unknown[])),
        );
        if (isThenable(value) || isGenerator(value) || scope.sends) {
          return this.#awaited(batch, index, scope, value, began);
        }
        outcome = { value };
      } catch (error) {
        outcome = { error };
      }
      outcome = this.#kept(id, number, outcome);
      const now = performance.now();
      const answer = { ran: index + 1, outcome, took: now - began };
      if (index === last || now >= until || !this.#toldAlone(scope, answer, id)) {
        return this.#jobs.ended(scope, answer);
      }
      this.#jobs.done(scope);
      began = now;
    }
    throw new Error('A batch without jobs arrived.');
  }

  #awaited(
    batch: JobsOfBatch,
    index: number,
    scope: JobScope,
    value: unknown,
    began: number,
  ): Promise<BatchAnswer> {
    const { numbers, ids, until } = batch;
    const id = ids?.[index];
    const answered = this.#jobs
      .settle(scope, value)
      .then((outcome) => this.#answer(index, this.#kept(id, scope.number, outcome), began));
    if (index === numbers.length - 1) return answered;
    return this.#orLate(scope, answered, index, until).then((answer) => {
      const isOver = performance.now() >= until;
      if (isOver || !answer.outcome || !this.#toldAlone(scope, answer, id)) return answer;
      return this.run(batch, index + 1);
    });
  }

  #begin(id: string, number: number): void {
    keptOutcomes().begin(id, (reason) => this.#jobs.cancel(number, reason, false));
    this.#host.keeps(number, true);
  }

  /** What became of a job of a journal is its value, whatever it was. */
  #kept(id: string | undefined, number: number, outcome: Outcome): Outcome {
    if (id === undefined) return outcome;
    this.#host.keeps(number, false);
    return { value: keptOutcomes().end(id, outcome) };
  }

  /** Tells of a job that is done and not its batch's last; says whether that can be told, so that the next one begins. */
  #toldAlone(scope: JobScope, { outcome, took = 0 }: BatchAnswer, id: string | undefined): boolean {
    if (!outcome || 'error' in outcome || scope.spoke || scope.madeFolder) return false;
    const { value } = outcome;
    const isSmall =
      id === undefined ? isSmallData(value) : (value as KeptOutcome).value.byteLength <= MOST_KEPT;
    if (!isSmall) return false;
    this.#host.told(scope.number, took, value);
    return true;
  }

  /** Waits for a job that takes its time; those behind it in its batch are handed back when that is over. */
  async #orLate(
    scope: JobScope,
    answered: Promise<BatchAnswer>,
    index: number,
    until: number,
  ): Promise<BatchAnswer> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(resolve, Math.max(0, until - performance.now()), undefined);
    });
    const answer = await Promise.race([answered, late]);
    clearTimeout(timer);
    if (answer) return answer;
    this.#late.set(scope.number, answered);
    return { ran: index + 1 };
  }

  /** What becomes of a job that ran longer than its batch. */
  async outcome(number: number): Promise<BatchAnswer> {
    const late = this.#late.get(number);
    if (!late) throw new Error(`No job ${number} runs here.`);
    try {
      return await late;
    } finally {
      this.#late.delete(number);
    }
  }

  #answer(index: number, outcome: Outcome, began: number): BatchAnswer {
    return { ran: index + 1, outcome, took: performance.now() - began };
  }
}
