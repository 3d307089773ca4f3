// The floor of a virtual site: two threads that count up two words of shared memory in turns, and carry nothing.
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { HOT_FOR, Hot } from './hot.js';

/** Words, each on a cache line of its own. */
const PING = 0;
const PONG = 16;
/** From a counter to the word that says whether its reader sleeps. */
const SLEEPS = 32;

/** One thread's end: it counts one word up and watches the other. */
class End {
  #words;
  #mine;
  #theirs;
  #seen = 0;
  #arrived;
  #hot;
  #waits = false;

  /**
   * @param {Int32Array} words
   * @param {number} mine
   * @param {number} theirs
   * @param {number} hotFor
   * @param {() => void} arrived
   */
  constructor(words, mine, theirs, hotFor, arrived) {
    this.#hot = new Hot({ poll: () => this.#poll(), park: () => this.#park(), hotFor });
    this.#words = words;
    this.#mine = mine;
    this.#theirs = theirs;
    this.#arrived = arrived;
    this.#park();
  }

  count() {
    const words = this.#words;
    Atomics.add(words, this.#mine, 1);
    if (Atomics.load(words, this.#mine + SLEEPS) === 1) {
      Atomics.store(words, this.#mine + SLEEPS, 0);
      Atomics.notify(words, this.#mine);
    }
    this.#hot.touch();
  }

  #poll() {
    const now = Atomics.load(this.#words, this.#theirs);
    if (now === this.#seen) return false;
    this.#seen = now;
    this.#arrived();
    return true;
  }

  #park() {
    const words = this.#words;
    // Says first that it sleeps and compares then, and the other counts first and looks then: no wake-up is lost.
    Atomics.store(words, this.#theirs + SLEEPS, 1);
    if (this.#waits) {
      // It was hot only because it counted itself, and the last waiting still holds.
      if (Atomics.load(words, this.#theirs) !== this.#seen) setImmediate(this.#wake);
      return;
    }
    const waiting = Atomics.waitAsync(words, this.#theirs, this.#seen);
    if (!waiting.async) {
      setImmediate(this.#wake);
      return;
    }
    this.#waits = true;
    void waiting.value.then(() => {
      this.#waits = false;
      this.#wake();
    });
  }

  #wake = () => {
    if (this.#hot.turning) return;
    if (Atomics.load(this.#words, this.#theirs) !== this.#seen) this.#hot.arrived();
    this.#poll();
    if (!this.#hot.turning) this.#park();
  };
}

/**
 * Starts the other thread; `trip` resolves when it has counted too. Both ends stay hot for `hotFor` milliseconds.
 * @param {{ hotFor?: number }} [options]
 */
export const counters = ({ hotFor = HOT_FOR } = {}) => {
  const words = new Int32Array(new SharedArrayBuffer(64 * 4));
  let resolve = () => {};
  const end = new End(words, PING, PONG, hotFor, () => resolve());
  const worker = new Worker(new URL(import.meta.url), { workerData: { counters: words, hotFor } });
  return {
    /** @returns {Promise<void>} */
    trip: () =>
      new Promise((done) => {
        resolve = done;
        end.count();
      }),
    close: () => worker.terminate(),
  };
};

if (!isMainThread && workerData?.counters) {
  const { counters: words, hotFor } = workerData;
  const end = new End(words, PONG, PING, hotFor, () => end.count());
  // Atomics.waitAsync does not keep a thread alive.
  setInterval(() => {}, 2 ** 31 - 1);
}
