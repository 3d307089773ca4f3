import { randomBytes } from 'node:crypto';
import { Companion, guarded } from '../../../lib/fork/companion.ts';
import type { SiteDeath } from '../../../lib/fork/fork-method.ts';
import { ask, showJob, stepsOf } from './commands.ts';
import { SlurmError } from './errors.ts';
import { type CheckedSlurmOptions, outsideJob, sallocWords } from './options.ts';

const MARK = 'offsite-job ';
/** How long what is ended in a job may take to vanish from Slurm's list, in milliseconds, before it is cancelled. */
const LEAVE_WITHIN = 300;

/** What holds the allocation: it ends when this process does, and then Slurm ends all that runs in it. */
const HOLD = `echo "${MARK}$SLURM_JOB_ID"; exec cat >/dev/null`;

/** Waits for the end of this process, and then cancels those steps of a job that have its mark in their names. */
const SWEEP = [
  `echo "${MARK}$1"; cat >/dev/null`,
  'squeue --steps --noheader --jobs="$1" --format="%i %j" 2>/dev/null | while read -r id name',
  'do case $name in "$2"*) scancel "$id" 2>/dev/null ;; esac; done',
].join('; ');

/** The nodes that Slurm has given for the workers of one launch: a job of their own, or steps of one that was there. */
export class Allocation {
  /** The job's number. */
  readonly job: string;
  /** Whether the job is there for these workers only, and ends with them. */
  readonly own: boolean;
  /** With what the names of its steps begin. */
  readonly prefix: string;
  readonly #companion: Companion;
  /** Why the job ended before its time, if it did. */
  lost: string | undefined;
  #leaving = new Set<string>();
  #sweeping: Promise<void> | undefined;
  #ending = false;

  private constructor(job: string, own: boolean, prefix: string, companion: Companion) {
    this.job = job;
    this.own = own;
    this.prefix = prefix;
    this.#companion = companion;
    void companion.ended.then(({ stderr }) => {
      if (!own || this.#ending) return;
      this.lost = stderr.at(-1);
      // Should `salloc` itself have been killed, nobody else gives the job up.
      ask(['scancel', job]).catch(() => {});
    });
  }

  /** Has Slurm make one, or finds the one that is there; rejects with SlurmError or the signal's reason. */
  static async get(options: CheckedSlurmOptions, given: AbortSignal): Promise<Allocation> {
    const { jobId = process.env.SLURM_JOB_ID ?? 'new' } = options;
    const prefix = `offsite-${randomBytes(4).toString('hex')}-`;
    if (jobId === 'new') return Allocation.#make(options, prefix, given);
    const job = String(jobId);
    const { state } = await showJob(job, given);
    if (state !== 'RUNNING')
      throw new SlurmError(`Job ${job} has no allocation to start workers in: it is ${state}.`);
    const command = { file: 'sh', args: ['-c', SWEEP, 'offsite', job, prefix] };
    const { companion } = await Companion.start(command, { mark: MARK, signal: given, explain: refused });
    return new Allocation(job, false, prefix, companion);
  }

  static async #make(options: CheckedSlurmOptions, prefix: string, given: AbortSignal): Promise<Allocation> {
    const { queueTimeout } = options;
    const giveUp = new AbortController();
    const timer = setTimeout(() => giveUp.abort(), queueTimeout);
    const lines: string[] = [];
    const [file, ...args] = outsideJob(['salloc', ...sallocWords(options), 'sh', '-c', HOLD]) as [
      string,
      ...string[],
    ];
    try {
      // It does not look at its input while it waits in the queue; in the allocation it ends by that alone.
      const { companion, said } = await Companion.start(
        guarded({ file, args }, { signal: 'TERM', grace: 1 }),
        {
          mark: MARK,
          signal: AbortSignal.any([given, giveUp.signal]),
          explain: refused,
          onLine: (line) => void lines.push(line),
        },
      );
      return new Allocation(said, true, prefix, companion);
    } catch (cause) {
      if (given.aborted || !giveUp.signal.aborted) throw cause;
      throw new SlurmError(
        `Slurm gave no allocation within ${queueTimeout} ms, so the job was taken out of its queue. Ask for less, or give the option queueTimeout more.`,
        lines.slice(0, 3),
      );
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * Sees to it that a worker's step is gone: an `srun` that is killed can't end what it has started. Those of many are
   * asked for together. Never rejects.
   */
  async leave(step: string): Promise<void> {
    this.#leaving.add(step);
    this.#sweeping ??= this.#sweep().finally(() => {
      this.#sweeping = undefined;
    });
    await this.#sweeping;
  }

  async #sweep(): Promise<void> {
    // A step that has ended is still in the list for a moment, and others leave meanwhile.
    await new Promise((resolve) => setTimeout(resolve, LEAVE_WITHIN));
    const leaving = this.#leaving;
    this.#leaving = new Set();
    try {
      const steps = await stepsOf(this.job);
      const left = [...leaving].flatMap((name) => steps.get(name) ?? []);
      if (left.length > 0) await ask(['scancel', ...left]);
    } catch {
      // The job has ended, or Slurm is out of reach; then the companion's end does what can be done.
    }
    if (this.#leaving.size > 0) await this.#sweep();
  }

  /** Gives the allocation back, or cancels what is left of these workers in it. Never rejects. */
  async end(): Promise<void> {
    this.#ending = true;
    await this.#companion.end();
    const { signal } = await this.#companion.ended;
    // It did not end in order, so it may not have given the job back.
    if (signal && this.own) await ask(['scancel', this.job]).catch(() => {});
  }
}

const refused = ({ exitCode, stderr }: SiteDeath): SlurmError =>
  /command not found|not found|No such file/i.test(stderr.join('\n')) && exitCode === 127
    ? new SlurmError(
        "Slurm's command salloc was not found. Run this where Slurm's clients are installed.",
        stderr,
      )
    : new SlurmError(
        'Slurm gave no allocation. Check ntasks, partition, account, time and mem: sinfo shows what there is.',
        stderr,
      );
