/** How a site does. */
export interface Health {
  /** `unreachable` is one from which nothing comes, not even that it is busy: it was stopped, or is cut off. */
  readonly state: 'starting' | 'idle' | 'busy' | 'unreachable' | 'closed' | 'crashed';
  /** For how long calls have been in flight without a pause, in milliseconds; 0 if none are. */
  readonly busyFor: number;
}

/** After so many signs of life that did not come a site is out of reach: one alone may be late on a busy host. */
const MISSED = 3;
/** How often a site that is out of reach is listened for at least, in milliseconds. */
const LISTEN_EVERY = 100;

/** What a watch is told, and whom it tells. */
export interface WatchOptions {
  /** How often the site says that it is alive, in milliseconds. */
  readonly heartbeat: number;
  /** How long it is borne that nothing comes, in milliseconds; may be `Infinity`. */
  readonly unreachableTimeout: number;
  /** When something came last, on the clock of `performance.now()`. */
  heardAt(): number;
  /** It is out of reach, or has come back; `silent` is for how long nothing came, in milliseconds. */
  onReach(reachable: boolean, silent: number): void;
  /** It was silent for longer than is borne; the watch has ended. */
  onGiveUp(silent: number): void;
}

/**
 * Listens for a site's signs of life, whether calls are in flight or not. Its timer does not hold the program: whoever
 * waits for a call holds it.
 */
export class ReachWatch {
  readonly #options: WatchOptions;
  readonly #limit: number;
  #timer: NodeJS.Timeout | undefined;
  /** When the timer is to fire. */
  #due = 0;
  /** Silence is not counted from before: nobody listened then. */
  #listensSince = 0;
  #lostAt: number | undefined;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#limit = options.heartbeat * MISSED;
  }

  /** Whether the site was heard of late. */
  get reachable(): boolean {
    return this.#lostAt === undefined;
  }

  /** Begins to listen. */
  start(): void {
    this.#listensSince = performance.now();
    this.#arm(this.#limit);
  }

  /** Ends, and tells nothing more. */
  stop(): void {
    clearTimeout(this.#timer);
  }

  #arm(delay: number): void {
    this.#due = performance.now() + delay;
    this.#timer = setTimeout(this.#look, delay).unref();
  }

  readonly #look = (): void => {
    const { heartbeat, unreachableTimeout, heardAt, onReach, onGiveUp } = this.#options;
    const now = performance.now();
    // This process itself stood still, and what came meanwhile has not been read yet.
    if (now - this.#due > heartbeat) this.#listensSince = now;
    const heard = heardAt();
    const silent = now - Math.max(heard, this.#listensSince);
    if (this.#lostAt === undefined) {
      if (silent < this.#limit) return this.#arm(this.#limit - silent);
      this.#lostAt = now;
      onReach(false, silent);
    } else if (heard > this.#lostAt) {
      this.#lostAt = undefined;
      onReach(true, silent);
      return this.#arm(this.#limit);
    }
    if (silent >= unreachableTimeout) return onGiveUp(silent);
    this.#arm(Math.min(heartbeat, LISTEN_EVERY, unreachableTimeout - silent));
  };
}
