import type { SiteDeath } from '../../lib/fork/fork-method.ts';
import { type DeathReason, SiteCrashedError } from '../../lib/wire/errors.ts';

/** How a site ended that nobody closed, and why. */
export interface KnownDeath extends SiteDeath {
  readonly reason: DeathReason;
  /** For how long nothing had been heard of it when it was given up, in milliseconds. */
  readonly silent?: number;
  /** Whether it was killed because it lived on without its link. */
  readonly lostLink?: boolean;
  /** Whether the cause is what broke the link, and nothing that the site has thrown. */
  readonly brokeLink?: boolean;
}

/** What is known beside how the process or thread ended. */
export interface Circumstances {
  /** Whether V8 said that there was no memory left. */
  readonly outOfMemory: boolean;
  /** Whether the site said that it has ended because it was cut off. */
  readonly cutOff: boolean;
  /** For how long nothing had been heard of it when it was given up. */
  readonly silent: number | undefined;
}

const isOutOfMemory = ({ exitCode, cause }: SiteDeath, { outOfMemory }: Circumstances): boolean =>
  (cause as { code?: unknown } | undefined)?.code === 'ERR_WORKER_OUT_OF_MEMORY' ||
  // V8 aborts after it has said so; over ssh an exit code is all that is told of a signal.
  (outOfMemory && exitCode !== 0);

/** Why a site ended. */
export const reasonOf = (died: SiteDeath, circumstances: Circumstances): DeathReason => {
  if (circumstances.silent !== undefined || circumstances.cutOff) return 'unreachable';
  return isOutOfMemory(died, circumstances) ? 'oom' : 'crashed';
};

/** What happened, as the end of a sentence that begins with the site's name. */
export const howItEnded = (death: SiteDeath & Partial<KnownDeath>): string => {
  const { exitCode, signal, cause, reason, silent, lostLink, brokeLink } = death;
  if (reason === 'unreachable') {
    return silent === undefined
      ? 'ended itself, because it was cut off from this host for nearly its unreachableTimeout'
      : `was out of reach for ${Math.round(silent)} ms, longer than its unreachableTimeout, and was given up`;
  }
  if (reason === 'oom') return 'ran out of memory: its heap was full';
  if (lostLink) return 'lost its link, and was killed because it lived on without';
  if (cause instanceof Error && !brokeLink) return `died of an uncaught ${cause.name}: ${cause.message}`;
  if (signal === 'SIGKILL') {
    return 'was ended by SIGKILL; if nobody sent it, the kernel may have been out of memory';
  }
  if (signal) return `was ended by ${signal}`;
  // Nobody tells who is not its parent.
  return exitCode === null
    ? 'ended, or the way to it did; how is not known here'
    : `ended with exit code ${exitCode}`;
};

const remedyFor = ({ reason }: KnownDeath, virtual: boolean): string => {
  if (reason !== 'oom') return 'Start a new site to go on.';
  return virtual
    ? 'Start a new site with a larger resourceLimits.maxOldGenerationSizeMb, or let it hold less at once.'
    : "Start a new site with more, as by execArgv: ['--max-old-space-size=4096'], or let it hold less at once.";
};

/** What the calls of a site that died reject with; `who` is its name and process. */
export const crashed =
  (who: string, death: KnownDeath, virtual: boolean) =>
  (mayHaveRun: boolean): SiteCrashedError => {
    const ran = mayHaveRun ? 'the call may have run' : 'the call was not sent';
    const message = `${who} ${howItEnded(death)}; ${ran}. ${remedyFor(death, virtual)}`;
    return new SiteCrashedError(
      message,
      death,
      mayHaveRun,
      death.cause === undefined ? {} : { cause: death.cause },
    );
  };
