import type { Buffer } from 'node:buffer';
import { isError } from '../codec/built-in.ts';
import { decodeBody } from '../codec/codec.ts';
import { textOf } from '../codec/remote-error.ts';
import { ProtocolError } from '../errors.ts';
import { FLAGS_AT, HEADER, Kind, ONCE, OPERATION_MASK, Operation, PULLED } from '../frame/frame.ts';
import type { Sender } from '../frame/sender.ts';
import type { References } from '../reference/references.ts';
import { perform } from './dispatch.ts';

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
  typeof (value as { then?: unknown }).then === 'function';

/** The side of a session that performs the peer's calls and answers them. */
export class Callee {
  readonly #references: References;
  readonly #sender: Sender;
  /** How many of the peer's calls run now, in the first word; another thread may look at it. */
  readonly #activity: Int32Array<ArrayBufferLike>;

  constructor(references: References, sender: Sender, activity: Int32Array<ArrayBufferLike>) {
    this.#references = references;
    this.#sender = sender;
    this.#activity = activity;
  }

  /** Performs the call whose frame lies in `bytes` from `at` to `end`; throws ProtocolError. */
  onCall(bytes: Buffer, at: number, id: number, end: number): void {
    const flags = bytes[at + FLAGS_AT]!;
    const operation = (flags & OPERATION_MASK) as Operation;
    const segments = bytes.readUInt16LE(at + 6);
    const target = this.#references.exports.get(bytes.readDoubleLE(at + HEADER + 8));
    let position = at + HEADER + 16;
    const path: string[] = [];
    for (let i = 0; i < segments; i++) {
      const size = bytes.readUInt16LE(position);
      if (position + 2 + size > end)
        throw new ProtocolError('A call arrived whose path is longer than its frame.');
      path.push(bytes.toString('utf8', position + 2, position + 2 + size));
      position += 2 + size;
    }
    let result: unknown;
    // Counted without Atomics, because only this thread writes, and a late look at it does no harm.
    this.#activity[0]!++;
    try {
      const args =
        operation === Operation.get ? [] : (decodeBody(bytes, position, end, this.#references) as unknown[]);
      result = isThenable(target)
        ? target.then((value) => perform(value, path, operation, args))
        : perform(target, path, operation, args);
      if (isThenable(result)) {
        // Once: a proxy's `then` asks again each time.
        result = Promise.resolve(result);
        this.#countUntilSettled(result as Promise<unknown>);
      }
    } catch (cause) {
      if (flags & ONCE) return this.#answer(Kind.throw, id, cause);
      result = Promise.reject(cause);
      // Whoever waits for it learns of its failure.
      (result as Promise<unknown>).catch(() => {});
    } finally {
      this.#activity[0]!--;
    }
    if (flags & ONCE) return this.#answerWhenDone(id, result);
    this.#references.exports.keep(id, result);
    if (flags & PULLED) this.#answerWhenDone(id, result);
  }

  /** Answers a call whose result was kept. */
  onPull(id: number): void {
    this.#answerWhenDone(id, this.#references.exports.get(id));
  }

  #countUntilSettled(running: Promise<unknown>): void {
    this.#activity[0]!++;
    const done = () => {
      this.#activity[0]!--;
    };
    running.then(done, done);
  }

  #answerWhenDone(id: number, result: unknown): void {
    if (!isThenable(result)) return this.#answer(Kind.return, id, result);
    result.then(
      (value) => this.#answer(Kind.return, id, value),
      (cause) => this.#answer(Kind.throw, id, cause),
    );
  }

  /** Answers a call; a result that can't be sent becomes that call's error. */
  #answer(kind: number, id: number, value: unknown): void {
    try {
      this.#sender.value(kind, id, value, this.#references, kind === Kind.throw ? 'error' : 'result');
    } catch (cause) {
      // What was thrown can't cross as it is, but the fact must.
      const error =
        kind === Kind.return && isError(cause)
          ? cause
          : new Error(`Thrown in the site: ${textOf(kind === Kind.throw ? value : cause)}`);
      try {
        this.#sender.value(Kind.throw, id, error, this.#references, 'error');
      } catch {
        this.#sender.value(
          Kind.throw,
          id,
          new Error('Thrown in the site: an error that can not be sent.'),
          this.#references,
          'error',
        );
      }
    }
    this.#sender.flushSoon();
  }
}
