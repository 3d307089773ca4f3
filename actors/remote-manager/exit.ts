import { SiteClosedError } from '../../lib/wire/errors.ts';
import type { KnownDeath } from './death.ts';
import type { SiteExit } from './state.ts';

type Ended = Partial<Pick<SiteExit, 'signal' | 'stderr'> & { exitCode: number | null }>;

/** How a site ended: `failure` is why it never became ready, `death` how its process or thread ended. */
export const exitOf = (closed: boolean, death: KnownDeath | undefined, failure: unknown): SiteExit => {
  // What the operating system tells of a site that was closed, too; a ForkError has what was learned of the command.
  const ended: Ended = death ?? (failure as Ended | undefined) ?? {};
  const { exitCode = null, signal = null, stderr = [] } = ended;
  const died = failure ? 'fork-failed' : (death?.reason ?? 'crashed');
  return { code: exitCode, signal, reason: closed ? 'closed' : died, stderr };
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
