// One search from its start to its end, as process 1 sees it: who explores what, and what nobody explores yet.
import { functionsOf, NoProcessError, ProcessExitedException } from 'offsite';
import { isBetter } from './explorer.js';

const worker = functionsOf(new URL('./worker.js', import.meta.url));

let runs = 0;

export class Run {
  /** The answers, when the search is over. */
  answers;
  #search = `search/${process.pid}/${++runs}`;
  #cluster;
  #ids;
  #problem;
  #onProgress;
  #root;
  #resolve;
  #reject;
  #isOver = false;
  /** Nodes that nobody explores: at first the root, whose path is empty. */
  #nodes = [[]];
  /** What each worker explores: the nodes that it had left when it was last heard of, and if it can be asked for one. */
  #jobs = new Map();
  /** Workers that are gone, which the cluster may not have noticed yet. */
  #gone = new Set();
  #lastLoss;
  #found = [];

  /** `ids` gives the processes that may explore; they may become more or fewer while it runs. */
  constructor(cluster, ids, problem, onProgress) {
    this.#cluster = cluster;
    this.#ids = ids;
    this.#problem = problem;
    this.#onProgress = onProgress;
    this.answers = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.answers.catch(() => {});
    cluster.on('join', this.#assign).on('leave', this.#assign);
    this.#start().catch((error) => this.#end(error));
  }

  /** Ends it with the answers that there are. */
  stop() {
    this.#end();
  }

  async #start() {
    const { script, args } = this.#problem;
    // Here as well, to give the answers their form; and a script that throws throws here, before workers have begun.
    this.#root = await this.#cluster.remotecallFetch(worker.rootOf, 1, script, args);
    if (this.#problem.kind === 'best' && this.#root?.isOrdered === false) {
      throw new TypeError(
        'The script of a search for the best has to say what is better, by space.order(…).',
      );
    }
    if (this.#root) this.#assign();
    else this.#end();
  }

  /** Gives each idle worker a node; when there are too few, busy workers are asked for some of theirs. */
  #assign = () => {
    if (this.#isOver || !this.#root) return;
    const idle = this.#ids().filter((id) => !this.#jobs.has(id) && !this.#gone.has(id));
    while (idle.length > 0 && this.#nodes.length > 0) {
      void this.#explore(idle.shift(), this.#highest(this.#nodes));
    }
    const askable = [...this.#jobs].filter(([, { state }]) => state === 'exploring');
    const height = ([, { open }]) => Math.min(...open.map((path) => path.length));
    askable.sort((a, b) => height(a) - height(b));
    // Those that have been asked, or are about to begin and can be asked then, are counted on already.
    const wanted = idle.length - (this.#jobs.size - askable.length);
    for (const [id, job] of askable.slice(0, Math.max(0, wanted))) {
      job.state = 'asked';
      this.#tell(worker.share, id);
    }
    if (this.#jobs.size > 0) return;
    if (this.#nodes.length === 0) this.#end();
    else this.#end(new Error('No worker is left to search.', { cause: this.#lastLoss }));
  };

  /** Takes the node with the shortest path, below which there is most to do. */
  #highest(nodes) {
    let highest = 0;
    for (const [index, path] of nodes.entries()) if (path.length < nodes[highest].length) highest = index;
    return nodes.splice(highest, 1)[0];
  }

  async #explore(id, path) {
    const job = { open: [path], state: 'beginning' };
    this.#jobs.set(id, job);
    const task = { search: this.#search, ...this.#problem, path, best: this.#best };
    try {
      await this.#cluster.remotecallFetch(worker.explore, id, task, (news) => this.#hear(id, job, news));
    } catch (error) {
      if (!(error instanceof ProcessExitedException || error instanceof NoProcessError)) {
        this.#end(error);
        return;
      }
      // What it had told is done. All the rest is done again by others.
      this.#gone.add(id);
      this.#lastLoss = error;
      this.#nodes.push(...job.open);
    }
    this.#jobs.delete(id);
    this.#assign();
  }

  /** A worker tells what it has found and what it has left; gives whether it is to go on. */
  #hear(id, job, { found, given, open }) {
    if (this.#isOver || this.#jobs.get(id) !== job) return false;
    job.open = open;
    const canBeAsked = given !== undefined || job.state === 'beginning';
    if (given) this.#nodes.push(given);
    if (canBeAsked) job.state = 'exploring';
    for (const values of found) this.#answer(id, values);
    this.#onProgress?.({ answers: this.#found.length, busy: this.#jobs.size });
    if (canBeAsked) this.#assign();
    return !this.#isOver;
  }

  #answer(id, values) {
    if (this.#isOver) return;
    const { kind } = this.#problem;
    if (kind !== 'best') {
      this.#found.push(values);
      if (kind === 'one') this.#end();
      return;
    }
    // Two workers may have found one at the same time.
    if (this.#best && !isBetter(this.#root, values, this.#best)) return;
    this.#found = [values];
    for (const other of this.#jobs.keys()) {
      if (other !== id) this.#tell(worker.improve, other, values);
    }
  }

  /** Tells a worker something. One that is gone need not hear it. */
  #tell(fn, id, ...args) {
    this.#cluster.remotecallFetch(fn, id, this.#search, ...args).catch(() => {});
  }

  /** The best that is known; of interest only in a search for it. */
  get #best() {
    return this.#problem.kind === 'best' ? this.#found[0] : undefined;
  }

  #end(...error) {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cluster.off('join', this.#assign).off('leave', this.#assign);
    for (const id of this.#ids()) this.#tell(worker.stop, id);
    if (error.length > 0) this.#reject(error[0]);
    else this.#resolve(this.#found.map((values) => this.#root.answer(values)));
  }
}
