import type { Outcome } from '../../../lib/cluster/function-text.ts';
import type { KeptOutcome } from '../../../lib/jobs/kept.ts';
import type { RemoteManager } from '../../remote-manager.ts';
import type { EndStatus } from '../job-record.ts';

/** What the journal of a job server knows of one job, and does for it. */
export interface Journaled {
  /** It is about to be started in a site; only when this has resolved may it be. */
  starts(site: RemoteManager, attempt: number): Promise<void>;
  /** Its arguments as they were written down. */
  takeArguments(): Uint8Array;
  /** Its site has told what became of it. */
  ended(outcome: KeptOutcome): Outcome;
  /** It has ended for good; `then` is called when that is on the disk, or can't be. */
  settle(status: EndStatus, outcome: Outcome, then: (outcome: Outcome) => void): void;
  /** Its result was given to who waited for it. */
  delivered(): void;
  /** Its result is not needed any more. */
  acknowledge(): Promise<void>;
}
