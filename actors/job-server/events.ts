import { textOf } from '../../lib/wire/codec/remote-error.ts';
import type { Job } from './job.ts';
import type { NodeView } from './placement.ts';

/** What a job server tells its listeners. */
export interface JobServerEvents {
  /** A node was added, is lost or back, drains, has another number of slots, or is gone: see its `state`. */
  node: (node: NodeView) => void;
  /** A job has begun, has said something, or is over: see its `status`. */
  job: (job: Job) => void;
}

/** Tells a listener; what it throws is told as a warning, because what happened has happened all the same. */
export const tellListener = (tell: () => unknown, who: string): void => {
  const warn = (cause: unknown) => process.emitWarning(`${who} failed: ${textOf(cause)}`);
  try {
    const told = tell();
    if (told instanceof Promise) told.catch(warn);
  } catch (cause) {
    warn(cause);
  }
};

/** The listeners of a job server. */
export class Listeners {
  readonly #node = new Set<JobServerEvents['node']>();
  readonly #job = new Set<JobServerEvents['job']>();

  /** Whether anybody wants to know of jobs. */
  get hearsOfJobs(): boolean {
    return this.#job.size > 0;
  }

  of<E extends keyof JobServerEvents>(event: E): Set<JobServerEvents[E]> {
    return (event === 'node' ? this.#node : this.#job) as Set<JobServerEvents[E]>;
  }

  tellNode(view: NodeView): void {
    for (const listener of this.#node) tellListener(() => listener(view), 'A listener of nodes');
  }

  tellJob(job: Job): void {
    for (const listener of this.#job) tellListener(() => listener(job), 'A listener of jobs');
  }
}
