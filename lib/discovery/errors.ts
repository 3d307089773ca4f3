import { nameError, OffsiteError } from '../wire/errors.ts';
import type { Trial } from './node.ts';
import { trialLines } from './report.ts';

/** No node was found that can be used; `ERR_OFFSITE_NO_NODE`. `trials` says what was tried, and why it was of no use. */
export class NoNodeError extends OffsiteError {
  readonly trials: readonly Trial[];
  /** What to do about it, as a sentence. */
  readonly remedy: string;

  constructor(where: readonly string[], trials: readonly Trial[], took: number) {
    const remedy =
      'Start one with `offsite serve` and credentials, or name one by its address; `offsite nodes` shows all that is tried.';
    const lines = trialLines(trials).map((line) => `\n  ${line}`);
    const head = `No node was found by ${where.join(', ')} within ${Math.round(took)} ms. ${remedy}`;
    super('ERR_OFFSITE_NO_NODE', [head, ...lines].join(''), {
      cause: trials.find(({ error }) => error)?.error,
    });
    this.trials = trials;
    this.remedy = remedy;
  }
}
nameError(NoNodeError, 'NoNodeError');
