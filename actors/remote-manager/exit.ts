import { SiteClosedError } from '../../lib/wire/errors.ts';
import type { KnownDeath } from './death.ts';
import type { SiteExit, SiteState } from './state.ts';

/** What is known of the end of a site: how it died, or why it never lived. */
export interface End {
  readonly state: SiteState;
  /** How its process or thread ended. */
  readonly death: KnownDeath | undefined;
  /** Why it did not start, if it did not. */
  readonly failure: unknown;
  /** Whether its manager has left it alone. */
  readonly left: boolean;
}

type Ended = Partial<Pick<SiteExit, 'signal' | 'stderr'> & { exitCode: number | null }>;

/** How a site ended, as its manager's listeners learn it. */
export const exitOf = ({ state, death, failure, left }: End): SiteExit => {
  // What the operating system tells of a site that was closed, too; a ForkError has what was learned of the command.
  const ended: Ended = death ?? (failure as Ended | undefined) ?? {};
  const { exitCode = null, signal = null, stderr = [] } = ended;
  if (left) return { code: null, signal: null, reason: 'disconnected', stderr };
  const died = failure ? 'fork-failed' : (death?.reason ?? 'crashed');
  return { code: exitCode, signal, reason: state === 'closed' ? 'closed' : died, stderr };
};

/** What calls reject with after a site was closed. */
export const closedFailure = (name: string, cause: unknown) => (mayHaveRun: boolean) =>
  new SiteClosedError(
    mayHaveRun
      ? `${name} was closed before it answered; the call may have run.`
      : `${name} is closed; start a new site.`,
    mayHaveRun,
    cause === undefined ? {} : { cause },
  );

/** What they reject with after a detached site was left alone. */
export const leftFailure = (name: string) => (mayHaveRun: boolean) =>
  new SiteClosedError(
    `${name} was left alone and lives on; attach to it again to call it${mayHaveRun ? '. This call may have run' : ''}.`,
    mayHaveRun,
  );
