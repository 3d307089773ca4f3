import { setTimeout as delay } from 'node:timers/promises';
import type * as keeper from '../../../lib/jobs/keeper.ts';
import type { KeptOutcome } from '../../../lib/jobs/kept.ts';
import { TicketError } from '../../../lib/ticket/errors.ts';
import type { RemoteManager } from '../../remote-manager.ts';
import type { Ending } from '../endings.ts';
import { AdoptedJob, type JobBounds } from './adopted-job.ts';
import type { JobStore } from './store.ts';
import type { KeptSite, StartedJob } from './types.ts';

/** What a journal links in its sites; it travels as it is, also as TypeScript. */
export const KEEPER = new URL(
  `../../../lib/jobs/keeper.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`,
  import.meta.url,
);
/** How long to wait before a site is looked for again, in milliseconds. */
const AGAIN_AFTER = 1_000;

/** What is done with the jobs of an earlier process. */
export interface RecoveryHost {
  /** A manager for a site that may still be there. */
  attach(site: KeptSite): RemoteManager;
  /** A job has ended there. */
  ended(job: StartedJob, outcome: KeptOutcome): Promise<void>;
  /** A job was ended from here. */
  failed(job: StartedJob, ending: Ending): Promise<void>;
  /** How long a job may run. */
  bounds(job: StartedJob): Promise<JobBounds>;
  /** The site of a job is lost, so nobody knows whether it was done. */
  lost(job: StartedJob, cause: unknown): Promise<void>;
  /** How long a site may be out of reach, in milliseconds. */
  readonly unreachableTimeout: number;
}

/**
 * Finds the sites again that an earlier process has left, and what became of the jobs that were started there: those that
 * run are waited for, and none is started a second time unless its site is lost. A site ends when nothing of it is
 * waited for.
 */
export class Recovery {
  readonly #store: JobStore;
  readonly #host: RecoveryHost;
  readonly #sites = new Set<RemoteManager>();
  readonly #closing = new AbortController();
  /** Jobs that were started and of which nothing else is known yet. */
  readonly #jobs = new Map<string, AdoptedJob>();
  /** Resolves when all of them are known. */
  readonly #read: Promise<Map<string, AdoptedJob[]>>;
  /** Resolves when nothing is waited for; never rejects. */
  readonly done: Promise<void>;
  #leaves = false;

  constructor(store: JobStore, host: RecoveryHost) {
    this.#store = store;
    this.#host = host;
    this.#read = this.#readAll();
    this.done = this.#start();
    this.done.catch(() => {});
  }

  async #readAll(): Promise<Map<string, AdoptedJob[]>> {
    const bySite = new Map<string, AdoptedJob[]>();
    for await (const started of this.#store.running()) {
      const job = new AdoptedJob(started);
      this.#jobs.set(started.id, job);
      const jobs = bySite.get(started.site);
      if (jobs) jobs.push(job);
      else bySite.set(started.site, [job]);
    }
    return bySite;
  }

  async #start(): Promise<void> {
    const kept = await this.#store.sites();
    const bySite = await this.#read;
    const names = new Set(kept.map(({ name }) => name));
    for (const [name, jobs] of bySite) {
      if (!names.has(name)) await Promise.all(jobs.map((job) => this.#lost(job, undefined)));
    }
    await Promise.all(kept.map((site) => this.#recover(site, bySite.get(site.name) ?? [])));
  }

  /** Ends a job that an earlier process has started; says whether it is one that has not ended. */
  async cancel(id: string, ending: Ending, grace: number | undefined): Promise<boolean> {
    await this.#read;
    const job = this.#jobs.get(id);
    job?.end(ending, grace);
    return job !== undefined;
  }

  async #recover(kept: KeptSite, jobs: readonly AdoptedJob[]): Promise<void> {
    let site: RemoteManager;
    try {
      site = await this.#reach(kept);
    } catch (cause) {
      if (this.#closing.signal.aborted) return;
      await Promise.all(jobs.map((job) => this.#lost(job, cause)));
      this.#store.forgetSite(kept.name);
      return;
    }
    this.#sites.add(site);
    await this.#collect(site, jobs);
    if (this.#leaves) return;
    await site.close();
    this.#sites.delete(site);
    this.#store.forgetSite(kept.name);
  }

  /** A ticket that is refused is for a site that has ended; whatever else goes wrong may be over in a moment. */
  async #reach(kept: KeptSite): Promise<RemoteManager> {
    const until = performance.now() + this.#host.unreachableTimeout;
    for (;;) {
      this.#closing.signal.throwIfAborted();
      const site = this.#host.attach(kept);
      try {
        await site.ready;
        return site;
      } catch (cause) {
        if (cause instanceof TicketError || performance.now() + AGAIN_AFTER > until) throw cause;
      }
      await delay(AGAIN_AFTER, undefined, { signal: this.#closing.signal });
    }
  }

  async #collect(site: RemoteManager, jobs: readonly AdoptedJob[]): Promise<void> {
    if (jobs.length === 0) return;
    const kept = site.link<typeof keeper>(KEEPER, { origin: 'parent' });
    try {
      const states = await kept.claim(jobs.map(({ started }) => started.id));
      await Promise.all(
        jobs.map(async (job, at) => {
          const state = states[at];
          if (state === undefined) return this.#neverArrived(job);
          const { id } = job.started;
          const outcome = kept.outcome(id);
          if (state !== 'ended') {
            const where = {
              abort: (reason: unknown) => void kept.cancel(id, reason).then(undefined, () => {}),
              kill: (cause: unknown) => void site.kill({ cause }),
            };
            job.runs(where, state, await this.#host.bounds(job.started));
          }
          await this.#await(outcome, job);
        }),
      );
    } catch (cause) {
      await this.#unlessClosing(() => Promise.all(jobs.map((job) => this.#lost(job, cause))));
    } finally {
      for (const job of jobs) job.leave();
    }
  }

  async #await(outcome: PromiseLike<KeptOutcome | undefined>, job: AdoptedJob): Promise<void> {
    let ended: KeptOutcome | undefined;
    try {
      ended = await outcome;
    } catch (cause) {
      await this.#unlessClosing(() => this.#lost(job, cause));
      return;
    }
    job.leave();
    if (!ended) await this.#neverArrived(job);
    else if (job.ending && !ended.ok) await this.#failed(job, job.ending);
    else {
      await this.#host.ended(job.started, ended);
      this.#jobs.delete(job.started.id);
    }
  }

  /** It was noted as started, and its client was gone before it was begun. */
  async #neverArrived(job: AdoptedJob): Promise<void> {
    const { started, ending } = job;
    if (ending) return this.#failed(job, ending);
    await this.#store.again({ ...started, attempt: started.attempt - 1 });
    this.#jobs.delete(started.id);
  }

  async #lost(job: AdoptedJob, cause: unknown): Promise<void> {
    // It was settled before.
    if (!this.#jobs.has(job.started.id)) return;
    job.leave();
    if (job.ending) return this.#failed(job, job.ending);
    await this.#host.lost(job.started, cause);
    this.#jobs.delete(job.started.id);
  }

  async #failed(job: AdoptedJob, ending: Ending): Promise<void> {
    await this.#host.failed(job.started, ending);
    this.#jobs.delete(job.started.id);
  }

  /** What this process gives up itself is not lost. */
  async #unlessClosing(work: () => Promise<unknown>): Promise<void> {
    if (!this.#closing.signal.aborted) await work();
  }

  /** Waits no longer. The sites end with what runs there, or are left for the next process. Never rejects. */
  async close({ leave }: { leave: boolean }): Promise<void> {
    this.#leaves = leave;
    this.#closing.abort();
    await Promise.all([...this.#sites].map((site) => (leave ? site.disconnect() : site.close())));
    await this.done.catch(() => {});
  }
}
