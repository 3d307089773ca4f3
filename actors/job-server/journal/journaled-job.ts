import type { Outcome } from '../../../lib/cluster/function-text.ts';
import type { KeptOutcome } from '../../../lib/jobs/kept.ts';
import { readBack } from '../../../lib/jobs/written.ts';
import type { RemoteManager } from '../../remote-manager.ts';
import type { EndStatus } from '../job-record.ts';
import type { Acknowledgement } from './deliveries.ts';
import type { JobJournal } from './job-journal.ts';
import type { Journaled } from './journaled.ts';
import type { JobPlace } from './keys.ts';
import type { SettledJob } from './types.ts';

/** One job that this process runs for its journal. */
export class JournaledJob implements Journaled {
  readonly #journal: JobJournal;
  readonly #place: JobPlace;
  readonly #priority: number;
  readonly #acknowledge: Acknowledgement;
  /** Whether somebody in this process may read its value. */
  readonly isRead: boolean;
  #own: Buffer | undefined;
  #kept: { readonly outcome: KeptOutcome; readonly site: string } | undefined;
  #site = '';
  #settling = false;
  #settled: Pick<SettledJob, 'place' | 'head'> | undefined;

  constructor(
    journal: JobJournal,
    job: { readonly place: JobPlace; readonly priority: number },
    { acknowledge, isRead }: { acknowledge: Acknowledgement; isRead: boolean },
  ) {
    this.#journal = journal;
    this.#place = job.place;
    this.#priority = job.priority;
    this.#acknowledge = acknowledge;
    this.isRead = isRead;
  }

  /** It was taken from the disk, with its arguments. */
  taken(own: Buffer): void {
    this.#own = own;
  }

  /** See Journaled. */
  starts(site: RemoteManager, attempt: number): Promise<void> {
    this.#site = site.id;
    return this.#journal.store.started(
      { place: this.#place, priority: this.#priority },
      { site: site.id, attempt },
    );
  }

  /** See Journaled. */
  takeArguments(): Uint8Array {
    return this.#own!;
  }

  /** See Journaled. */
  ended(outcome: KeptOutcome): Outcome {
    this.#kept = { outcome, site: this.#site };
    if (!outcome.ok) return { error: readBack(outcome.value) };
    return { value: this.isRead ? readBack(outcome.value) : undefined };
  }

  /** See Journaled. */
  settle(status: EndStatus, outcome: Outcome, then: (outcome: Outcome) => void): void {
    // It may be ended twice, for instance by its time while this is on its way to the disk.
    if (this.#settling) return;
    this.#settling = true;
    this.#own = undefined;
    this.#write(status, outcome).then(
      (settled) => {
        this.#settled = { place: settled.place, head: settled.head };
        then(outcome);
      },
      (error: unknown) => then({ error }),
    );
  }

  #write(status: EndStatus, outcome: Outcome): Promise<SettledJob> {
    const kept = this.#kept;
    this.#kept = undefined;
    const job = { place: this.#place, priority: this.#priority };
    // What the site told is written as it is, unless something else was decided since.
    if (kept && kept.outcome.ok === 'value' in outcome && (kept.outcome.ok || status === 'terminated')) {
      return this.#journal.ended(job, kept.outcome, kept.site);
    }
    return this.#journal.failed(job, 'error' in outcome ? outcome.error : undefined, status);
  }

  /** See Journaled. */
  delivered(): void {
    if (this.#acknowledge === 'delivered') void this.acknowledge().catch(() => {});
  }

  /** See Journaled. */
  async acknowledge(): Promise<void> {
    const settled = this.#settled;
    if (settled) await this.#journal.store.acknowledged(settled);
  }
}
