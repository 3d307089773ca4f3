import * as v from 'valibot';
import { OptionError } from '../../../lib/wire/errors.ts';
import type { RemoteManagerOptions } from '../../remote-manager.ts';
import { checked, count, milliseconds, word, words } from '../check.ts';

/** What a SlurmManager asks of Slurm; everything has a default. */
export interface SlurmManagerOptions {
  /** How many workers. @default as many as the allocation has tasks; 1 in one that is made */
  ntasks?: number;
  /**
   * The job in whose allocation they are to be; `new` for one of their own, also where there is one already.
   * @default that in which this program runs (SLURM_JOB_ID), or else a new one
   */
  jobId?: number | 'new';
  /** Cores for each worker. @default Slurm's own, 1 */
  cpusPerTask?: number;
  /** The time limit, as Slurm writes it (`90` minutes, `1:30:00`); of each worker in a job that was there. @default Slurm's own */
  time?: string | number;
  /** For a new allocation: the partition. @default Slurm's own */
  partition?: string;
  /** For a new allocation: who pays. @default Slurm's own */
  account?: string;
  /** For a new allocation: the memory of each node, as `4G`; a number is megabytes. @default Slurm's own */
  mem?: string | number;
  /** For a new allocation: its name. @default 'offsite' */
  jobName?: string;
  /** For a new allocation: more words for `salloc`, for instance `['--gres=gpu:1']`. @default none */
  sallocOptions?: readonly string[];
  /** More words for the `srun` of each worker, for instance `['--gres=gpu:1']`. @default none */
  srunOptions?: readonly string[];
  /** How long a new allocation may wait in Slurm's queue, in milliseconds. @default 300000 */
  queueTimeout?: number;
  /** What the workers' sites are told beside, for instance their `execArgv`. @default nothing */
  site?: RemoteManagerOptions;
  /** How many may start at once on one node. @default 32: each is an `srun` on this host too */
  maxParallel?: number;
}

const schema = v.strictObject({
  ntasks: v.optional(count()),
  jobId: v.optional(v.union([count(), v.literal('new')], "must be the number of a job, or 'new'")),
  cpusPerTask: v.optional(count()),
  time: v.optional(v.union([count(), word()], 'must be minutes, or a time as Slurm writes it')),
  partition: v.optional(word()),
  account: v.optional(word()),
  mem: v.optional(v.union([count(), word()], "must be megabytes, or a size as '4G'")),
  jobName: v.optional(word(), 'offsite'),
  sallocOptions: v.optional(words(), []),
  srunOptions: v.optional(words(), []),
  queueTimeout: v.optional(milliseconds(), 300_000),
  // Checked by each worker's RemoteManager.
  site: v.optional(v.looseObject({}), {}),
  maxParallel: v.optional(count(), 32),
});

/** The same, checked. */
export type CheckedSlurmOptions = v.InferOutput<typeof schema>;

/** Checks what a user gave and fills in the defaults; throws OptionError. */
export const checkSlurmOptions = (options: SlurmManagerOptions): CheckedSlurmOptions => {
  const { ...given } = checked(schema, options, 'a SlurmManager');
  if (typeof given.jobId === 'number') {
    for (const option of ['partition', 'account', 'mem'] as const) {
      if (given[option] !== undefined)
        throw new OptionError(
          option,
          `The option ${option} is for an allocation that is made; job ${given.jobId} has its own.`,
        );
    }
  }
  return given;
};

/** The words of `salloc` that ask for an allocation. */
export const sallocWords = (options: CheckedSlurmOptions): string[] => {
  const { ntasks = 1, cpusPerTask, time, partition, account, mem, jobName, sallocOptions } = options;
  const words: Record<string, string | number | undefined> = {
    ntasks,
    'cpus-per-task': cpusPerTask,
    time,
    partition,
    account,
    mem,
    'job-name': jobName,
  };
  return [
    ...Object.entries(words).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}=${value}`])),
    // A node that is lost takes only its own workers along; a job that is revoked also ends what waits in it.
    '--no-kill',
    '--kill-command',
    ...sallocOptions,
  ];
};

/** What Slurm sets in a job and takes for the wishes of those who start another step or job from there. */
const OF_A_JOB =
  /^SLURM_(JOB|STEP|TASK|NTASKS|NNODES|NPROCS|NODE|CPUS|CPU_BIND|MEM|TRES|GPUS|DISTRIBUTION|THREADS|GTIDS|LOCALID|PROCID|OVERCOMMIT|UMASK|PRIO|EXACT)/;

/** A command of Slurm's, which takes nothing over from the job in which this program may run. */
export const outsideJob = (words: readonly string[], environment = process.env): string[] => {
  const names = Object.keys(environment).filter((name) => OF_A_JOB.test(name));
  return names.length === 0 ? [...words] : ['env', ...names.flatMap((name) => ['-u', name]), ...words];
};

/**
 * `srun` passes bytes on at once only from a terminal (`--unbuffered`), else line by line, and an engine can't write to
 * a terminal. So it writes to a pipe, and `cat` to the terminal; the exit code is the engine's.
 */
const THROUGH_PIPE =
  'exec 6>&1; code=$({ { "$@" 5>&- 6>&-; echo $? >&5; } | cat >&6 5>&-; } 5>&1); exit "$code"';

/** The words of `srun` that start one worker as a step of a job, and do not bind it to cores if `unbind`. */
export const srunWords = (
  { cpusPerTask, time, srunOptions }: CheckedSlurmOptions,
  { job, node, step }: { job: string; node: string; step: string },
  unbind = false,
): string[] =>
  outsideJob([
    'srun',
    `--jobid=${job}`,
    `--nodelist=${node}`,
    '--ntasks=1',
    '--nodes=1',
    // Every worker may use what the job has on its node; else each step would wait until the one before has ended.
    '--overlap',
    // A cluster that can't bind complains of this word.
    ...(unbind ? ['--cpu-bind=none'] : []),
    '--unbuffered',
    '--mpi=none',
    `--job-name=${step}`,
    ...(cpusPerTask === undefined ? [] : [`--cpus-per-task=${cpusPerTask}`]),
    ...(time === undefined ? [] : [`--time=${time}`]),
    ...srunOptions,
    ...['sh', '-c', THROUGH_PIPE, 'offsite'],
  ]);
