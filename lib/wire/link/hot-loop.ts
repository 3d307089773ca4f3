import { HOT_FOR } from './link.ts';

/**
 * Turns the event loop for a bounded moment after the last message, by a chain of `setImmediate`, because
 * waking a sleeper is what a round trip costs. It blocks nothing: timers, sockets and promises go on.
 */
export class HotLoop {
  readonly #poll: () => boolean;
  readonly #park: () => void;
  readonly #hotFor: number;
  #until = 0;
  #turning = false;
  #stopped = false;

  /**
   * `poll` looks at the link and returns whether something was there; `park` is called when the loop may sleep.
   * `hotFor` is in milliseconds, 0 for never.
   */
  constructor(poll: () => boolean, park: () => void, hotFor = HOT_FOR) {
    this.#poll = poll;
    this.#park = park;
    this.#hotFor = hotFor;
  }

  /** Whether the loop turns now, so that nobody needs to be woken. */
  get turning(): boolean {
    return this.#turning;
  }

  /** A message came or was sent: stay hot from now. */
  touch(): void {
    this.#until = performance.now() + this.#hotFor;
    if (this.#turning || this.#stopped) return;
    this.#turning = true;
    setImmediate(this.#turn);
  }

  /** Never turns again. */
  stop(): void {
    this.#stopped = true;
  }

  readonly #turn = (): void => {
    if (this.#stopped) {
      this.#turning = false;
      return;
    }
    const now = performance.now();
    if (this.#poll()) this.#until = now + this.#hotFor;
    if (now < this.#until && !this.#stopped) {
      setImmediate(this.#turn);
      return;
    }
    this.#turning = false;
    this.#park();
  };
}
