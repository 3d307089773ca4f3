import type { AnyFunction } from '../../lib/cluster/functions.ts';
import type { Given, Received } from '../../lib/module/remote.ts';
import type { Job } from './job.ts';
import type { SubmitOptions } from './submit-options.ts';

type Leaf = string | number | boolean | bigint | symbol | null | undefined | Date | ArrayBufferView;
type IsAny<T> = 0 extends 1 & T ? true : false;

/** What may be given for a parameter of a job: what calls may be given, or jobs that give it, whole or in part. */
export type JobArg<P> =
  IsAny<P> extends true
    ? P
    :
        | Given<P>
        | Job<P, unknown>
        | (P extends Leaf | AnyFunction
            ? never
            : P extends object
              ? { [K in keyof P]: JobArg<P[K]> }
              : never);

/** The arguments of a job. */
export type JobArgs<A extends readonly unknown[]> = { [K in keyof A]: JobArg<A[K]> };

/** What a job gives whose function returns a T. */
export type JobResult<T> = [T] extends [never]
  ? never
  : Awaited<T> extends AsyncGenerator<infer _, infer R>
    ? Received<Awaited<R>>
    : Received<Awaited<T>>;

/** What it says before its end, if its function says it by `yield`. */
export type JobProvisional<T> = [T] extends [never]
  ? unknown
  : Awaited<T> extends AsyncGenerator<infer Y>
    ? Received<Y>
    : unknown;

/** The job of a function. */
export type JobOf<F extends AnyFunction> = Job<JobResult<ReturnType<F>>, JobProvisional<ReturnType<F>>>;

/** Its options. */
export type SubmitOptionsOf<F extends AnyFunction> = SubmitOptions<
  JobResult<ReturnType<F>>,
  JobProvisional<ReturnType<F>>
>;

/** What follows the function in `submit`: arguments may be left out where it needs none. */
export type SubmitRest<F extends AnyFunction> =
  [] extends Parameters<F>
    ? [args?: JobArgs<Parameters<F>>, options?: SubmitOptionsOf<F>]
    : [args: JobArgs<Parameters<F>>, options?: SubmitOptionsOf<F>];
