/** How long a loop turns after the last message before it sleeps, in milliseconds: what offsite's links do. */
export const HOT_FOR = 0.05;

const nothing = () => false;

/**
 * The rule for sleeping that every floor shares with offsite's links, written again here on purpose: a floor that
 * ran offsite's own code could not show what that code costs.
 */
export class Hot {
  #poll;
  #park;
  #hotFor;
  #until = 0;
  #turning = false;

  /**
   * `poll` says whether something had arrived; `park` is called before the loop may sleep.
   * @param {{ poll?: () => boolean, park?: () => void, hotFor?: number }} [options]
   */
  constructor({ poll = nothing, park = nothing, hotFor = HOT_FOR } = {}) {
    this.#poll = poll;
    this.#park = park;
    this.#hotFor = hotFor;
  }

  /** A message came or was sent: stay hot from now; for 0 milliseconds that is one turn. */
  touch() {
    this.#until = performance.now() + this.#hotFor;
    if (this.#turning) return;
    this.#turning = true;
    setImmediate(this.#turn);
  }

  #turn = () => {
    const now = performance.now();
    if (this.#poll()) this.#until = now + this.#hotFor;
    if (now < this.#until) {
      setImmediate(this.#turn);
    } else {
      this.#turning = false;
      this.#park();
    }
  };
}
