import type { FunctionText } from '../../../lib/cluster/function-text.ts';
import type { ProgramText } from '../../../lib/jobs/protocol.ts';
import { readBack } from '../../../lib/jobs/written.ts';
import { OptionError } from '../../../lib/wire/errors.ts';
import type { AttachOptions, RemoteManager } from '../../remote-manager.ts';
import { cancelled } from '../endings.ts';
import { type EndStatus, type JobOwner, JobRecord } from '../job-record.ts';
import { type CheckedSubmitOptions, DEFAULTS } from '../submit-options.ts';
import type { TargetText } from '../target.ts';
import type { ArgLists } from './args.ts';
import type { JobBatch } from './job-batch.ts';
import { JobJournal, type JournaledJob as QueuedHere } from './job-journal.ts';
import { JournaledJob } from './journaled-job.ts';
import type { CheckedJournalOptions } from './options.ts';
import type { KeptServer } from './types.ts';

/** So many jobs are taken from the disk before they have begun, */
const WINDOW = 256;
/** or so many if half of them are gone sooner than in QUICK milliseconds, */
const MOST = 8_192;
const QUICK = 500;
/** as long as their arguments are no larger than this all together, in bytes. */
const MOST_BYTES = 8 * 1024 * 1024;

/** What a job server does for the jobs of its journal. */
export interface JournaledJobsHost {
  /** How many argument sets are held for jobs that have not begun. */
  readonly queued: number;
  readonly options: { readonly maxQueued: number };
  /** How a site of an earlier process is attached that is on a server of this one. */
  attachOptions(server: KeptServer | undefined): AttachOptions;
  make(
    id: string | undefined,
    target: TargetText,
    args: readonly unknown[],
    options: CheckedSubmitOptions,
  ): JobRecord;
  enter(record: JobRecord, program: string | undefined): void;
  cancel(record: JobRecord, reason: unknown, grace: number | undefined): void;
}

/** What is written down for all jobs of a submission. */
interface Common {
  readonly fn?: FunctionText;
  readonly program?: ProgramText;
  readonly file?: string;
  readonly options: Partial<CheckedSubmitOptions>;
  /** When it must be over, in milliseconds since 1970. */
  readonly deadline?: number;
}

/** The jobs of a job server that has a journal: on the disk first, and in memory only those that are next. */
export class JournaledJobs implements JobOwner {
  readonly #host: JournaledJobsHost;
  readonly #options: CheckedJournalOptions;
  #journal!: JobJournal;
  /** Jobs that this process has submitted or taken, and that are not over. */
  readonly #records = new Map<string, JobRecord>();
  readonly #closing = new AbortController();
  #pulling = false;
  #window = WINDOW;
  #pulledAt = 0;
  /** Whether as many could be taken last as there was room for. */
  #wasFull = false;

  private constructor(host: JournaledJobsHost, options: CheckedJournalOptions) {
    this.#host = host;
    this.#options = options;
  }

  /** Opens the journal of a job server. Rejects with JournalError. */
  static async open(host: JournaledJobsHost, options: CheckedJournalOptions): Promise<JournaledJobs> {
    const jobs = new JournaledJobs(host, options);
    const { path, durable, keepResults } = options;
    jobs.#journal = await JobJournal.open(path, {
      durable,
      ...(keepResults !== undefined && { keepResults }),
      onQueued: () => jobs.pull(),
      attach: ({ server }) => host.attachOptions(server),
      bounds: (common) => {
        const { options, deadline } = common as Common;
        const { timeout, grace = DEFAULTS.grace } = options;
        return {
          grace,
          ...(timeout !== undefined && { timeout }),
          ...(deadline !== undefined && { deadline }),
        };
      },
    });
    jobs.pull();
    return jobs;
  }

  /** What makes a site one that outlives this process. */
  get siteOptions(): { detach: true; idleTimeout: number } {
    return this.#journal.siteOptions;
  }

  /** Notes how to come back into a site. */
  keep(site: RemoteManager, server: KeptServer | undefined): Promise<void> {
    return this.#journal.keepSite(site, server);
  }

  /** Writes a job down; it runs when it is on the disk. Throws UnserializableError, OptionError and JournalError. */
  submit(target: TargetText, args: readonly unknown[], options: CheckedSubmitOptions): JobRecord {
    const { priority, retries } = options;
    const { id, place } = this.#journal.submit(commonOf(target, options), args, { priority, retry: retries });
    const record = this.#host.make(id, target, [], options);
    record.journaled = new JournaledJob(
      this.#journal,
      { place, priority },
      { acknowledge: this.#options.acknowledge, isRead: true },
    );
    this.#add(record);
    return record;
  }

  /** Writes many down. Throws UnserializableError, OptionError and JournalError. */
  enqueue<T>(
    target: TargetText,
    argLists: ArgLists<readonly unknown[]>,
    options: CheckedSubmitOptions,
  ): JobBatch<T> {
    const { priority, retries, signal } = options;
    return this.#journal.enqueue<T>(commonOf(target, options), argLists, {
      priority,
      retry: retries,
      ...(signal && { signal }),
    });
  }

  #add(record: JobRecord): void {
    this.#records.set(record.id, record);
    record.whenOver(() => this.#records.delete(record.id));
  }

  /** Takes jobs from the disk, if there is room for them. */
  readonly pull = (): void => {
    if (this.#pulling || this.#closing.signal.aborted || !this.#journal) return;
    this.#pulling = true;
    this.#pull().then(
      (more) => {
        this.#pulling = false;
        if (more) this.pull();
      },
      () => {
        this.#pulling = false;
      },
    );
  };

  /** Resolves to whether there may be more to take now. */
  async #pull(): Promise<boolean> {
    const { queued } = this.#host;
    let most = Math.min(this.#window, this.#host.options.maxQueued);
    // It reads some at once, not one for each that has left.
    if (queued > most / 2) return false;
    const now = performance.now();
    if (this.#wasFull && now - this.#pulledAt < QUICK) {
      this.#window = Math.min(this.#window * 2, MOST);
      most = Math.min(this.#window, this.#host.options.maxQueued);
    }
    this.#pulledAt = now;
    const room = most - queued;
    const jobs = await this.#journal.next(room);
    this.#wasFull = jobs.length === room;
    const bytes = jobs.reduce((sum, { own }) => sum + own.byteLength, 0);
    if (bytes > MOST_BYTES / 2) this.#window = WINDOW;
    for (const job of jobs) {
      if (this.#closing.signal.aborted) return false;
      this.#take(job);
    }
    return jobs.length > 0;
  }

  #take(job: QueuedHere): void {
    const common = job.common as Common;
    const record = this.#records.get(job.id) ?? this.#made(job, common);
    if (record.isOver) return;
    (record.journaled as JournaledJob).taken(job.own);
    record.attempts = job.attempts;
    this.#host.enter(record, common.file);
  }

  /** A job that was submitted with many, or by an earlier process. */
  #made(job: QueuedHere, { fn, program, options, deadline }: Common): JobRecord {
    const target = { ...(fn && { fn }), ...(program && { program }) };
    const left = deadline === undefined ? undefined : Math.max(0, deadline - Date.now());
    const record = this.#host.make(job.id, target, [], {
      ...DEFAULTS,
      ...options,
      deadline: left,
      priority: job.priority,
      retries: job.retry,
    });
    record.journaled = new JournaledJob(this.#journal, job, { acknowledge: 'manual', isRead: false });
    this.#add(record);
    return record;
  }

  /** A job by its id; it ends with OptionError if there is none. */
  attach(id: string): JobRecord {
    const here = this.#records.get(id);
    // One that was taken from the disk for nobody has no value here.
    if (here && !this.#taken(here)) return here;
    const record = new JobRecord(0, id, this, {}, [], DEFAULTS);
    record.status = 'created';
    void this.#follow(record);
    return record;
  }

  #taken(record: JobRecord): boolean {
    return !(record.journaled as JournaledJob).isRead;
  }

  async #follow(record: JobRecord): Promise<void> {
    try {
      const settled = await this.#journal.whenEnded(record.id, this.#closing.signal);
      const { place, head, value } = settled;
      const given = readBack(value);
      const acknowledge = () => this.#journal.store.acknowledged({ place, head });
      record.journaled = {
        ...NOT_RUN_HERE,
        acknowledge,
        delivered: () => {
          if (this.#options.acknowledge === 'delivered') void acknowledge().catch(() => {});
        },
      };
      record.startTime = head.startedAt;
      record.end(head.status as EndStatus, head.ok ? { value: given } : { error: given });
    } catch (error) {
      record.end('terminated', { error });
    }
    record.tell();
  }

  /** See JobOwner: a job that was attached. */
  cancel({ id }: JobRecord, reason: unknown, grace: number | undefined): void {
    const here = this.#records.get(id);
    if (here) this.#host.cancel(here, reason, grace);
    else void this.#journal.cancel(id, cancelled(id, reason), grace).catch(() => {});
  }

  /** Ids of all jobs that are there. */
  ids(): AsyncIterable<string> {
    return this.#journal.ids();
  }

  /** Submissions of many jobs that are not done with. */
  batches(): JobBatch[] {
    return this.#journal.batches();
  }

  /** Resolves when all that was submitted so far is on the disk. */
  written(): Promise<void> {
    return this.#journal.store.written();
  }

  /** Writes what is left, ends the sites of earlier processes, and gives the journal free. Never rejects. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#journal.close();
  }
}

const notRunHere = (): never => {
  throw new Error('This job does not run in this process.');
};
const NOT_RUN_HERE = {
  starts: notRunHere,
  takeArguments: notRunHere,
  ended: notRunHere,
  settle: notRunHere,
};

/** What is written of how jobs are to be run. Throws OptionError. */
const commonOf = ({ fn, program, file }: TargetText, options: CheckedSubmitOptions): Common => {
  const { callback, placement, deadline, signal, priority, retries, ...rest } = options;
  if (callback) throw notWritten('callback', 'await the job, or attach to it');
  if (typeof placement === 'function') throw notWritten('placement', 'give rules');
  void [signal, priority, retries];
  return {
    ...(fn && { fn }),
    ...(program && { program }),
    ...(file !== undefined && { file }),
    options: { ...rest, ...(placement && { placement }) },
    ...(deadline !== undefined && { deadline: Date.now() + deadline }),
  };
};

const notWritten = (option: string, remedy: string): OptionError =>
  new OptionError(
    option,
    `The option ${option} of a job is a function, which can't be written to a journal; ${remedy}.`,
  );
