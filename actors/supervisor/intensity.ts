/**
 * How many restarts there were lately, as OTP counts them: more than `intensity` of them within `period` milliseconds
 * are too many. A restart that is exactly `period` old still counts.
 */
export class RestartWindow {
  readonly #intensity: number;
  readonly #period: number;
  readonly #now: () => number;
  /** When the restarts were that still count, the oldest first. */
  readonly #restarts: number[] = [];

  constructor(intensity: number, period: number, now: () => number) {
    this.#intensity = intensity;
    this.#period = period;
    this.#now = now;
  }

  /** Counts a restart; says whether it is still allowed. */
  allows(): boolean {
    const now = this.#now();
    if (this.#intensity === Infinity) return true;
    while (this.#restarts[0]! < now - this.#period) this.#restarts.shift();
    this.#restarts.push(now);
    return this.#restarts.length <= this.#intensity;
  }
}
