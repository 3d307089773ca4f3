import { ForkError } from '../../lib/fork/errors.ts';
import type { SiteDeath } from '../../lib/fork/fork-method.ts';
import type { SiteExit, SiteState } from './state.ts';

/** What is known of the end of a site: how it died, or why it never lived. */
export interface End {
  readonly state: SiteState;
  readonly death: SiteDeath | undefined;
  /** Why it did not start, if it did not. */
  readonly failure: unknown;
  /** Whether its manager has left it alone. */
  readonly left: boolean;
}

/** How a site ended, as its manager's listeners learn it. */
export const exitOf = ({ state, death, failure, left }: End): SiteExit => {
  const failed = failure as Partial<SiteDeath> | undefined;
  const ended = left ? 'disconnected' : 'closed';
  return {
    code: left ? null : (death?.exitCode ?? failed?.exitCode ?? null),
    signal: left ? null : (death?.signal ?? failed?.signal ?? null),
    reason: state === 'closed' ? ended : failed ? 'fork-failed' : 'crashed',
    stderr: death?.stderr ?? failed?.stderr ?? [],
  };
};

/** The error of a site that was closed before it was ready; `signal` is what may have closed it. */
export const notStarted = (name: string, signal: AbortSignal | undefined): ForkError =>
  new ForkError(name, {
    step: 'aborted',
    what: 'it was closed while it started.',
    remedy: 'Nothing of it is left.',
    ...(signal?.aborted && { cause: signal.reason }),
  });
