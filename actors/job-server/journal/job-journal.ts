import { JobLostError, JobServerClosedError } from '../../../lib/jobs/errors.ts';
import type * as keeper from '../../../lib/jobs/keeper.ts';
import type { KeptOutcome } from '../../../lib/jobs/kept.ts';
import { readBack, writeArguments, writeDown } from '../../../lib/jobs/written.ts';
import { type AttachOptions, RemoteManager } from '../../remote-manager.ts';
import type { Ending } from '../endings.ts';
import type { JobBounds } from './adopted-job.ts';
import { Deliveries } from './deliveries.ts';
import { JobBatch } from './job-batch.ts';
import type { JobPlace } from './keys.ts';
import { KEEPER, Recovery } from './recovery.ts';
import { JobStore } from './store.ts';
import type { Submission, Terms } from './submissions.ts';
import type { JobStoreOptions, KeptServer, KeptSite, QueuedJob, SettledJob, StartedJob } from './types.ts';

/** So many jobs are written at once while many are submitted. */
const WRITTEN_AT_ONCE = 512;
/** Or so many bytes of them. */
const BYTES_AT_ONCE = 1024 * 1024;
/** How often results are looked for that have expired, in milliseconds. */
const EXPIRE_EVERY = 60_000;
/** How long a site of an earlier process may be out of reach, in milliseconds; as long as any site. */
const UNREACHABLE = 60_000;
/** The longest time of a timer, in milliseconds. */
const LONGEST = 2 ** 31 - 1;
/** How long a site waits for a client that is in no journal, in milliseconds: its client has died while it started. */
const UNKEPT = 10_000;

/** How the journal of a job server is kept. */
export interface JobJournalOptions extends JobStoreOptions {
  /** How a site of an earlier process is attached; what its ticket says needs not be said. */
  readonly attach?: (site: KeptSite) => AttachOptions;
  /** How long a job may run that has this in common with others. @default there is no bound */
  readonly bounds?: (common: unknown) => JobBounds;
  /** How long such a site may be out of reach before its jobs are lost, in milliseconds. @default 60000 */
  readonly unreachableTimeout?: number;
}

/** What a job has in common with others of its submission, and its own arguments, for who runs it. */
export interface JournaledJob extends QueuedJob {
  /** What `submit` or `enqueue` was given for all. */
  readonly common: unknown;
}

/**
 * The journal of one job server: it takes jobs, hands them out in their order, knows where they run, and delivers what
 * became of them, although processes come and go in between.
 */
export class JobJournal implements AsyncDisposable {
  readonly store: JobStore;
  readonly #deliveries: Deliveries;
  readonly #recovery: Recovery;
  readonly #batches = new Map<number, JobBatch>();
  readonly #expiry: NodeJS.Timeout;
  /** What was read of what jobs have in common, by its bytes. */
  readonly #common = new WeakMap<Buffer, unknown>();
  readonly #keepResults: number;
  #expiring: Promise<unknown> = Promise.resolve();
  #closed: Promise<void> | undefined;

  private constructor(
    store: JobStore,
    {
      attach = () => ({}),
      bounds = () => ({ grace: 0 }),
      unreachableTimeout = UNREACHABLE,
      keepResults = 24 * 3_600_000,
    }: JobJournalOptions,
  ) {
    this.store = store;
    this.#keepResults = keepResults;
    this.#deliveries = new Deliveries(store);
    for (const submission of store.submissions) {
      this.#batches.set(
        submission.number,
        new JobBatch(store, this.#deliveries, submission, Promise.resolve()),
      );
    }
    this.#recovery = new Recovery(store, {
      attach: (site) => RemoteManager.attach(site.ticket, attach(site)),
      failed: async (job, { error, status }) => void (await this.failed(job, error, status)),
      bounds: async ({ place }) => bounds(this.#commonIn((await store.commonOf(place)).shared)),
      ended: async (job, outcome) => void (await this.ended(job, outcome, job.site)),
      lost: (job, cause) => this.lost(job, job.site, cause),
      unreachableTimeout,
    });
    this.#expiry = setInterval(() => this.#expire(), EXPIRE_EVERY).unref();
    this.#expire();
  }

  /**
   * Opens a journal, or makes one, and goes for what an earlier process has left. Rejects with JournalError,
   * JournalHeldError and JournalDamagedError.
   */
  static async open(path: string, options: JobJournalOptions = {}): Promise<JobJournal> {
    return new JobJournal(await JobStore.open(path, options), options);
  }

  /** Resolves when each job of an earlier process has ended, was lost, or is queued again. */
  get recovered(): Promise<void> {
    return this.#recovery.done;
  }

  /** What makes a site one that outlives this process; by itself only until it is kept. */
  readonly siteOptions = { detach: true, idleTimeout: UNKEPT } as const;

  /**
   * Notes how to come back into a site, which then outlives this process for as long as results are kept; only then may
   * jobs be started in it. `server` says which one it is on, for who attaches to it. Rejects with why it has not started.
   */
  async keepSite(site: RemoteManager, server?: KeptServer): Promise<void> {
    const ticket = await site.ticket();
    site.on('exit', ({ reason }) => {
      if (reason !== 'disconnected' && !this.#closed) this.store.forgetSite(site.id);
    });
    await this.store.keepSite({ name: site.id, ticket, ...(server && { server }) });
    await site.link<typeof keeper>(KEEPER, { origin: 'parent' }).wait(Math.min(this.#keepResults, LONGEST));
  }

  /** Writes a job down; its id is promised when `written` has resolved. Throws UnserializableError, OptionError and JournalError. */
  submit(
    common: unknown,
    args: readonly unknown[],
    terms: Partial<Omit<Terms, 'many'>> = {},
  ): {
    readonly id: string;
    readonly place: JobPlace;
  } {
    this.#refuseIfClosed();
    const own = writeArguments(args);
    const submission = this.store.submission(writeDown(common, 'options'), terms);
    const id = this.store.put(submission, own);
    return { id, place: { submission: submission.number, index: 0 } };
  }

  /**
   * Writes many jobs down, as fast as the disk takes them, and holds none of them in memory. Throws UnserializableError
   * for `common`, and OptionError; what goes wrong later is told by `submitted`.
   */
  enqueue<T>(
    common: unknown,
    argLists: Iterable<readonly unknown[]> | AsyncIterable<readonly unknown[]>,
    { signal, ...terms }: Partial<Omit<Terms, 'many'>> & { signal?: AbortSignal } = {},
  ): JobBatch<T> {
    this.#refuseIfClosed();
    const submission = this.store.submission(writeDown(common, 'options'), { ...terms, many: true });
    const submitted = this.#submitAll(submission, argLists, signal);
    const batch = new JobBatch<T>(this.store, this.#deliveries, submission, submitted);
    this.#batches.set(submission.number, batch as JobBatch);
    return batch;
  }

  async #submitAll(
    submission: Submission,
    argLists: Iterable<readonly unknown[]> | AsyncIterable<readonly unknown[]>,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    let bytes = 0;
    try {
      for await (const args of inGroups(argLists)) {
        signal?.throwIfAborted();
        this.#refuseIfClosed();
        for (const each of args) {
          const own = writeArguments(each);
          this.store.put(submission, own);
          bytes += own.length;
        }
        if (args.length < WRITTEN_AT_ONCE && bytes < BYTES_AT_ONCE) continue;
        bytes = 0;
        await this.store.written();
      }
    } finally {
      if (!this.#closed) {
        this.store.finish(submission);
        await this.store.written();
        this.#deliveries.changed(submission.number);
      }
    }
  }

  /** The next jobs to be run, at most `limit`. Each is then to be started or given back. */
  async next(limit: number): Promise<JournaledJob[]> {
    const jobs = await this.store.next(limit);
    return jobs.map((job) => ({ ...job, common: this.#commonIn(job.shared) }));
  }

  #commonIn(shared: Buffer): unknown {
    if (!this.#common.has(shared)) this.#common.set(shared, readBack(shared));
    return this.#common.get(shared);
  }

  /** A job that `next` gave is not started now. */
  giveBack(job: QueuedJob): void {
    this.store.giveBack(job);
  }

  /** A job is about to be started in a site that is kept; only when this has resolved may it be. */
  started(job: QueuedJob, site: RemoteManager): Promise<void> {
    return this.store.started(job, { site: site.id, attempt: job.attempts + 1 });
  }

  /** A site has told what became of a job. When this resolves, the site may forget it. */
  async ended(
    job: Pick<StartedJob, 'place'>,
    { ok, value, startedAt, took }: KeptOutcome,
    site: string,
  ): Promise<SettledJob> {
    const times = { startedAt, endedAt: startedAt + took };
    return this.#settled(
      await this.store.settled(job, { ok, status: ok ? 'finished' : 'terminated', site, ...times }, value),
    );
  }

  /** A job gave nothing, for a reason that is known here, wherever it was. */
  async failed(
    job: Pick<QueuedJob, 'place' | 'priority'>,
    error: unknown,
    status: string,
  ): Promise<SettledJob> {
    const head = { ok: false, status, endedAt: Date.now() };
    return this.#settled(await this.store.settled(job, head, writeDown(error, 'error')));
  }

  /** Ends a job that is queued, and not in the memory of this process, or that runs in a site of an earlier one. */
  async cancel(id: string, ending: Ending, grace: number | undefined): Promise<void> {
    if (await this.#recovery.cancel(id, ending, grace)) return;
    const queued = await this.store.queued(id);
    if (queued) await this.failed(queued, ending.error, ending.status);
  }

  /** The site of a job was lost: it is queued again if it may be run again, and else it ends with JobLostError. */
  async lost(job: StartedJob, node: string, cause: unknown): Promise<void> {
    const { retry } = await this.store.commonOf(job.place);
    if (job.attempt <= retry) return this.store.again(job);
    const times = retry > 0 ? ` after ${job.attempt} attempts` : '';
    const error = new JobLostError(
      job.id,
      node,
      true,
      `The site of the job ${job.id} was lost${times}; it was started and may have run. Submit it with { retry } if it may run more than once.`,
      { cause },
    );
    await this.failed(job, error, 'abandoned');
  }

  #settled(settled: SettledJob): SettledJob {
    this.#deliveries.settled(settled);
    return settled;
  }

  /** Waits until a job has ended, whoever submitted it. Rejects as `Deliveries.of` does. */
  whenEnded(id: string, signal?: AbortSignal): Promise<SettledJob> {
    return this.#deliveries.of(id, signal);
  }

  /** Ids of all jobs that are queued, run, or have results that nobody has acknowledged. */
  ids(): AsyncGenerator<string, void, undefined> {
    return this.store.ids();
  }

  /** Submissions of many jobs whose results were not all acknowledged. */
  batches(): JobBatch[] {
    const there = new Set(this.store.submissions.map(({ number }) => number));
    for (const number of this.#batches.keys()) if (!there.has(number)) this.#batches.delete(number);
    return [...this.#batches.values()];
  }

  #expire(): void {
    this.#expiring = this.#expiring
      .then(() => (this.#closed ? undefined : this.store.expire()))
      .then(() => {
        for (const submission of this.#batches.keys()) this.#deliveries.changed(submission);
      })
      .catch(() => {});
  }

  #refuseIfClosed(): void {
    if (this.#closed) throw new JobServerClosedError();
  }

  /**
   * Writes what is left and gives the journal free; what is queued stays in it. Sites of an earlier process end, or with
   * `leave` are left for the next one. Can be called again.
   */
  close({ leave = false }: { leave?: boolean } = {}): Promise<void> {
    this.#closed ??= this.#close(leave);
    return this.#closed;
  }

  async #close(leave: boolean): Promise<void> {
    clearInterval(this.#expiry);
    this.#deliveries.close(new JobServerClosedError());
    await this.#recovery.close({ leave });
    await this.#expiring;
    await this.store.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** The items of an iterable, some at once, so that not each of them waits for a turn. */
async function* inGroups<T>(items: Iterable<T> | AsyncIterable<T>): AsyncGenerator<T[], void, undefined> {
  if (Symbol.asyncIterator in items) {
    // What comes by itself may take its time, and what is there is written meanwhile.
    for await (const item of items) yield [item];
    return;
  }
  let group: T[] = [];
  for (const item of items) {
    group.push(item);
    if (group.length < WRITTEN_AT_ONCE) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}
