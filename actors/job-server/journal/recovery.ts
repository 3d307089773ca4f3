import { setTimeout as delay } from 'node:timers/promises';
import type * as keeper from '../../../lib/jobs/keeper.ts';
import type { KeptOutcome } from '../../../lib/jobs/kept.ts';
import { TicketError } from '../../../lib/ticket/errors.ts';
import type { RemoteManager } from '../../remote-manager.ts';
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
  /** Resolves when nothing is waited for; never rejects. */
  readonly done: Promise<void>;
  #leaves = false;

  constructor(store: JobStore, host: RecoveryHost) {
    this.#store = store;
    this.#host = host;
    this.done = this.#start();
    this.done.catch(() => {});
  }

  async #start(): Promise<void> {
    const bySite = new Map<string, StartedJob[]>();
    const kept = await this.#store.sites();
    for (const { name } of kept) bySite.set(name, []);
    for await (const job of this.#store.running()) {
      const jobs = bySite.get(job.site);
      if (jobs) jobs.push(job);
      else await this.#host.lost(job, undefined);
    }
    await Promise.all(kept.map((site) => this.#recover(site, bySite.get(site.name)!)));
  }

  async #recover(kept: KeptSite, jobs: StartedJob[]): Promise<void> {
    let site: RemoteManager;
    try {
      site = await this.#reach(kept);
    } catch (cause) {
      if (this.#closing.signal.aborted) return;
      await Promise.all(jobs.map((job) => this.#host.lost(job, cause)));
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

  async #collect(site: RemoteManager, jobs: readonly StartedJob[]): Promise<void> {
    if (jobs.length === 0) return;
    const kept = site.link<typeof keeper>(KEEPER, { origin: 'parent' });
    try {
      const states = await kept.claim(jobs.map(({ id }) => id));
      await Promise.all(
        jobs.map((job, at) =>
          states[at] ? this.#await(kept.outcome(job.id), job) : this.#neverArrived(job),
        ),
      );
    } catch (cause) {
      await this.#unlessClosing(() => Promise.all(jobs.map((job) => this.#host.lost(job, cause))));
    }
  }

  async #await(outcome: PromiseLike<KeptOutcome | undefined>, job: StartedJob): Promise<void> {
    let ended: KeptOutcome | undefined;
    try {
      ended = await outcome;
    } catch (cause) {
      await this.#unlessClosing(() => this.#host.lost(job, cause));
      return;
    }
    if (ended) await this.#host.ended(job, ended);
    else await this.#neverArrived(job);
  }

  /** It was noted as started, and its client was gone before it was sent. */
  #neverArrived(job: StartedJob): Promise<void> {
    return this.#store.again({ ...job, attempt: job.attempt - 1 });
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
