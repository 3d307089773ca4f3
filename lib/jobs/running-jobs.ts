import { isThenable } from '../cluster/batch.ts';
import type { Outcome } from '../cluster/function-text.ts';
import { within } from '../wire/call/scope.ts';
import { JobCancelledError } from './errors.ts';
import type { JobFiles } from './files.ts';
import { JobScope, type ScopeHost } from './job-scope.ts';
import type { BatchAnswer, JobExtras } from './protocol.ts';

/** Whether a job has given a generator, which says something before its end. */
export const isGenerator = (value: unknown): value is AsyncGenerator<unknown, unknown> => {
  const generator = value as Partial<AsyncGenerator> | null | undefined;
  return (
    typeof generator === 'object' &&
    generator !== null &&
    Symbol.asyncIterator in generator &&
    typeof generator.next === 'function'
  );
};

/** What jobs of a site go through from their beginning to their end, and those that are in between. */
export class RunningJobs {
  readonly #host: ScopeHost;
  readonly #files: JobFiles;
  readonly #scopes = new Map<number, JobScope>();
  /** Those that were cancelled before they began. */
  readonly #cancelled = new Map<number, unknown>();

  constructor(host: ScopeHost, files: JobFiles) {
    this.#host = host;
    this.#files = files;
  }

  /** A job begins. */
  open(number: number, extras?: JobExtras): JobScope {
    const scope = new JobScope(this.#host, number, extras);
    this.#scopes.set(number, scope);
    return scope;
  }

  /** What becomes of a job that gave a promise or a generator, or still sends something. */
  async settle(scope: JobScope, value: unknown): Promise<Outcome> {
    let outcome: Outcome;
    try {
      const given = isThenable(value) ? await value : value;
      outcome = { value: isGenerator(given) ? await within(scope, () => this.#drain(scope, given)) : given };
    } catch (error) {
      outcome = { error };
    }
    return this.over(scope, outcome);
  }

  /** A job is over when all that it sent has arrived, and its folder is gone. */
  async over(scope: JobScope, outcome: Outcome): Promise<Outcome> {
    if (scope.sends) await scope.sent();
    this.#scopes.delete(scope.number);
    if (scope.madeFolder) await this.#files.clear(scope);
    return outcome;
  }

  /** A job that gave no promise ends at once, unless it has sent something or has a folder. */
  ended(scope: JobScope, answer: BatchAnswer): BatchAnswer | Promise<BatchAnswer> {
    if (scope.sends || scope.madeFolder) return this.over(scope, answer.outcome!).then(() => answer);
    this.#scopes.delete(scope.number);
    return answer;
  }

  /** A job that has told all has ended. */
  done({ number }: JobScope): void {
    this.#scopes.delete(number);
  }

  /** Aborts a job's signal; one that is yet to come never begins. */
  cancel(number: number, reason: unknown, isToCome: boolean): void {
    const scope = this.#scopes.get(number);
    if (scope) scope.abort(reason);
    else if (isToCome) this.#cancelled.set(number, reason);
  }

  /** Why a job does not begin, if it was cancelled before. */
  neverBegun(number: number): JobCancelledError | undefined {
    if (!this.#cancelled.has(number)) return undefined;
    const cause = this.#cancelled.get(number);
    this.#cancelled.delete(number);
    const id = this.#host.idOf(number);
    return new JobCancelledError(id, `The job ${id} was cancelled before it began.`, { cause });
  }

  /** Sends on what a generator yields, and gives what it returns. It goes on when each has arrived. */
  async #drain(scope: JobScope, generator: AsyncGenerator<unknown, unknown>): Promise<unknown> {
    for (;;) {
      const { done, value } = await generator.next();
      if (done) return value;
      await scope.provisional(value);
    }
  }
}
