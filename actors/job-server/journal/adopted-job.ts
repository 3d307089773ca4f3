import type { Ending } from '../endings.ts';
import { pastDeadline, ranTooLong } from '../endings.ts';
import type { StartedJob } from './types.ts';

/** The longest time of a timer, in milliseconds; what is longer is no bound. */
const FOREVER = 2 ** 31 - 1;

/** How long a job may run. */
export interface JobBounds {
  /** In milliseconds. */
  readonly timeout?: number;
  /** When it must be over, in milliseconds since 1970, and how long it had then, for messages. */
  readonly deadline?: number;
  /** How long it may go on after its signal was aborted, in milliseconds. */
  readonly grace: number;
}

/** What reaches a job where it runs. */
export interface AdoptedIn {
  /** Aborts its signal. */
  abort(reason: unknown): void;
  /** Ends its site at once. */
  kill(cause: unknown): void;
}

/** A job that an earlier process has started, and its end, if somebody here wants that. */
export class AdoptedJob {
  readonly started: StartedJob;
  /** Why it is being ended, if it is; what it gives before it has ended is taken all the same. */
  ending: Ending | undefined;
  #grace: number | undefined;
  #in: AdoptedIn | undefined;
  #bounds: JobBounds = { grace: 0 };
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(started: StartedJob) {
    this.started = started;
  }

  /** It was found, and has run for so many milliseconds. */
  runs(where: AdoptedIn, ranFor: number, bounds: JobBounds): void {
    const { id, at } = this.started;
    const { timeout, deadline } = bounds;
    this.#in = where;
    this.#bounds = bounds;
    if (this.ending) this.#press(this.ending);
    if (timeout !== undefined) this.#later(timeout - ranFor, () => this.end(ranTooLong(id, timeout)));
    if (deadline !== undefined) {
      this.#later(deadline - Date.now(), () => this.end(pastDeadline(id, Math.max(0, deadline - at))));
    }
  }

  /** Has it end; it may still give its value until its site is killed. */
  end(ending: Ending, grace?: number): void {
    if (this.ending) return;
    this.ending = ending;
    this.#grace = grace;
    if (this.#in) this.#press(ending);
  }

  #press({ error }: Ending): void {
    this.#in!.abort(error);
    this.#later(this.#grace ?? this.#bounds.grace, () => this.#in!.kill(error));
  }

  #later(ms: number, act: () => void): void {
    if (ms <= FOREVER) this.#timers.add(setTimeout(act, Math.max(0, ms)));
  }

  /** It is over, or not looked after any more. */
  leave(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }
}
