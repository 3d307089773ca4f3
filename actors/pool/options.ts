import * as v from 'valibot';
import { OptionError } from '../../lib/wire/errors.ts';
import type { AnyWorkerPool } from './access.ts';
import type { Progress } from './progress.ts';
import type { RetryOptions } from './retry.ts';

/** What all maps over a cluster have in common. */
export interface ParallelOptions<Rest extends readonly unknown[] = readonly unknown[]> {
  /** Whose workers do it, also those that join it meanwhile. @default all workers, and this process if there are none */
  readonly pool?: AnyWorkerPool;
  /** More arguments, behind the element. @default none */
  readonly args?: Rest;
  /** Which failures are tried again, those of dead workers among them. @default none */
  readonly retry?: RetryOptions;
  /** Aborting it stops all and rejects with its reason. */
  readonly signal?: AbortSignal;
  /** How long all of it may take, in milliseconds. @default no bound */
  readonly timeout?: number;
  /** Is told how far it is, ten times a second at most, and at the end. */
  readonly onProgress?: (progress: Progress) => void;
}

/** How `pmap` goes about its work. */
export interface PmapOptions<
  E = unknown,
  Replacement = unknown,
  Rest extends readonly unknown[] = readonly unknown[],
> extends ParallelOptions<Rest> {
  /** How many elements go to a worker together. @default 'auto': some milliseconds of work, less towards the end */
  readonly batchSize?: number | 'auto';
  /** How many batches a worker has in hand at once. @default two if they are short, one if they are long */
  readonly concurrency?: number;
  /** Runs here when an element has failed for good; what it gives takes the result's place, what it throws stops the map. */
  readonly onError?: (error: unknown, element: E, index: number) => Replacement | PromiseLike<Replacement>;
}

/** How `imap` goes about its work. */
export interface ImapOptions<
  E = unknown,
  Replacement = unknown,
  Rest extends readonly unknown[] = readonly unknown[],
> extends PmapOptions<E, Replacement, Rest> {
  /** Whether results come in the order of the elements, or as they are there. @default true */
  readonly ordered?: boolean;
  /** How many elements may be ahead of what the consumer has read. @default 256 for each worker */
  readonly ahead?: number;
}

const isFunction = (value: unknown): boolean => typeof value === 'function';
const aFunction = v.custom<() => unknown>(isFunction, 'must be a function');
const positive = v.pipe(
  v.number(),
  v.check((value) => Number.isSafeInteger(value) && value >= 1, 'must be a whole number from 1 on'),
);

const parallel = {
  pool: v.optional(v.unknown()),
  args: v.optional(v.array(v.unknown()), []),
  retry: v.optional(
    v.strictObject({
      delays: v.optional(
        v.custom<Iterable<number>>(
          (value) => isFunction((value as Partial<Iterable<number>> | null)?.[Symbol.iterator]),
          'must be an array or another iterable of milliseconds',
        ),
      ),
      check: v.optional(aFunction),
    }),
  ),
  signal: v.optional(v.instance(AbortSignal, 'must be an AbortSignal')),
  timeout: v.optional(v.pipe(v.number(), v.minValue(0, 'must be a number of milliseconds from 0 on'))),
  onProgress: v.optional(aFunction),
};
const mapping = {
  ...parallel,
  batchSize: v.optional(v.union([v.literal('auto'), positive], 'must be a whole number from 1 on, or auto')),
  concurrency: v.optional(positive),
  onError: v.optional(aFunction),
};

const schemas = {
  pmap: v.strictObject(mapping),
  imap: v.strictObject({ ...mapping, ordered: v.optional(v.boolean()), ahead: v.optional(positive) }),
  distributed: v.strictObject({
    ...parallel,
    schedule: v.optional(v.picklist(['static', 'dynamic'], 'must be static or dynamic')),
    initial: v.optional(v.unknown()),
  }),
};

/** Checks what a user gave to one of these functions; throws OptionError, which names the option. */
export const checkParallelOptions = <T extends object>(options: T, name: keyof typeof schemas): T => {
  const result = v.safeParse(schemas[name], options, { abortEarly: true });
  if (result.success) return options;
  const [issue] = result.issues;
  const option = v.getDotPath(issue) ?? 'options';
  throw new OptionError(
    option,
    issue.type === 'strict_object' && issue.expected === 'never'
      ? `There is no option "${option}" for ${name}.`
      : `The option ${option} of ${name} is not right: ${issue.message}.`,
  );
};
