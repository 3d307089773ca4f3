import type { Member } from '../../lib/cluster/member.ts';
import type { CallOptions } from '../../lib/wire/call/options.ts';
import { WorkerPool } from './worker-pool.ts';

/**
 * All workers of a cluster, also those that join later: Julia's `default_worker_pool()`. While there are none, process 1
 * does what is asked of it.
 */
export class DefaultWorkerPool extends WorkerPool {
  constructor(member: Member) {
    super(member, [], { follow: true });
  }

  /** As WorkerPool's, but gives process 1 while there is no worker; many may have that at once. */
  override take(options: CallOptions = {}): Promise<number> {
    return this.length === 0 ? Promise.resolve(1) : super.take(options);
  }

  override isReady(): boolean {
    return this.length === 0 || super.isReady();
  }
}
