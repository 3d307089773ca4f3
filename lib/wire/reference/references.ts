import type { LiveRecord } from '../codec/context.ts';
import { Exports } from './exports.ts';
import { type Calls, proxyOf } from './handle.ts';
import { Imports } from './imports.ts';
import { referenceOf } from './reference.ts';

/** Both tables of a session, as CapTP has them: what the peer holds of ours, and what we hold of its. */
export class References {
  readonly exports: Exports;
  readonly imports: Imports;
  readonly #calls: Calls;

  /**
   * `main` is what the peer reaches under id 0; `release` gives introductions of the peer's values back; `bound` gives
   * how many each side may hold.
   */
  constructor(
    calls: Calls,
    main: object | undefined,
    release: (id: number, count: number) => void,
    bound: () => number,
  ) {
    this.#calls = calls;
    this.exports = new Exports(main, bound);
    this.imports = new Imports((id) => proxyOf(calls, id), release, bound);
  }

  /** How many values each side holds of the other. */
  get sizes(): { exports: number; imports: number } {
    return { exports: this.exports.size, imports: this.imports.size };
  }

  /** How a function, a marked object or a proxy is written down. */
  give(value: object): LiveRecord {
    const reference = referenceOf(value);
    // A property of a reference goes as a function that calls it, because only whole values have ids.
    if (reference?.calls === this.#calls && reference.id !== undefined && reference.path.length === 0) {
      return { kind: 'reference', id: reference.id, home: true };
    }
    return { kind: 'reference', id: this.exports.introduce(value), home: false };
  }

  /** The value that the peer means. */
  take(id: number, home: boolean): unknown {
    if (home) return this.exports.get(id);
    if (!(id < 0)) throw new RangeError(`${id} is no id that the peer could have given to a reference.`);
    return this.imports.introduced(id);
  }

  /** Takes back an introduction that was never sent. */
  withdraw(id: number): void {
    this.exports.release(id, 1);
  }

  /** Forgets everything, because the peer is gone. */
  clear(): void {
    this.exports.clear();
    this.imports.clear();
  }
}
