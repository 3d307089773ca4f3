import type { AnyFunction, Callable } from '../../lib/cluster/functions.ts';
import type { Functor } from '../../lib/module/functor-text.ts';
import { OptionError } from '../../lib/wire/errors.ts';
import type { Job } from './job.ts';
import type { Placement, PlacementRules } from './placement.ts';

/** A file that goes with a job: its path here, or that and its path in the job's folder. */
export type FileToSend = string | { readonly path: string; readonly as?: string };

/** What a job needs beside its function: files in its folder, and modules that are loaded before it begins. */
export type Dependency = FileToSend | URL | Callable<AnyFunction> | Functor | AnyFunction;

/** How often a job is run again, and why. */
export interface JobRetry {
  /** @default 1 */
  readonly times?: number;
  /** Only when its site or node is lost, or also when it throws. @default 'lost' */
  readonly on?: 'lost' | 'error';
}

/** How a job is to be run; everything has a default. */
export interface SubmitOptions<R = unknown, P = unknown> {
  /** Jobs of one group are waited for and cancelled together. @default 'default' */
  group?: string;
  /** Called when the job is over, before `wait` learns of it. What it throws is told as a warning. */
  callback?: (job: Job<R, P>) => unknown;
  /** Files, modules and functors that it needs. */
  depends?: readonly Dependency[];
  /** How often it is run again if its site or node is lost; it may then run more than once. @default 0 */
  retry?: number | JobRetry;
  /** How long it may run, in milliseconds. @default no bound */
  timeout?: number;
  /** When it must be over: a time, or so many milliseconds from its submission. @default never */
  deadline?: Date | number;
  /** How long it may go on to return its best value when it is to end, in milliseconds. @default 2000 */
  grace?: number;
  /** The name of the only node that may run it. */
  node?: string;
  /** What a node must have to run it. */
  placement?: Placement;
  /** Jobs of a higher one are begun first. @default 0 */
  priority?: number;
  /** Aborting it cancels the job. */
  signal?: AbortSignal;
  /** What the job finds as `currentJob().data`. */
  data?: unknown;
  /** The folder in which files are put that it sends back. @default a temporary one, which goes with the job server */
  receiveTo?: string;
}

/** The same, checked and complete. */
export interface CheckedSubmitOptions extends Omit<SubmitOptions, 'retry' | 'callback' | 'deadline'> {
  readonly group: string;
  readonly priority: number;
  readonly grace: number;
  readonly retries: number;
  readonly retryOn: 'lost' | 'error';
  readonly deadline: number | undefined;
  readonly callback: ((job: Job<never, never>) => unknown) | undefined;
  /** Whether nothing but its arguments goes to the site. */
  readonly light: boolean;
}

/** How long a job that is to end may go on, in milliseconds, unless its user says otherwise. */
const GRACE = 2_000;

/** What holds for jobs that were submitted without options. */
export const DEFAULTS: CheckedSubmitOptions = {
  group: 'default',
  priority: 0,
  grace: GRACE,
  retries: 0,
  retryOn: 'lost',
  deadline: undefined,
  callback: undefined,
  light: true,
};

type Check = readonly [holds: (value: unknown) => boolean, must: string];

const isTime = (value: unknown) => typeof value === 'number' && value >= 0;
const isWord = (value: unknown) => typeof value === 'string' && value !== '';
const isRecord = (value: unknown) => typeof value === 'object' && value !== null;
const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;

const isMaybe = (check: (value: unknown) => boolean) => (value: unknown) =>
  value === undefined || check(value);

const isDependency = (value: unknown): boolean =>
  isWord(value) ||
  typeof value === 'function' ||
  (isRecord(value) &&
    (!('path' in (value as object)) ||
      (isWord((value as { path: unknown }).path) && isMaybe(isWord)((value as { as?: unknown }).as))));

const RULES: { readonly [K in keyof Required<PlacementRules>]: (value: unknown) => boolean } = {
  platform: isWord,
  arch: isWord,
  cpus: isTime,
  memory: isTime,
  labels: (labels) =>
    isRecord(labels) && Object.values(labels as object).every((label) => typeof label === 'string'),
};

/** A rule that nobody knows would rule out no node. */
const arePlacementRules = (value: unknown): boolean =>
  isRecord(value) &&
  Object.entries(value as object).every(
    ([rule, wanted]) => Object.hasOwn(RULES, rule) && isMaybe(RULES[rule as keyof PlacementRules])(wanted),
  );

const CHECKS: { readonly [K in keyof Required<SubmitOptions>]: Check } = {
  group: [isWord, 'must be a word'],
  callback: [(value) => typeof value === 'function', 'must be a function'],
  depends: [
    (value) => Array.isArray(value) && value.every(isDependency),
    'must be a list of files, modules and functors',
  ],
  retry: [
    (value) =>
      isCount(value) ||
      (isRecord(value) &&
        isCount((value as JobRetry).times ?? 1) &&
        ['lost', 'error'].includes((value as JobRetry).on ?? 'lost')),
    "must be a whole number from 0 on, or { times, on: 'lost' | 'error' }",
  ],
  timeout: [isTime, 'must be a number of milliseconds'],
  deadline: [
    (value) => isTime(value) || (value instanceof Date && !Number.isNaN(value.getTime())),
    'must be a Date or a number of milliseconds',
  ],
  grace: [isTime, 'must be a number of milliseconds'],
  node: [isWord, "must be a node's name"],
  placement: [
    (value) => typeof value === 'function' || arePlacementRules(value),
    'must be rules (platform, arch, cpus, memory, labels) or a function of a node',
  ],
  priority: [Number.isFinite, 'must be a number'],
  signal: [(value) => value instanceof AbortSignal, 'must be an AbortSignal'],
  data: [() => true, ''],
  receiveTo: [isWord, 'must be a folder'],
};

/** Checks how a job is to be run; throws OptionError, which names the option. */
export const checkSubmitOptions = <R, P>(
  options: SubmitOptions<R, P> | undefined,
  defaults: CheckedSubmitOptions = DEFAULTS,
): CheckedSubmitOptions => {
  if (options === undefined) return defaults;
  if (!isRecord(options)) throw new OptionError('options', 'The options of a job are an object.');
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) continue;
    const check = CHECKS[name as keyof SubmitOptions] as Check | undefined;
    if (!check) throw new OptionError(name, `There is no option "${name}" for a job.`);
    const [holds, must] = check;
    if (!holds(value)) throw new OptionError(name, `The option ${name} of a job is not right: it ${must}.`);
  }
  const { retry, deadline, callback, ...rest } = options;
  const given = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
  const checked: CheckedSubmitOptions = {
    ...defaults,
    ...given,
    ...(callback && { callback: callback as CheckedSubmitOptions['callback'] }),
    ...(retry !== undefined &&
      (typeof retry === 'number'
        ? { retries: retry }
        : { retries: retry.times ?? 1, retryOn: retry.on ?? 'lost' })),
    ...(deadline !== undefined && {
      deadline: typeof deadline === 'number' ? deadline : Math.max(0, deadline.getTime() - Date.now()),
    }),
  };
  const { timeout, data, depends } = checked;
  const light = timeout === undefined && data === undefined && depends === undefined;
  return { ...checked, light };
};
