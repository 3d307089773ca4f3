// Finite domains: variables that stand for integers, what must hold between them, and how to choose when nothing more
// follows. Mozart calls the whole a computation space.
import { AtMost, Distinct, NotEqual } from './propagators.js';

/** Up to so many values, a variable has a bit for each; a wider one is an interval. */
const BITS = 1024;

const countBits = (word) => {
  let rest = word - ((word >>> 1) & 0x55555555);
  rest = (rest & 0x33333333) + ((rest >>> 2) & 0x33333333);
  return (((rest + (rest >>> 4)) & 0x0f0f0f0f) * 0x01010101) >>> 24;
};

/** The other branch of a choice: together they hold all that there was, and nothing twice. */
const opposite = { '=': '≠', '≠': '=', '≤': '>', '>': '≤' };

/** What is tried first, `[variable, relation, value]`; Mozart's names. */
const strategies = {
  /** The first variable, from its smallest value on. */
  naive: (_, undetermined) => undetermined[0],
  /** First fail: the variable that has the fewest values left. */
  ff: (space, undetermined) => undetermined.reduce((a, b) => (space.size(b) < space.size(a) ? b : a)),
  /** First fail, and its values are halved. */
  split: (space, undetermined) => strategies.ff(space, undetermined),
};

/** Variables are numbers from 0 in the order in which they were made; everything else asks the space about them. */
export class Space {
  /** The answer: variables in an array, or in an object under names. */
  root = [];
  #low = [];
  #high = [];
  #words = [];
  /** Where a variable's bits begin and which value the first one means; never changes, so that copies share it. */
  #places = [];
  #propagators = [];
  /** For each variable, those that have to look again when it changes. */
  #watchers = [];
  #distribution = { strategy: 'naive', variables: [] };
  #order;
  #queue = new Set();

  /** A variable between two integers, which it may be as well. */
  variable(low, high) {
    const wide = high - low >= BITS;
    this.#places.push({ first: low, at: wide ? -1 : this.#words.length });
    this.#low.push(low);
    this.#high.push(high);
    this.#watchers.push([]);
    if (!wide) for (let word = 0; word <= (high - low) >>> 5; word += 1) this.#words.push(-1);
    return this.#low.length - 1;
  }

  /** So many of them. */
  variables(count, low, high) {
    return Array.from({ length: count }, () => this.variable(low, high));
  }

  /** `linear([2, -1], [x, y], '≤', 5)` has 2x - y ≤ 5 hold; relations are =, ≠, ≤, ≥, < and >. */
  linear(coefficients, variables, relation, constant) {
    const negative = coefficients.map((coefficient) => -coefficient);
    if (relation === '≠') this.#post(new NotEqual(coefficients, variables, constant));
    if (relation === '≤' || relation === '=') this.#post(new AtMost(coefficients, variables, constant));
    if (relation === '≥' || relation === '=') this.#post(new AtMost(negative, variables, -constant));
    if (relation === '<') this.#post(new AtMost(coefficients, variables, constant - 1));
    if (relation === '>') this.#post(new AtMost(negative, variables, -constant - 1));
  }

  /** All are different, each with its offset added to it. */
  distinct(variables, offsets = variables.map(() => 0)) {
    this.#post(new Distinct(variables, offsets));
  }

  /** Which variables are decided first, and how: 'naive', 'ff' or 'split'. */
  distribute(strategy, variables) {
    this.#distribution = { strategy, variables };
  }

  /** What makes an answer better: `order((space, best) => …)` has the space exclude what is not better than `best`. */
  order(exclude) {
    this.#order = exclude;
  }

  get isOrdered() {
    return this.#order !== undefined;
  }

  /** Only what is better than these values of all variables is of interest from here on. */
  mustBeat(values) {
    this.#order(this, this.answer(values));
  }

  min(variable) {
    return this.#low[variable];
  }

  max(variable) {
    return this.#high[variable];
  }

  isDetermined(variable) {
    return this.#low[variable] === this.#high[variable];
  }

  has(variable, value) {
    if (value < this.#low[variable] || value > this.#high[variable]) return false;
    const { first, at } = this.#places[variable];
    if (at < 0) return true;
    const bit = value - first;
    return (this.#words[at + (bit >>> 5)] & (1 << (bit & 31))) !== 0;
  }

  /** How many values it has left. */
  size(variable) {
    const { first, at } = this.#places[variable];
    const low = this.#low[variable] - first;
    const high = this.#high[variable] - first;
    if (at < 0) return high - low + 1;
    let size = 0;
    for (let word = low >>> 5; word <= high >>> 5; word += 1) {
      let bits = this.#words[at + word];
      if (word === low >>> 5) bits &= -1 << (low & 31);
      if (word === high >>> 5) bits &= -1 >>> (31 - (high & 31));
      size += countBits(bits);
    }
    return size;
  }

  /** Each of these takes values away, and gives false if none is left. */
  atLeast(variable, value) {
    if (value <= this.#low[variable]) return true;
    let low = value;
    while (low <= this.#high[variable] && !this.has(variable, low)) low += 1;
    if (low > this.#high[variable]) return false;
    this.#low[variable] = low;
    this.#changed(variable);
    return true;
  }

  atMost(variable, value) {
    if (value >= this.#high[variable]) return true;
    let high = value;
    while (high >= this.#low[variable] && !this.has(variable, high)) high -= 1;
    if (high < this.#low[variable]) return false;
    this.#high[variable] = high;
    this.#changed(variable);
    return true;
  }

  assign(variable, value) {
    return this.has(variable, value) && this.atLeast(variable, value) && this.atMost(variable, value);
  }

  /** An interval keeps a value in its middle; who wants it away looks again when the interval is smaller. */
  remove(variable, value) {
    if (!this.has(variable, value)) return true;
    if (value === this.#low[variable]) return this.atLeast(variable, value + 1);
    if (value === this.#high[variable]) return this.atMost(variable, value - 1);
    const { first, at } = this.#places[variable];
    if (at < 0) return true;
    const bit = value - first;
    this.#words[at + (bit >>> 5)] &= ~(1 << (bit & 31));
    this.#changed(variable);
    return true;
  }

  /** Lets all follow that follows; false if nothing can be an answer any more. */
  propagate() {
    for (const propagator of this.#queue) {
      // A Set goes on with what is put back while it is walked through.
      this.#queue.delete(propagator);
      if (!propagator.run(this)) return false;
    }
    return true;
  }

  /** Two branches `[variable, relation, value]`, the first to be tried first; `undefined` if all is determined. */
  choice() {
    const { strategy, variables } = this.#distribution;
    const open = (variable) => !this.isDetermined(variable);
    let undetermined = variables.filter(open);
    if (undetermined.length === 0) undetermined = this.#low.map((_, variable) => variable).filter(open);
    if (undetermined.length === 0) return undefined;
    const variable = strategies[strategy](this, undetermined);
    const halve = strategy === 'split' || this.#places[variable].at < 0;
    const low = this.#low[variable];
    const first = halve
      ? [variable, '≤', Math.floor((low + this.#high[variable]) / 2)]
      : [variable, '=', low];
    return [first, [variable, opposite[first[1]], first[2]]];
  }

  /** Takes a branch; false if there is nothing in it. */
  decide([variable, relation, value]) {
    if (relation === '=') return this.assign(variable, value);
    if (relation === '≠') return this.remove(variable, value);
    return relation === '≤' ? this.atMost(variable, value) : this.atLeast(variable, value + 1);
  }

  /** The values of all variables, once they are determined. */
  values() {
    return this.#low.slice();
  }

  /** The same in the form of `root`. */
  answer(values) {
    if (Array.isArray(this.root)) return this.root.map((variable) => values[variable]);
    return Object.fromEntries(Object.entries(this.root).map(([name, variable]) => [name, values[variable]]));
  }

  /** A space like this one that goes its own way. Only for one in which all that follows has been found. */
  clone() {
    const copy = new Space();
    copy.root = this.root;
    copy.#low = this.#low.slice();
    copy.#high = this.#high.slice();
    copy.#words = this.#words.slice();
    copy.#places = this.#places;
    copy.#propagators = this.#propagators;
    copy.#watchers = this.#watchers;
    copy.#distribution = this.#distribution;
    copy.#order = this.#order;
    return copy;
  }

  #post(propagator) {
    // Copies share these lists, so they are never changed in place.
    this.#propagators = [...this.#propagators, propagator];
    const watched = new Set(propagator.variables);
    this.#watchers = this.#watchers.map((watchers, variable) =>
      watched.has(variable) ? [...watchers, propagator] : watchers,
    );
    this.#queue.add(propagator);
  }

  #changed(variable) {
    for (const propagator of this.#watchers[variable]) this.#queue.add(propagator);
  }
}
