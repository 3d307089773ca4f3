/** How a site ended. */
export interface SiteExit {
  /** The exit code of its process or thread, `null` if a signal ended it or it never ran. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Whether it was closed, died, or never became ready; or was left alone, as a detached site can be, and lives on. */
  readonly reason: 'closed' | 'crashed' | 'fork-failed' | 'disconnected';
  /** The last lines of its standard error, past the link. */
  readonly stderr: readonly string[];
}

/** How a site does: `unreachable` is one that neither answers nor says that it is busy. */
export type Health = 'starting' | 'idle' | 'busy' | 'unreachable' | 'closed' | 'crashed';

/** Where a site stands in its life. */
export type SiteState = 'starting' | 'ready' | 'closing' | 'closed' | 'crashed';
