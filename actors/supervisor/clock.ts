/** What a supervisor waits with: XState's `Clock`, for instance its `SimulatedClock`. */
export interface SupervisorClock {
  setTimeout(fn: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
  /** The time in milliseconds, from any beginning. @default that of `performance.now()` */
  now?(): number;
}

/** The clock of this process. */
const processClock: SupervisorClock = {
  setTimeout: (fn, ms) => setTimeout(fn, ms),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
  now: () => performance.now(),
};

/** The longest time that Node's timers take, in milliseconds; what is longer is no bound. */
const FOREVER = 2 ** 31 - 1;

/** A clock, and how it is used here. */
export class Time {
  readonly #clock: SupervisorClock;

  constructor(clock: SupervisorClock = processClock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now?.() ?? performance.now();
  }

  /**
   * Calls `fn` in so many milliseconds, unless what it returns is called before. `holds` says whether the program is
   * to live until then.
   */
  after(ms: number, fn: () => void, { holds }: { holds: boolean }): () => void {
    if (ms > FOREVER) return () => {};
    const timer = this.#clock.setTimeout(fn, ms);
    if (!holds) (timer as { unref?: () => void }).unref?.();
    return () => this.#clock.clearTimeout(timer);
  }
}
