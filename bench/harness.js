// Rounds of ours and of what it is measured against, taken in turns. Machines are noisy and drift by the hour, so the
// only figure to believe is a ratio from one run.
import v8 from 'node:v8';
import vm from 'node:vm';
/**
 * One round: microseconds an operation, as one number or as one sample for each operation.
 * @typedef {() => number | Float64Array | Promise<number | Float64Array>} Round
 */

/**
 * What is measured, or why it is not: a peer is not installed, or what the bench calls does not exist yet.
 * @typedef {Round | 'not here'} Contender
 */

/**
 * @typedef {object} Figures
 * @property {string} name
 * @property {number} [median] of all rounds' medians, in the row's unit
 * @property {number} [mean] of all rounds' means, in the row's unit
 * @property {'not here'} [absent] why there are no figures
 */

/**
 * @typedef {object} Row
 * @property {string} measure
 * @property {'us' | '%' | 'bytes'} unit
 * @property {Figures} ours
 * @property {Figures} [against] nothing where only ours is of interest
 * @property {number} [ratio] ours / against: the median of the rounds' ratios; nothing if one of them is absent
 * @property {number} [meanRatio] ours / against, of the means
 */

/** @typedef {{ close(): unknown }} Closable */

/** Gives a function that collects what nobody holds: `node --expose-gc` without the flag. */
export const collector = () => {
  v8.setFlagsFromString('--expose-gc');
  return /** @type {() => void} */ (vm.runInNewContext('gc'));
};

/** @param {Iterable<number>} values */
export const median = (values) => {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

/** @param {ArrayLike<number>} values */
export const mean = (values) => Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;

/**
 * Awaits `call` again and again; one sample for each time.
 * @param {number} count
 * @param {() => PromiseLike<unknown>} call
 */
export const awaited = async (count, call) => {
  const samples = new Float64Array(count);
  let last = performance.now();
  for (let i = 0; i < count; i++) {
    await call();
    // One look at the clock for each call: two would be much of what the fastest floor takes.
    const now = performance.now();
    samples[i] = (now - last) * 1000;
    last = now;
  }
  return samples;
};

/**
 * How long `work` takes, divided by `count`.
 * @param {() => unknown} work
 * @param {number} [count]
 */
export const timed = async (work, count = 1) => {
  const start = performance.now();
  await work();
  return ((performance.now() - start) * 1000) / count;
};

/**
 * How long `count` calls of add(1, 2) at once take, each; throws if a sum is wrong.
 * @param {{ add(a: number, b: number): PromiseLike<number> }} module
 * @param {number} count
 */
export const addAtOnce = (module, count) =>
  timed(async () => {
    const sums = await Promise.all(Array.from({ length: count }, () => module.add(1, 2)));
    if (sums.some((sum) => sum !== 3)) throw new Error('1 + 2 should be 3.');
  }, count);

/** Collects rows, and owns what has to be closed after a bench, whatever happens in it. */
export class Harness {
  /** @type {Row[]} */
  rows = [];
  /** @type {Closable[]} */
  #owned = [];

  /**
   * Takes charge of closing something; returns it.
   * @template {Closable} T
   * @param {T} thing
   * @returns {T}
   */
  own(thing) {
    this.#owned.push(thing);
    return thing;
  }

  /** Closes all that it owns, the last first; what can't be closed does not keep the rest open. */
  async close() {
    const ends = await Promise.allSettled(
      this.#owned
        .splice(0)
        .reverse()
        .map(async (thing) => thing.close()),
    );
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }

  /**
   * Adds a row for a figure that is measured against nothing but its target.
   * @param {string} measure
   * @param {number | 'not here'} value
   * @param {'us' | '%' | 'bytes'} unit
   */
  level(measure, value, unit) {
    const ours = typeof value === 'string' ? { absent: value } : { median: value, mean: value };
    this.rows.push({ measure, unit, ours: { name: 'offsite', ...ours } });
  }

  /**
   * Runs the rounds of all contenders in turns, the first of a turn being another one each time, and adds a row for
   * ours, which is the first, against each of the others.
   * @param {string} measure
   * @param {Record<string, Contender>} contenders
   * @param {{ rounds?: number, warmUp?: number }} [options]
   */
  async compare(measure, contenders, { rounds = 9, warmUp = 2 } = {}) {
    const all = Object.entries(contenders).map(([name, contender]) => {
      return { name, contender, medians: /** @type {number[]} */ ([]), means: /** @type {number[]} */ ([]) };
    });
    for (let turn = -warmUp; turn < rounds; turn++) {
      for (let i = 0; i < all.length; i++) {
        const { name, contender, medians, means } = all[(turn + warmUp + i) % all.length];
        if (typeof contender === 'string') continue;
        progress(`${measure}: ${turn < 0 ? 'warming up' : `round ${turn + 1} of ${rounds}`}, ${name}`);
        const taken = await contender();
        if (turn < 0) continue;
        medians.push(typeof taken === 'number' ? taken : median(taken));
        means.push(typeof taken === 'number' ? taken : mean(taken));
      }
    }
    progress('');
    /** @type {Figures[]} */
    const figures = all.map(({ name, contender, medians, means }) =>
      typeof contender === 'string'
        ? { name, absent: contender }
        : { name, median: median(medians), mean: mean(means) },
    );
    const ours = figures[0];
    // Nobody else can do this: ours is shown all the same.
    if (all.length === 1) this.rows.push({ measure, unit: 'us', ours });
    for (let i = 1; i < all.length; i++) {
      const against = figures[i];
      /** @type {Row} */
      const row = { measure, unit: 'us', ours, against };
      if (ours.mean !== undefined && against.mean !== undefined) {
        row.ratio = median(all[0].medians.map((mine, turn) => mine / all[i].medians[turn]));
        row.meanRatio = ours.mean / against.mean;
      }
      this.rows.push(row);
    }
  }
}

/**
 * The one line that says what is measured now, where somebody can see it; an empty text takes it away.
 * @param {string} text
 */
export const progress = (text) => {
  if (!process.stderr.isTTY) return;
  process.stderr.write(`\r\x1b[2K${text.slice(0, (process.stderr.columns ?? 80) - 1)}`);
};
