/** How long a loop turns after the last message before it sleeps, in milliseconds: what offsite's links do. */
export const HOT_FOR = 0.05;
/** So many windows in a row without an arrival make it cold … */
const PATIENCE = 3;
/** … for so many arrivals, of which the last tries one window again. */
const COLD_FOR = 100;

/** A window that tries is so many times as long. */
const PROBE = 4;

const nothing = () => false;

/**
 * The rule for sleeping that every floor shares with offsite's links (lib/wire/link/hot-loop.ts), written again here on
 * purpose: a floor that ran offsite's own code could not show what that code costs.
 */
export class Hot {
  #poll;
  #park;
  #hotFor;
  #until = 0;
  #touched = false;
  #turning = false;
  #misses = 0;
  #cold = 0;
  #probes = false;

  /**
   * `poll` says whether something had arrived; `park` is called before the loop may sleep.
   * @param {{ poll?: () => boolean, park?: () => void, hotFor?: number }} [options]
   */
  constructor({ poll = nothing, park = nothing, hotFor = HOT_FOR } = {}) {
    this.#poll = poll;
    this.#park = park;
    this.#hotFor = hotFor;
  }

  get turning() {
    return this.#turning;
  }

  /** A message was sent and an answer is expected: stay hot from now; for 0 milliseconds that is one turn. */
  touch() {
    if (this.#cold === 0) this.#begin();
  }

  /** A message came that `poll` did not find: stay hot from now. */
  arrived() {
    if (this.#cold > 0) {
      if (--this.#cold > 0) return;
      this.#probes = true;
    } else if (this.#turning) this.#misses = 0;
    this.#begin();
  }

  #begin() {
    this.#touched = true;
    if (this.#turning) return;
    this.#turning = true;
    setImmediate(this.#turn);
  }

  #turn = () => {
    const now = performance.now();
    if (this.#poll()) {
      this.#misses = 0;
      this.#probes = false;
      this.#touched = true;
    }
    if (this.#touched) {
      this.#touched = false;
      this.#until = now + (this.#probes ? PROBE : 1) * this.#hotFor;
    }
    if (now < this.#until) {
      setImmediate(this.#turn);
      return;
    }
    this.#turning = false;
    this.#probes = false;
    if (++this.#misses >= PATIENCE) this.#cold = COLD_FOR;
    this.#park();
  };
}
