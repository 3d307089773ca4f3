/**
 * One side's sleep at a word of shared memory that the other side changes. Whoever sleeps says so in a flag, so that
 * the other wakes only sleepers. There is one pending `Atomics.waitAsync` at most: one that is left over from an earlier
 * sleep is woken by the next notification just as well, so it serves the next sleep too.
 */
export class Sleeper {
  readonly #words: Int32Array;
  readonly #flag: number;
  readonly #word: number;
  readonly #woken: () => void;
  #pending = false;
  #asleep = false;

  /** `flag` and `word` are places in `words`; `woken` is called once for each notification that found a sleeper. */
  constructor(words: Int32Array, flag: number, word: number, woken: () => void) {
    this.#words = words;
    this.#flag = flag;
    this.#word = word;
    this.#woken = () => {
      this.#pending = false;
      this.awake();
      woken();
    };
  }

  /** Goes to sleep while the word is `seen`; false if it is not that any more, and then nobody will be woken. */
  sleep(seen: number): boolean {
    const words = this.#words;
    // Set before the word is compared, and the other side looks at the flag after it wrote the word: one of the two
    // sees the other, so no wake-up is lost.
    Atomics.store(words, this.#flag, 1);
    this.#asleep = true;
    if (this.#pending) {
      if (Atomics.load(words, this.#word) === seen) return true;
    } else {
      const waiting = Atomics.waitAsync(words, this.#word, seen);
      if (waiting.async) {
        this.#pending = true;
        void waiting.value.then(this.#woken);
        return true;
      }
    }
    this.awake();
    return false;
  }

  /** Blocks this thread while the word is `seen`, `timeout` milliseconds at most. */
  sleepSync(seen: number, timeout: number): void {
    Atomics.store(this.#words, this.#flag, 1);
    Atomics.wait(this.#words, this.#word, seen, timeout);
    // An asynchronous sleep under this one goes on, and its flag with it; who took the flag back has woken both.
    if (!this.#asleep) Atomics.store(this.#words, this.#flag, 0);
  }

  /** Is awake by other means, so that nobody needs to wake it. */
  awake(): void {
    if (!this.#asleep) return;
    this.#asleep = false;
    Atomics.store(this.#words, this.#flag, 0);
  }

  /** The other side's part, after it changed the word: wakes whoever sleeps. */
  static wake(words: Int32Array, flag: number, word: number): void {
    if (Atomics.load(words, flag) === 0) return;
    Atomics.store(words, flag, 0);
    Atomics.notify(words, word);
  }
}
