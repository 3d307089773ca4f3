import type { DecodeContext, EncodeContext, LiveRecord } from '../codec/context.ts';
import { Exports } from './exports.ts';
import { Imports } from './imports.ts';
import { type Caller, proxyOf } from './proxy.ts';
import { referenceOf } from './reference.ts';

/** Both tables of a session, as CapTP has them: what the peer holds of ours, and what we hold of its. */
export class References implements EncodeContext, DecodeContext {
  readonly depth = 1000;
  readonly exports: Exports;
  readonly #session: Caller;
  readonly #imports: Imports;

  /** `main` is what the peer reaches under id 0; `release` gives introductions of the peer's values back. */
  constructor(session: Caller, main: object | undefined, release: (id: number, count: number) => void) {
    this.#session = session;
    this.exports = new Exports(main);
    this.#imports = new Imports((id) => proxyOf(session, id), release);
  }

  /** How many values each side holds of the other. */
  get sizes(): { exports: number; imports: number } {
    return { exports: this.exports.size, imports: this.#imports.size };
  }

  exportValue(value: object): LiveRecord {
    const reference = referenceOf(value);
    // A property of a reference goes as a function that calls it, because only whole values have ids.
    if (reference?.session === this.#session && reference.id !== undefined && reference.path.length === 0) {
      return { kind: 'reference', id: reference.id, home: true };
    }
    return { kind: 'reference', id: this.exports.introduce(value), home: false };
  }

  importValue({ kind, id, home }: LiveRecord): unknown {
    if (kind !== 'reference') throw new RangeError(`There is no kind of reference ${kind}.`);
    if (home) return this.exports.get(id);
    if (!(id < 0)) throw new RangeError(`${id} is no id that the peer could have given to a reference.`);
    return this.#imports.introduced(id);
  }

  withdraw({ id, home }: LiveRecord): void {
    if (!home) this.exports.release(id, 1);
  }

  carry(): undefined {}

  share(): undefined {}

  carried(number: number): never {
    throw new RangeError(`There are no bytes ${number} beside the frames.`);
  }

  shared(number: number): never {
    throw new RangeError(`There is no shared memory ${number}.`);
  }

  later(promise: PromiseLike<unknown>, put: (value: unknown) => void): void {
    promise.then(put, put);
  }

  /** Forgets everything, because the peer is gone. */
  clear(): void {
    this.exports.clear();
    this.#imports.clear();
  }
}
