import type { Buffer } from 'node:buffer';
import { isError } from '../codec/built-in.ts';
import { ProtocolError, UndecodableError } from '../errors.ts';
import {
  CANCELLABLE,
  FLAGS_AT,
  HEADER,
  Kind,
  ONCE,
  OPERATION_MASK,
  Operation,
  PULLED,
  VOID,
} from '../frame/frame.ts';
import { Names } from '../frame/names.ts';
import { callId, doubleAt, sizeAt } from '../frame/numbers.ts';
import type { Sender } from '../frame/sender.ts';
import { passed } from '../limits.ts';
import type { LiveValues } from '../live-values.ts';
import { withOptions } from '../reference/handle.ts';
import { type Releasable, referenceOf } from '../reference/reference.ts';
import { perform } from './dispatch.ts';
import { Lanes } from './lanes.ts';
import { CallScope, within } from './scope.ts';

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
  typeof (value as { then?: unknown }).then === 'function';

/** More arguments than this fit on no stack; an array with holes may have them at no cost for who sends it. */
const MOST_ARGUMENTS = 1_000_000;

const argumentsFrom = (value: unknown): unknown[] => {
  if (!Array.isArray(value)) throw new UndecodableError('The arguments of a call are no list.');
  if (value.length > MOST_ARGUMENTS) throw new UndecodableError(`A call has ${value.length} arguments.`);
  return value;
};

/** So many calls in a row may be refused at least: a program that calls in a loop learns of it only when the loop ends. */
const PATIENCE = 100_000;

/** The side of a session that performs the peer's calls and answers them. */
export class Callee {
  readonly #live: LiveValues;
  readonly #sender: Sender;
  /** How many of the peer's calls run now, in the first word; another thread may look at it. */
  readonly #activity: Int32Array<ArrayBufferLike>;
  /** Calls that run and may be given up. */
  readonly #scopes = new Map<number, CallScope>();
  readonly #lanes = new Lanes();
  /** How many calls were refused since one was taken. */
  #refused = 0;
  /** One error for all of them, because a flood of them must cost little. */
  #refusal: unknown;
  readonly #names = new Names();

  constructor(live: LiveValues, sender: Sender, activity: Int32Array<ArrayBufferLike>) {
    this.#live = live;
    this.#sender = sender;
    this.#activity = activity;
  }

  /** Performs the call whose frame lies in `bytes` from `at` to `end`; throws ProtocolError. */
  onCall(bytes: Buffer, at: number, id: number, end: number): void {
    const flags = bytes[at + FLAGS_AT]!;
    const segments = bytes.readUInt16LE(at + 6);
    const targetId = doubleAt(bytes, at + HEADER + 8, end);
    callId(id);
    const { exports } = this.#live.references;
    const target = exports.get(targetId);
    let position = at + HEADER + 16;
    const path: string[] = [];
    for (let i = 0; i < segments; i++) {
      const size = sizeAt(bytes, position, end);
      if (position + 2 + size > end)
        throw new ProtocolError('A call arrived whose path is longer than its frame.');
      path.push(this.#names.read(bytes, position + 2, position + 2 + size));
      position += 2 + size;
    }
    const operation = (flags & OPERATION_MASK) as Operation;
    if (operation > Operation.get) throw new ProtocolError('A call arrived that does what no call can do.');
    if (flags & CANCELLABLE && this.#scopes.has(id)) {
      throw new ProtocolError(`The peer made two calls under ${id} that run at once.`);
    }
    let result: unknown;
    // Counted without Atomics, because only this thread writes, and a late look at it does no harm.
    this.#activity[0]!++;
    try {
      const args = operation === Operation.get ? [] : argumentsFrom(this.#live.read(bytes, position, end));
      const coming = this.#live.takeComing();
      const pending = this.#live.takePending();
      this.#refuseTooMany();
      if (flags & VOID) {
        if (!(flags & ONCE)) exports.keep(id, undefined);
        return;
      }
      // Made now, because it may be given up while it waits for its arguments.
      const scope = flags & CANCELLABLE ? this.#scopeOf(id) : undefined;
      result =
        pending || this.#lanes.has(targetId)
          ? this.#lanes.after(targetId, coming, pending, () =>
              this.#begin(scope, target, path, operation, args),
            )
          : this.#begin(scope, target, path, operation, args);
      if (isThenable(result)) {
        // Once: a proxy's `then` asks again each time.
        result = Promise.resolve(result);
        this.#countUntilSettled(result as Promise<unknown>, scope && id);
      } else if (scope) this.#scopes.delete(id);
    } catch (cause) {
      if (cause instanceof ProtocolError) throw cause;
      if (flags & CANCELLABLE) this.#scopes.delete(id);
      if (flags & ONCE) return this.#answer(Kind.throw, id, cause);
      result = Promise.reject(cause);
      // Whoever waits for it learns of its failure.
      (result as Promise<unknown>).catch(() => {});
    } finally {
      this.#activity[0]!--;
    }
    if (flags & ONCE) return this.#answerWhenDone(id, result);
    exports.keep(id, result);
    if (flags & PULLED) this.#answerWhenDone(id, exports.pull(id));
  }

  /** Answers a call whose result was kept. */
  onPull(id: number): void {
    this.#answerWhenDone(id, this.#live.references.exports.pull(id));
  }

  /** The caller gave a call up; one that has been answered, or could not be given up, is let be. */
  onCancel(id: number, reason: unknown): void {
    this.#scopes.get(id)?.abort(reason);
  }

  /** Nobody waits any more for what runs here. */
  end(reason: unknown): void {
    const scopes = [...this.#scopes.values()];
    this.#scopes.clear();
    for (const scope of scopes) scope.abort(reason);
  }

  /** Throws LimitError for a call too many, and ProtocolError if the peer goes on and on although it is told. */
  #refuseTooMany(): void {
    const { calls } = this.#live.limits;
    if (this.#activity[0]! <= calls) {
      this.#refused = 0;
      return;
    }
    if (++this.#refused > Math.max(calls, PATIENCE)) {
      throw new ProtocolError(`The peer has ${calls} calls running, and goes on although they are refused.`);
    }
    // The peer can't know how many run: it does not wait for those whose results it wants no more.
    this.#refusal ??= passed('calls', calls, `${calls} calls run in this site already`);
    throw this.#refusal;
  }

  #scopeOf(id: number): CallScope {
    const scope = new CallScope();
    this.#scopes.set(id, scope);
    return scope;
  }

  #begin(
    scope: CallScope | undefined,
    target: unknown,
    path: readonly string[],
    operation: Operation,
    args: unknown[],
  ): unknown {
    if (!scope) {
      return isThenable(target)
        ? target.then((value) => perform(value, path, operation, args))
        : perform(target, path, operation, args);
    }
    const run = (value: unknown) => {
      scope.refuseGivenUp();
      // A third site's value: who gives the call up here gives it up there.
      const held = referenceOf(value) ? withOptions(value as Releasable, { signal: scope.signal }) : value;
      return within(scope, () => perform(held, path, operation, args));
    };
    return isThenable(target) ? target.then(run) : run(target);
  }

  #countUntilSettled(running: Promise<unknown>, cancellable: number | undefined): void {
    this.#activity[0]!++;
    const done = () => {
      this.#activity[0]!--;
      if (cancellable !== undefined) this.#scopes.delete(cancellable);
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
    if (kind === Kind.throw) return this.#sender.reason(kind, 0, id, value, this.#live);
    try {
      this.#sender.value(kind, 0, id, value, this.#live, 'result');
      this.#sender.flushSoon();
    } catch (cause) {
      const error = isError(cause) ? cause : new Error(`Thrown while the result was read: ${String(cause)}`);
      this.#sender.reason(Kind.throw, 0, id, error, this.#live);
    }
  }
}
