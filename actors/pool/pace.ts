/** How long a batch is meant to take, in milliseconds: much longer than what it costs to send, much shorter than a job. */
const BATCH_MS = 5;
/** The same where the way is so long that workers would wait for the round trip. */
const MOST_BATCH_MS = 100;
/** A round trip that has not been measured yet, in milliseconds. */
const ROUND_TRIP_MS = 0.2;
/** An element that takes so many round trips is long: a worker that waits for one in between loses little by it. */
const LONG = 20;
/** How many times larger than the one before a batch may be, because what comes may not be like what was. */
const GROWTH = 16;
/** A batch is asked to stop when it has taken so many times what was meant. */
const PATIENCE = 2;

/** What is known of how fast one worker does the elements of a map, and how large its batches are therefore. */
export class Pace {
  /** How long one element takes, all in all, in milliseconds; unknown at first. */
  each: number | undefined;
  #roundTrip = ROUND_TRIP_MS;
  #sample: number | undefined;
  #last = 1;
  #batches = 0;

  /** `like` is a worker that has done some already. */
  constructor(like?: Pace) {
    this.each = like?.each;
    if (like) this.#roundTrip = like.#roundTrip;
  }

  /**
   * A batch was answered: of `count` elements, `service` ms after it was sent or the one before it was answered,
   * whichever was later; over there it took `took` ms. `idle` says that nothing was before it.
   */
  answered({
    count,
    service,
    took,
    idle,
  }: {
    count: number;
    service: number;
    took: number;
    idle: boolean;
  }): void {
    this.#batches++;
    // The first one loads the module, which the others don't.
    const each = Math.max(1e-5, (this.#batches === 1 ? took : service) / count);
    this.each = this.each === undefined || this.#batches <= 2 ? each : (this.each + each) / 2;
    if (idle && this.#batches > 1) {
      // The shorter one of two, because one may have met something that has nothing to do with the way.
      const sample = Math.max(0.01, service - took);
      this.#roundTrip = Math.min(sample, this.#sample ?? this.#roundTrip);
      this.#sample = sample;
    }
    this.#last = Math.max(this.#last, count);
  }

  /** How many elements the next batch has, if `remaining` are to be shared by so many workers. */
  size(remaining: number | undefined, workers: number): number {
    if (this.each === undefined) return 1;
    const share = remaining === undefined ? Infinity : Math.ceil(remaining / (2 * Math.max(1, workers)));
    return Math.max(1, Math.min(Math.floor(this.#meant / this.each), this.#last * GROWTH, share));
  }

  /** How many batches a worker has in hand at once. */
  get depth(): number {
    return this.depthOf(1);
  }

  /** The same where each batch has so many elements. */
  depthOf(size: number): number {
    return this.each === undefined || this.each * size > LONG * this.#roundTrip ? 1 : 2;
  }

  /** When a batch is to begin no further element, in milliseconds. */
  get within(): number {
    return PATIENCE * this.#meant;
  }

  get #meant(): number {
    return Math.min(MOST_BATCH_MS, Math.max(BATCH_MS, 2 * this.#roundTrip));
  }
}
