import { now } from './clock.ts';

/**
 * How long a link's loop turns after the last message before it sleeps, in milliseconds. Waking a sleeper costs
 * 4 to 45 us here, so turning for about one such wake-up is never more than twice the best choice.
 */
export const HOT_FOR = 0.05;
/** So many windows in a row without an arrival say that turning is of no use. */
const PATIENCE = 3;
/** A window that probes is so many times as long: two sleepers wake each other up in it, and can still meet. */
const PROBE = 4;
/** For so many arrivals the loop stays cold then, before it tries one window again. */
const COLD_FOR = 100;

/** What a loop runs on. */
export interface HotLoopOptions {
  /** How long a window is, in milliseconds; 0 for one turn. The default is 0.05. */
  readonly hotFor?: number;
  /** A clock in milliseconds. */
  readonly clock?: () => number;
  /** Calls `turn` in the next turn of the event loop; the default is `setImmediate`. */
  readonly schedule?: (turn: () => void) => void;
}

/**
 * Turns the event loop for a bounded moment, a *window*, after the last message, by a chain of `setImmediate`, because
 * waking a sleeper is what a round trip costs. It blocks nothing: timers, sockets and promises go on.
 *
 * The rule: an arrival, and what is sent and wants an answer, begin a window of `hotFor` or begin it anew. After 3
 * windows in a row that ended without an arrival the loop is *cold*: it parks at once, for the next 100 arrivals. The
 * 100th begins one window again, four times as long. If something arrives within that, the loop is hot again, else cold for another 100.
 * So where turning does harm, because both ends share a CPU or messages are few, it costs next to nothing.
 */
export class HotLoop {
  readonly #poll: () => boolean;
  readonly #park: () => void;
  readonly #hotFor: number;
  readonly #clock: () => number;
  readonly #schedule: (turn: () => void) => void;
  #until = 0;
  /** Something was sent or arrived since the last turn, which looks at the clock for both. */
  #touched = false;
  #turning = false;
  #stopped = false;
  /** How many windows in a row have ended without an arrival. */
  #misses = 0;
  /** How many arrivals the loop stays cold for; 0 is hot. */
  #cold = 0;
  /** Whether this window decides if the loop is hot again. */
  #probes = false;

  /** `poll` looks at the link and returns whether something was there; `park` is called when the loop may sleep. */
  constructor(
    poll: () => boolean,
    park: () => void,
    { hotFor = HOT_FOR, clock = now, schedule = setImmediate }: HotLoopOptions = {},
  ) {
    this.#poll = poll;
    this.#park = park;
    this.#hotFor = hotFor;
    this.#clock = clock;
    this.#schedule = schedule;
  }

  /** Whether the loop turns now, so that nobody needs to be woken. */
  get turning(): boolean {
    return this.#turning;
  }

  /** Whether it parks at once, because turning was of no use. */
  get cold(): boolean {
    return this.#cold > 0;
  }

  /** Something was sent, and an answer is expected: begins a window, unless the loop is cold. */
  touch(): void {
    if (this.#cold === 0) this.#begin();
  }

  /** Something arrived that `poll` did not find; call it before that is handled, which may send an answer. */
  arrived(): void {
    if (this.#cold > 0) {
      // With the last of them one window decides: the misses are still counted until something arrives in it.
      if (--this.#cold > 0) return;
      this.#probes = true;
    } else if (this.#turning) this.#misses = 0;
    this.#begin();
  }

  /** Never turns again. */
  stop(): void {
    this.#stopped = true;
  }

  #begin(): void {
    this.#touched = true;
    if (this.#turning || this.#stopped) return;
    this.#turning = true;
    this.#schedule(this.#turn);
  }

  readonly #turn = (): void => {
    if (this.#stopped) {
      this.#turning = false;
      return;
    }
    const time = this.#clock();
    if (this.#poll()) {
      this.#misses = 0;
      this.#probes = false;
      this.#touched = true;
    }
    if (this.#touched) {
      this.#touched = false;
      this.#until = time + (this.#probes ? PROBE * this.#hotFor : this.#hotFor);
    }
    if (time < this.#until && !this.#stopped) {
      this.#schedule(this.#turn);
      return;
    }
    this.#turning = false;
    this.#probes = false;
    if (this.#stopped) return;
    if (++this.#misses >= PATIENCE) this.#cold = COLD_FOR;
    this.#park();
  };
}
