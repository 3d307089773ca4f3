// Rounds of ours and of what it is measured against, taken in turns. Machines are noisy and drift by the hour, so the
// only figure to believe is a ratio from one run.
/**
 * One round: microseconds an operation, as one number or as one sample for each operation.
 * @typedef {() => number | Float64Array | Promise<number | Float64Array>} Round
 */

/**
 * @typedef {object} Figures
 * @property {string} name
 * @property {number} median of all rounds' medians, in microseconds
 * @property {number} mean of all rounds' means, in microseconds
 */

/**
 * @typedef {object} Row
 * @property {string} measure
 * @property {Figures} ours
 * @property {Figures} against
 * @property {number} ratio ours / against: the median of the rounds' ratios
 * @property {number} meanRatio ours / against, of the means
 */

/** @typedef {{ close(): unknown }} Closable */

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

  /** Closes all that it owns. */
  async close() {
    await Promise.all(this.#owned.splice(0).map((thing) => thing.close()));
  }

  /**
   * Runs the rounds of all contenders in turns, the first of a turn being another one each time, and adds a row for
   * ours, which is the first, against each of the others.
   * @param {string} measure
   * @param {Record<string, Round>} contenders
   * @param {{ rounds?: number, warmUp?: number }} [options]
   */
  async compare(measure, contenders, { rounds = 9, warmUp = 2 } = {}) {
    if (process.stderr.isTTY) process.stderr.write(`${measure} …\n`);
    const all = Object.entries(contenders).map(([name, round]) => {
      return { name, round, medians: /** @type {number[]} */ ([]), means: /** @type {number[]} */ ([]) };
    });
    for (let turn = -warmUp; turn < rounds; turn++) {
      for (let i = 0; i < all.length; i++) {
        const { round, medians, means } = all[(turn + warmUp + i) % all.length];
        const taken = await round();
        if (turn < 0) continue;
        medians.push(typeof taken === 'number' ? taken : median(taken));
        means.push(typeof taken === 'number' ? taken : mean(taken));
      }
    }
    const figures = all.map((each) => ({
      name: each.name,
      median: median(each.medians),
      mean: mean(each.means),
    }));
    for (let i = 1; i < all.length; i++) {
      this.rows.push({
        measure,
        ours: figures[0],
        against: figures[i],
        ratio: median(all[0].medians.map((ours, turn) => ours / all[i].medians[turn])),
        meanRatio: figures[0].mean / figures[i].mean,
      });
    }
  }
}
