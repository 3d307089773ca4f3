import type { DeathReason } from '../../lib/wire/errors.ts';

/** How a site ended. */
export interface SiteExit {
  /** The exit code of its process or thread, `null` if a signal ended it or it never ran. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /**
   * Whether it was closed, never became ready, or died: by itself or another's hand, for want of memory, or out of reach; or
   * was left alone, as a detached site can be, and lives on.
   */
  readonly reason: 'closed' | 'fork-failed' | 'disconnected' | DeathReason;
  /** The last lines of its standard error, past the link. */
  readonly stderr: readonly string[];
}

/** Where a site stands in its life. */
export type SiteState = 'starting' | 'ready' | 'closing' | 'closed' | 'crashed';
