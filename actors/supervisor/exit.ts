import type { SiteExit } from '../remote-manager/state.ts';

/**
 * Why a child ended, in OTP's words: `normal` for work that is done (an actor's output, exit code 0), `shutdown` for
 * an end that was asked for, `crashed` for an error or another exit code, `killed` for a signal.
 */
export type ExitReason = 'normal' | 'shutdown' | 'crashed' | 'killed';

/** How a child ended. */
export interface ChildExit {
  readonly reason: ExitReason;
  /** What there is to know of it: an error, or the exit of the site or supervisor. */
  readonly cause?: unknown;
}

/** How a supervisor ended. */
export interface SupervisorExit {
  /**
   * Whether it was closed, shut itself down because of significant children, was asked for more restarts than its
   * intensity allows, or could not start a child when it started itself.
   */
  readonly reason: 'closed' | 'auto-shutdown' | 'intensity' | 'start-failed';
  /** What it failed of, for the last two reasons. */
  readonly cause?: Error;
}

/** Whether a transient child that ended like this is started again. */
export const isAbnormal = ({ reason }: ChildExit): boolean => reason === 'crashed' || reason === 'killed';

/** The end of a site in OTP's words. */
export const siteExit = (exit: SiteExit): ChildExit => {
  // Whoever lets go of a detached site has asked for that end, too.
  if (exit.reason === 'closed' || exit.reason === 'disconnected') return { reason: 'shutdown', cause: exit };
  if (exit.signal !== null) return { reason: 'killed', cause: exit };
  return { reason: exit.reason === 'crashed' && exit.code === 0 ? 'normal' : 'crashed', cause: exit };
};

/** The end of a supervisor in OTP's words: whatever it failed of, it has stopped its children in order. */
export const supervisorExit = (exit: SupervisorExit): ChildExit => ({ reason: 'shutdown', cause: exit });

/** The end of an actor by an error; that of an actor whose site was killed says so. */
export const errorExit = (cause: unknown): ChildExit => {
  const { code, signal } = (cause ?? {}) as { code?: unknown; signal?: unknown };
  const killed = code === 'ERR_OFFSITE_CRASHED' && signal !== null && signal !== undefined;
  return { reason: killed ? 'killed' : 'crashed', cause };
};
