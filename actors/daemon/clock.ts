/** What a daemon waits with where the time of day matters, and the time of day itself. */
export interface DaemonClock {
  setTimeout(fn: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
  /** In milliseconds since 1970. */
  now(): number;
}

/** The clock of this host. Its timers keep no program alive: what a daemon listens on does. */
export const hostClock: DaemonClock = {
  setTimeout: (fn, ms) => setTimeout(fn, ms).unref(),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
  now: () => Date.now(),
};
