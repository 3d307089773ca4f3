import { UniformOutputError } from '../../lib/cluster/arrays/errors.ts';
import type { FunctionText } from '../../lib/cluster/function-text.ts';
import type { AnyFunction } from '../../lib/cluster/functions.ts';
import { type ChunkResult, MAP_CHUNK } from '../../lib/jobs/protocol.ts';
import { hide } from '../../lib/wire/codec/remote-error.ts';
import { OptionError } from '../../lib/wire/errors.ts';
import type { JobServerCore } from './core.ts';
import type { JobRecord } from './job-record.ts';
import { checkSubmitOptions, type SubmitOptions } from './submit-options.ts';
import { type JobTarget, targetText } from './target.ts';
import type { JobResult } from './types.ts';

/** How a map is to be run; everything has a default. */
export interface MapOptions<R = unknown, A extends readonly unknown[] = readonly unknown[]> {
  /** How many elements make one job. @default so many that each slot has about 16 jobs, at most 1000 */
  chunk?: number;
  /** Whether results stand where their elements do, or as they come. @default true */
  ordered?: boolean;
  /** Gives the value in place of an element that failed; without it the map rejects with the first failure. */
  onError?: (error: unknown, index: number, ...elements: A) => R | PromiseLike<R>;
  /**
   * Joins two results, so that the map gives one: each site joins those of its chunks. It must not matter in which order
   * they are joined.
   */
  fold?: JobTarget<(left: R, right: R) => R>;
  /** What all results are joined with, and what a map of nothing gives. */
  initial?: R;
  /** Whether each result must be one number, text or boolean, as Octave's UniformOutput. @default false */
  uniform?: boolean;
  /** Tells how far it is: on standard error, or to a function. @default false */
  verbose?: boolean | ((done: number, total: number) => void);
  /** How its jobs are run. */
  job?: Omit<SubmitOptions, 'callback' | 'depends'>;
}

type Numbers =
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array;

/** One list for each argument of a function. */
export type ListsOf<A extends readonly unknown[]> = {
  [K in keyof A]: readonly A[K][] | (A[K] extends number ? Numbers : never);
};

/** The lists of a map, and its options. */
export type MapWords<F extends AnyFunction> = [
  ...ListsOf<Parameters<F>>,
  MapOptions<JobResult<ReturnType<F>>, Parameters<F>>?,
];

/** The same with a fold. */
export type FoldWords<F extends AnyFunction> = [
  ...ListsOf<Parameters<F>>,
  MapOptions<JobResult<ReturnType<F>>, Parameters<F>> & { fold: unknown },
];

const MOST_IN_CHUNK = 1_000;
const JOBS_PER_SLOT = 16;

const SCALARS = new Set(['number', 'string', 'boolean', 'bigint']);

const NAMES = ['chunk', 'ordered', 'onError', 'fold', 'initial', 'uniform', 'verbose', 'job'];

const checkLists = (lists: readonly (readonly unknown[])[]): number => {
  const [first] = lists;
  if (!first)
    throw new OptionError('lists', 'A map has a list for each argument of its function: map(fn, [1, 2, 3]).');
  for (const list of lists) {
    if (list.length === first.length) continue;
    const lengths = lists.map(({ length }) => length).join(', ');
    throw new OptionError('lists', `The lists of a map are of one length, and not of ${lengths}.`);
  }
  return first.length;
};

const checkOptions = (options: MapOptions): void => {
  const odd = Object.keys(options).find((name) => !NAMES.includes(name));
  if (odd !== undefined) throw new OptionError(odd, `There is no option "${odd}" for a map.`);
  const { chunk } = options;
  if (chunk !== undefined && !(Number.isSafeInteger(chunk) && chunk > 0)) {
    throw new OptionError('chunk', `The option chunk of a map is a whole number from 1 up, not ${chunk}.`);
  }
};

/** One map over lists, as it runs. */
export class MapRun {
  readonly #core: JobServerCore;
  readonly #call: FunctionText;
  readonly #fold: FunctionText | undefined;
  readonly #lists: readonly (readonly unknown[])[];
  readonly #options: MapOptions;
  readonly #total: number;
  /** One for all its chunks, so that they are known to be of one kind. */
  readonly #fn: FunctionText = { module: MAP_CHUNK, name: '' };
  readonly #records: JobRecord[] = [];
  readonly #values: unknown[] = [];
  #done = 0;

  /** `words` are the lists, and at last the options. Throws OptionError, FreeVariableError and FunctorError. */
  constructor(core: JobServerCore, target: unknown, words: readonly unknown[]) {
    this.#core = core;
    const isList = (word: unknown): word is readonly unknown[] =>
      Array.isArray(word) || ArrayBuffer.isView(word);
    const last = words.at(-1);
    this.#options = (isList(last) || last === undefined ? {} : last) as MapOptions;
    this.#lists = words.filter(isList).map((list) => (Array.isArray(list) ? list : Array.from(list)));
    checkOptions(this.#options);
    this.#total = checkLists(this.#lists);
    const call = targetText(target).fn;
    if (!call) throw new OptionError('target', 'A map calls a function, and no program.');
    this.#call = call;
    if (this.#options.fold !== undefined) this.#fold = targetText(this.#options.fold).fn;
  }

  /** All results, or what they were joined to. Rejects with the first failure; then nothing of it goes on. */
  async run(): Promise<unknown> {
    const chunk = this.#options.chunk ?? this.#usualChunk();
    const failed = new AbortController();
    const chunks: Promise<void>[] = [];
    try {
      for (let start = 0; start < this.#total && !failed.signal.aborted; start += chunk) {
        if (this.#core.queued >= this.#core.options.maxQueued) await this.#core.room();
        const lists = this.#lists.map((list) => list.slice(start, start + chunk));
        const taken = this.#submit(this.#call, this.#fold, lists).then((result) =>
          this.#take(result, start, lists),
        );
        taken.catch((cause: unknown) => failed.abort(cause));
        chunks.push(taken);
      }
      await Promise.all(chunks);
      return this.#fold ? await this.#joined() : this.#values;
    } catch (cause) {
      for (const record of this.#records) this.#core.cancel(record, cause, undefined);
      throw cause;
    }
  }

  #usualChunk(): number {
    const slots = [...this.#core.nodes.values()].reduce((sum, { cpus }) => sum + cpus, 0);
    return Math.max(
      1,
      Math.min(MOST_IN_CHUNK, Math.ceil(this.#total / (Math.max(1, slots) * JOBS_PER_SLOT))),
    );
  }

  #submit(
    call: FunctionText | undefined,
    fold: FunctionText | undefined,
    lists: readonly (readonly unknown[])[],
  ): Promise<ChunkResult> {
    const options = checkSubmitOptions(this.#options.job);
    const record = this.#core.submit({ fn: this.#fn }, [call ?? null, fold ?? null, lists], options);
    this.#records.push(record);
    return new Promise((resolve, reject) => {
      record.whenOver(({ status, value, error }) => {
        if (status === 'finished') resolve(value as ChunkResult);
        else reject(error);
      });
    });
  }

  async #take(
    { values, errors }: ChunkResult,
    start: number,
    lists: readonly (readonly unknown[])[],
  ): Promise<void> {
    const { onError, ordered = true } = this.#options;
    const results = [...values];
    for (const [at, error] of errors) {
      const index = start + at;
      if (error instanceof Error && !Object.hasOwn(error, 'index')) hide(error, 'index', index);
      if (!onError) throw error;
      const value = await onError(error, index, ...lists.map((list) => list[at]));
      if (this.#fold) results.push(value);
      else results[at] = value;
    }
    if (this.#options.uniform)
      for (const [at, value] of results.entries()) this.#checkScalar(value, start + at);
    for (const [at, value] of results.entries()) {
      if (ordered && !this.#fold) this.#values[start + at] = value;
      else this.#values.push(value);
    }
    this.#tell(lists[0]!.length);
  }

  #checkScalar(value: unknown, index: number): void {
    if (SCALARS.has(typeof value)) return;
    const type = Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value;
    throw new UniformOutputError(index, type, undefined, 'leave uniform out');
  }

  #tell(more: number): void {
    this.#done += more;
    const { verbose } = this.#options;
    if (typeof verbose === 'function') verbose(this.#done, this.#total);
    else if (verbose) process.stderr.write(`map: ${this.#done} of ${this.#total} done\n`);
  }

  async #joined(): Promise<unknown> {
    const { initial } = this.#options;
    const parts = initial === undefined ? this.#values : [initial, ...this.#values];
    if (parts.length < 2) return parts[0];
    const { values, errors } = await this.#submit(undefined, this.#fold, [parts]);
    if (errors[0]) throw errors[0][1];
    return values[0];
  }
}
