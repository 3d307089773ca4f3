import type { AnyFunction } from '../../lib/cluster/functions.ts';
import type { JobArgs, JobOf, SubmitOptionsOf } from './types.ts';

/** Submits jobs of one function with the same options, as Parallel Python's Template does. */
export class JobTemplate<F extends AnyFunction> {
  readonly #submit: (args: readonly unknown[], options: SubmitOptionsOf<F> | undefined) => JobOf<F>;
  readonly #options: SubmitOptionsOf<F> | undefined;

  /** Made by `template`. */
  constructor(
    submit: (args: readonly unknown[], options: SubmitOptionsOf<F> | undefined) => JobOf<F>,
    options: SubmitOptionsOf<F> | undefined,
  ) {
    this.#submit = submit;
    this.#options = options;
  }

  /** Submits a job with these arguments. Throws what the job server's `submit` does. */
  submit(...args: JobArgs<Parameters<F>>): JobOf<F> {
    return this.#submit(args, this.#options);
  }

  /** The same with other options in place of those that are said. */
  with(options: SubmitOptionsOf<F>): JobTemplate<F> {
    return new JobTemplate(this.#submit, { ...this.#options, ...options });
  }
}
