/** How many empty places are kept at the front before the rest moves up; rare enough to cost nothing for an item. */
const SLACK = 1024;

/** First in, first out, in constant time for each, as an array's own `shift` is not. */
export class Fifo<T> {
  #places: (T | undefined)[] = [];
  #head = 0;

  /** How many wait. */
  get size(): number {
    return this.#places.length - this.#head;
  }

  /** Puts one behind the others. */
  push(value: T): void {
    this.#places.push(value);
  }

  /** Takes the first one; `undefined` if there is none. */
  shift(): T | undefined {
    const places = this.#places;
    if (this.#head === places.length) return undefined;
    const value = places[this.#head];
    // What was taken must not be kept alive from here.
    places[this.#head++] = undefined;
    if (this.#head === places.length) {
      places.length = 0;
      this.#head = 0;
    } else if (this.#head >= SLACK && this.#head * 2 >= places.length) {
      // A consumer that is always a little behind never empties it.
      this.#places = places.slice(this.#head);
      this.#head = 0;
    }
    return value;
  }

  /** Takes all of them. */
  drain(): T[] {
    const all = this.#places.slice(this.#head) as T[];
    this.#places = [];
    this.#head = 0;
    return all;
  }
}
