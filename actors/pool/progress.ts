/** How far a map is. */
export interface Progress {
  /** Elements that have their result, failed ones among them. */
  readonly done: number;
  /** How many there are, if that is known. */
  readonly total: number | undefined;
  /** Elements whose place was taken by what `onError` gave. */
  readonly failed: number;
  /** Elements a second, over the last ten seconds. */
  readonly rate: number;
  /** In how many milliseconds all will be done at this rate, if that can be known. */
  readonly eta: number | undefined;
  /** How many workers have something in hand. */
  readonly busy: number;
  /** Whether this is the last report: all is done, or the map has failed. */
  readonly ended: boolean;
}

/** Ten reports a second: what an eye can follow, and nothing beside the work. */
const REPORT_EVERY = 100;
/** Over how many reports the rate is taken. */
const RATE_OVER = 100;

type Counts = Pick<Progress, 'done' | 'total' | 'failed' | 'busy'>;

/** Tells of the progress of a map, now and then while it changes, and at its end. */
export class ProgressReports {
  readonly #report: (progress: Progress) => void;
  readonly #counts: () => Counts;
  readonly #samples: { at: number; done: number }[] = [{ at: performance.now(), done: 0 }];
  #timer: NodeJS.Timeout | undefined;
  #ended = false;

  constructor(report: (progress: Progress) => void, counts: () => Counts) {
    this.#report = report;
    this.#counts = counts;
  }

  /** Something has changed. */
  changed(): void {
    if (this.#timer || this.#ended) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#tell(false);
    }, REPORT_EVERY);
    // What holds the process is the work, and not who looks at it.
    this.#timer.unref();
  }

  /** The map is over. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#tell(true);
  }

  #tell(ended: boolean): void {
    const counts = this.#counts();
    const now = performance.now();
    const [first] = this.#samples as [{ at: number; done: number }];
    const seconds = (now - first.at) / 1000;
    const rate = seconds > 0 ? (counts.done - first.done) / seconds : 0;
    this.#samples.push({ at: now, done: counts.done });
    if (this.#samples.length > RATE_OVER) this.#samples.shift();
    const left = counts.total === undefined ? undefined : counts.total - counts.done;
    const eta = left === undefined || rate === 0 ? undefined : (left / rate) * 1000;
    this.#report({ ...counts, rate, eta: left === 0 ? 0 : eta, ended });
  }
}
