// Mozart's Search.parallel: a script is searched by workers on several hosts, and busy ones give idle ones a part of what
// they have left. A worker that dies takes nothing with it.
import { availableParallelism } from 'node:os';
import { Cluster } from 'offsite';
import { Run } from './run.js';

/** So many of one host: `localhost` is this one, `same` this very process. */
const add = async (cluster, host, count, options) => {
  if (host === 'same') return;
  if (host === 'localhost') await cluster.addProcs(count, options);
  else await cluster.addProcs([[host, count]]);
};

export class ParallelSearch {
  /** The workers as a cluster: who is there, and how to add some more. */
  cluster = new Cluster();
  /** Resolves when all workers are there; searches wait for it. */
  ready;
  #hasSame;
  #onProgress;
  #run;

  /**
   * Workers by their hosts, as in `new ParallelSearch({ bamse: 2, skalman: 4, localhost: 'auto' })`. `options` are how
   * those on this host are started, and `onProgress({ answers, busy })`.
   */
  constructor(workers = { localhost: availableParallelism() }, { onProgress, ...options } = {}) {
    this.#hasSame = workers.same !== undefined;
    this.#onProgress = onProgress;
    const adding = Object.entries(workers).map(([host, count]) => add(this.cluster, host, count, options));
    this.ready = Promise.all(adding).then(() => {});
    this.ready.catch(() => {});
  }

  /** The first answer that any worker finds, in an array that is empty if there is none. */
  one(script, ...args) {
    return this.#search('one', script, args);
  }

  /** All answers, in no order. */
  all(script, ...args) {
    return this.#search('all', script, args);
  }

  /** An answer than which none is better, by the script's `space.order`, in an array that is empty if there is none. */
  best(script, ...args) {
    return this.#search('best', script, args);
  }

  /** Ends the search that runs: it resolves with the answers that it has. */
  stop() {
    this.#run?.stop();
  }

  /** Ends the search that runs, and the workers. */
  async close() {
    this.stop();
    await this.cluster.close();
  }

  async #search(kind, script, args) {
    await this.ready;
    if (this.#run) throw new Error('There is one search at a time; stop() ends the one that runs.');
    const ids = () => this.cluster.procs.filter((id) => id !== 1 || this.#hasSame);
    this.#run = new Run(this.cluster, ids, { kind, script, args }, this.#onProgress);
    try {
      return await this.#run.answers;
    } finally {
      this.#run = undefined;
    }
  }
}
