// Depth-first search through the tree below one node. A node is the path of choices that leads to it, and means the same
// in every process that has run the same script.

/** Whether an answer, given by the values of all variables, is better than another one. */
export const isBetter = (root, values, than) => {
  const space = root.clone();
  for (const [variable, value] of values.entries()) if (!space.assign(variable, value)) return false;
  space.mustBeat(than);
  return space.propagate();
};

/** Explores the tree below one node, step by step. */
export class Explorer {
  /** The values of all answers since somebody was told. */
  found = [];
  #root;
  #isForBest;
  /** The values that an answer has to beat; only in a search for the best. */
  #best;
  /** The nodes that are left, the next one last: each has its path, and most the space before the last choice of it. */
  #stack;

  /** `root` is what the script gave, and all that follows in it was found. */
  constructor(root, { path, isForBest, best }) {
    this.#root = root;
    this.#isForBest = isForBest;
    this.#best = best;
    this.#stack = [{ path }];
  }

  /** The paths of the nodes that are left. With the answers that were told they make up the whole. */
  get open() {
    return this.#stack.map(({ path }) => path);
  }

  get isDone() {
    return this.#stack.length === 0;
  }

  /** Somebody else has found an answer; from here on it has to be beaten. */
  improve(best) {
    if (!this.#best || isBetter(this.#root, best, this.#best)) this.#best = best;
  }

  /** Gives the highest node that is left away, below which there is most to do; `undefined` if there is one only. */
  give() {
    return this.#stack.length > 1 ? this.#stack.shift().path : undefined;
  }

  /** Forgets all that is left. */
  stop() {
    this.#stack = [];
  }

  /** Looks at the next node. */
  step() {
    const node = this.#stack.pop();
    const space = node.space ?? this.#root.clone();
    // The path of a node that came from elsewhere is gone at once, and what follows from it is looked for only once.
    const choices = node.space ? node.path.slice(-1) : node.path;
    for (const choice of choices) if (!space.decide(choice)) return;
    if (this.#best && node.beats !== this.#best) space.mustBeat(this.#best);
    if (!space.propagate()) return;
    const branches = space.choice();
    if (branches) {
      const [first, second] = branches;
      const beats = this.#best;
      this.#stack.push({ path: [...node.path, second], space: space.clone(), beats });
      this.#stack.push({ path: [...node.path, first], space, beats });
    } else if (this.#isForBest) {
      this.#best = space.values();
      this.found = [this.#best];
    } else {
      this.found.push(space.values());
    }
  }
}
