import type { Buffer } from 'node:buffer';
import { Call } from './call.ts';
import { decodeBody, encodeBody, type ReferenceRecord, type ReferenceTables } from './codec.ts';
import { perform } from './dispatch.ts';
import { ProtocolError, UnserializableError } from './errors.ts';
import { Exports } from './exports.ts';
import { FLAGS_AT, HEADER, Kind, MAX_FRAME, ONCE, OPERATION_MASK, Operation, PULLED } from './frame.ts';
import { Imports } from './imports.ts';
import type { Link, LinkReceiver } from './link.ts';
import { Outbox } from './outbox.ts';
import { type Caller, proxyOf, proxyOfCall } from './proxy.ts';
import { referenceOf } from './reference.ts';
import { arrivedFrom, isError } from './remote-error.ts';

/** What a session tells its owner. */
export interface SessionEvents {
  /** The peer said who it is. */
  hello?(greeting: unknown): void;
  /** User code over there printed; `descriptor` is 1 or 2. */
  output?(descriptor: number, text: string): void;
  /** The peer asks this side to shut down in order. */
  close?(): void;
  /** The link is gone; called once. */
  disconnected?(cause: Error | undefined): void;
}

/** Makes the error of a call that will never be answered; `mayHaveRun` says that it had been sent. */
export type FailureOf = (mayHaveRun: boolean) => unknown;

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
  typeof (value as { then?: unknown }).then === 'function';

/**
 * What both ends speak over a link: calls, references, output and liveness. It can be used before it has a link:
 * what is sent until then waits in the outbox.
 */
export class Session implements LinkReceiver, ReferenceTables, Caller {
  /** The peer's name in errors. */
  peer: string;
  readonly #events: SessionEvents;
  readonly #outbox = new Outbox();
  readonly #exports: Exports;
  readonly #imports = new Imports(
    (id) => proxyOf(this, id),
    (id, count) => this.#sendRelease(id, count),
  );
  /** Results that were kept over there for pipelining are given back when nobody here can use them any more. */
  readonly #kept = new FinalizationRegistry<number>((id) => this.#sendRelease(id, 1));
  /** Calls and pings that wait for an answer. */
  readonly #waiting = new Map<number, Call>();
  /** Calls of this turn, whose flags are final only when it ends. */
  #fresh: Call[] = [];
  #lastId = 0;
  #link: Link | undefined;
  #flushing = false;
  #encoding = false;
  #failure: FailureOf | undefined;
  #holds = false;

  /** How many of the peer's calls run now, in its first word; another thread may look at it. */
  readonly #activity: Int32Array<ArrayBufferLike>;

  /** `main` is what the peer reaches under id 0; `peer` names the other side in errors. */
  constructor(
    peer: string,
    main: object | undefined,
    events: SessionEvents,
    activity: Int32Array<ArrayBufferLike> = new Int32Array(1),
  ) {
    this.peer = peer;
    this.#activity = activity;
    this.#exports = new Exports(main);
    this.#events = events;
  }

  /** The peer's main object. */
  get main(): object {
    return proxyOf(this, 0);
  }

  /** How many calls wait for an answer. */
  get inFlight(): number {
    return this.#waiting.size;
  }

  /** How many values each side holds of the other. */
  get references(): { exports: number; imports: number } {
    return { exports: this.#exports.size, imports: this.#imports.size };
  }

  /** Gives the session its link, over which it sends what has gathered. */
  attach(link: Link): void {
    if (this.#failure) {
      link.destroy();
      return;
    }
    this.#link = link;
    link.open(this);
    if (this.#waiting.size > 0) this.#hold();
    this.flush();
  }

  /** Introduces this side; the first frame. `value` is plain data. */
  greet(value: unknown): void {
    this.#frame(Kind.hello, 0, 0, value);
    this.flush();
  }

  call(target: number, path: readonly string[], operation: Operation, args: unknown[]): Call {
    const outbox = this.#outbox;
    const call = new Call(++this.#lastId, outbox.length);
    if (this.#failure) {
      call.reject(this.#failure(false));
      return call;
    }
    if (this.#encoding) {
      // The outbox holds half a frame now.
      call.reject(
        new UnserializableError('A getter called another site while its object was being sent.', 'arguments'),
      );
      return call;
    }
    this.#encoding = true;
    try {
      outbox.begin(Kind.call, operation | ONCE, path.length, call.id);
      outbox.double(target);
      for (const segment of path) outbox.segment(segment);
      if (operation !== Operation.get) encodeBody(outbox, args, this, 'arguments');
      outbox.end();
      this.#fresh.push(call);
      this.#flushSoon();
    } catch (cause) {
      outbox.abandon();
      call.reject(cause);
    } finally {
      this.#encoding = false;
    }
    return call;
  }

  pull(call: Call): Promise<unknown> {
    const { promise } = call;
    if (call.pulled || call.settled) return promise;
    if (this.#failure) {
      // The session ended between the call and the first look at its result.
      call.reject(this.#failure(call.frame < 0));
      return promise;
    }
    call.pulled = true;
    this.#waiting.set(call.id, call);
    this.#hold();
    if (call.frame >= 0) {
      this.#outbox.bytes[call.frame + FLAGS_AT]! |= PULLED;
    } else {
      this.#frame(Kind.pull, 0, call.id);
      this.#flushSoon();
    }
    return promise;
  }

  keep(call: Call): boolean {
    if (call.kept) return true;
    // Once it has left with the word that nothing will follow, the peer forgets it with the answer.
    if (call.frame < 0 || call.settled) return false;
    this.#keepResult(call);
    return true;
  }

  /** Resolves once the peer's loop has answered; rejects as a call does. */
  ping(): PromiseLike<unknown> {
    const call = new Call(++this.#lastId, -1);
    if (this.#failure) {
      call.reject(this.#failure(false));
      return proxyOfCall(this, call) as PromiseLike<unknown>;
    }
    call.pulled = true;
    this.#waiting.set(call.id, call);
    this.#hold();
    this.#frame(Kind.ping, 0, call.id);
    this.flush();
    return proxyOfCall(this, call) as PromiseLike<unknown>;
  }

  /** Forgets a call or ping: its answer, if one comes, is dropped. */
  forget(call: Call): void {
    if (this.#waiting.delete(call.id)) this.#letGo();
  }

  /** Sends what user code printed, at once: the next thing that it does may be to block or to exit. */
  output(descriptor: number, text: string): void {
    if (this.#encoding || this.#failure) return;
    this.#frame(Kind.output, descriptor, 0);
    this.#outbox.text(text);
    this.#outbox.end();
    this.flush();
  }

  /** Asks the peer to shut down in order. */
  sendClose(): void {
    this.#frame(Kind.close, 0, 0);
    this.flush();
  }

  /** Ends the session: every call that waits, and every later one, rejects with what `failure` makes. */
  end(failure: FailureOf): void {
    if (this.#failure) return;
    this.#failure = failure;
    const sent = [...this.#waiting.values()];
    this.#waiting.clear();
    this.#exports.clear();
    this.#imports.clear();
    this.#outbox.reset(false);
    this.#letGo();
    for (const call of sent) call.reject(failure(call.frame < 0));
    this.#fresh.length = 0;
  }

  /** Sends now what has gathered in this turn. */
  flush(): void {
    const link = this.#link;
    const outbox = this.#outbox;
    if (!link || outbox.length === 0 || this.#encoding) return;
    for (const call of this.#fresh) {
      if (!call.pulled && !call.kept) this.#keepResult(call);
      call.frame = -1;
    }
    this.#fresh.length = 0;
    outbox.reset(link.send(outbox.bytes.subarray(0, outbox.length)));
    if (this.#waiting.size > 0) link.expect();
  }

  exportValue(value: object): ReferenceRecord {
    const reference = referenceOf(value);
    if (reference?.session === this && reference.id !== undefined) return { id: reference.id, home: true };
    return { id: this.#exports.introduce(value), home: false };
  }

  importValue({ id, home }: ReferenceRecord): unknown {
    if (home) return this.#exports.get(id);
    if (!(id < 0)) throw new RangeError(`${id} is no id that the peer could have given to a reference.`);
    return this.#imports.introduced(id);
  }

  withdraw({ id, home }: ReferenceRecord): void {
    if (!home) this.#exports.release(id, 1);
  }

  receive(bytes: Buffer, start: number, end: number): void {
    try {
      for (let at = start; at < end; ) {
        const next = at + 4 + bytes.readUInt32LE(at);
        if (next > end || next - at < HEADER + 8 || next - at > MAX_FRAME) {
          throw new ProtocolError(`A frame of ${next - at} bytes arrived, which can't be one.`);
        }
        // After its end a session still passes on what the peer prints while it ends.
        if (!this.#failure || bytes[at + 4] === Kind.output) this.#onFrame(bytes, at, next);
        at = next;
      }
    } catch (cause) {
      this.#link?.destroy(cause as Error);
    }
  }

  disconnected(cause?: Error): void {
    this.#events.disconnected?.(cause);
  }

  #onFrame(bytes: Buffer, at: number, end: number): void {
    const id = bytes.readDoubleLE(at + HEADER);
    const body = at + HEADER + 8;
    switch (bytes[at + 4]) {
      case Kind.call:
        return this.#onCall(bytes, at, id, end);
      case Kind.return:
        return this.#onAnswer(bytes, id, body, end, false);
      case Kind.throw:
        return this.#onAnswer(bytes, id, body, end, true);
      case Kind.pull: {
        const value = this.#exports.get(id);
        return this.#answerWhenDone(id, value);
      }
      case Kind.release:
        return this.#exports.release(id, bytes.readDoubleLE(body));
      case Kind.ping:
        this.#frame(Kind.pong, 0, id);
        return this.flush();
      case Kind.pong:
        return this.#settle(id)?.resolve(undefined);
      case Kind.output:
        return this.#events.output?.(bytes[at + FLAGS_AT]!, bytes.toString('utf8', body, end));
      case Kind.close:
        return this.#events.close?.();
      case Kind.hello:
        return this.#events.hello?.(decodeBody(bytes, body, end, this));
      default:
        throw new ProtocolError(`A frame of the unknown kind ${bytes[at + 4]} arrived.`);
    }
  }

  #onCall(bytes: Buffer, at: number, id: number, end: number): void {
    const flags = bytes[at + FLAGS_AT]!;
    const operation = (flags & OPERATION_MASK) as Operation;
    const segments = bytes.readUInt16LE(at + 6);
    const target = this.#exports.get(bytes.readDoubleLE(at + HEADER + 8));
    let position = at + HEADER + 16;
    const path: string[] = [];
    for (let i = 0; i < segments; i++) {
      const size = bytes.readUInt16LE(position);
      path.push(bytes.toString('utf8', position + 2, position + 2 + size));
      position += 2 + size;
    }
    let result: unknown;
    // Counted without Atomics, because only this thread writes, and a late look at it does no harm.
    this.#activity[0]!++;
    try {
      const args = operation === Operation.get ? [] : (decodeBody(bytes, position, end, this) as unknown[]);
      result = isThenable(target)
        ? target.then((value) => perform(value, path, operation, args))
        : perform(target, path, operation, args);
    } catch (cause) {
      if (flags & ONCE) return this.#send(Kind.throw, id, cause);
      result = Promise.reject(cause);
    } finally {
      this.#activity[0]!--;
    }
    if (isThenable(result)) {
      // Once: a proxy's `then` asks again each time.
      result = Promise.resolve(result);
      this.#countUntilSettled(result as Promise<unknown>);
    }
    if (flags & ONCE) return this.#answerWhenDone(id, result);
    // Whoever waits for it learns of its failure.
    if (result instanceof Promise) result.catch(() => {});
    this.#exports.keep(id, result);
    if (flags & PULLED) this.#answerWhenDone(id, result);
  }

  #countUntilSettled(running: PromiseLike<unknown>): void {
    this.#activity[0]!++;
    const done = () => {
      this.#activity[0]!--;
    };
    running.then(done, done);
  }

  #answerWhenDone(id: number, result: unknown): void {
    if (!isThenable(result)) return this.#send(Kind.return, id, result);
    result.then(
      (value) => this.#send(Kind.return, id, value),
      (cause) => this.#send(Kind.throw, id, cause),
    );
  }

  /** Answers a call; a result that can't be sent becomes that call's error. */
  #send(kind: number, id: number, value: unknown): void {
    if (this.#failure) return;
    try {
      this.#frame(kind, 0, id, value, kind === Kind.throw ? 'error' : 'result');
    } catch (cause) {
      // What was thrown can't cross as it is, but the fact must.
      const error =
        kind === Kind.return && isError(cause) ? cause : new Error(`Thrown in the site: ${String(value)}`);
      this.#frame(Kind.throw, 0, id, error, 'error');
    }
    this.#flushSoon();
  }

  #onAnswer(bytes: Buffer, id: number, body: number, end: number, threw: boolean): void {
    const call = this.#settle(id);
    // Nobody waits any more, but what the answer introduces must be given back; decoding it does that.
    let value: unknown;
    try {
      value = decodeBody(bytes, body, end, this);
    } catch (cause) {
      call?.reject(cause);
      return;
    }
    if (threw) call?.reject(arrivedFrom(value, this.peer, call.caller.stack ?? ''));
    else call?.resolve(value);
  }

  #settle(id: number): Call | undefined {
    const call = this.#waiting.get(id);
    if (call) this.forget(call);
    return call;
  }

  /** Tells the peer, in the call's frame which is still here, that the result will be used further. */
  #keepResult(call: Call): void {
    call.kept = true;
    this.#outbox.bytes[call.frame + FLAGS_AT]! &= ~ONCE;
    this.#kept.register(call, call.id);
  }

  #sendRelease(id: number, count: number): void {
    if (this.#failure) return;
    this.#outbox.begin(Kind.release, 0, 0, id);
    this.#outbox.double(count);
    this.#outbox.end();
    this.#flushSoon();
  }

  /** Writes a frame; with a value as its body, or open for one where `output` writes its text. */
  #frame(kind: number, flags: number, id: number, value?: unknown, path = 'value'): void {
    this.#encoding = true;
    try {
      this.#outbox.begin(kind, flags, 0, id);
      if (kind === Kind.hello || kind === Kind.return || kind === Kind.throw) {
        encodeBody(this.#outbox, value, this, path);
      }
      this.#outbox.end();
    } catch (cause) {
      this.#outbox.abandon();
      throw cause;
    } finally {
      this.#encoding = false;
    }
  }

  /**
   * Flushes after all that runs in this turn of microtasks: `await` calls `then` one microtask after the call was
   * made, and the flags must know of it.
   */
  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    queueMicrotask(this.#secondHop);
  }

  readonly #secondHop = (): void => {
    queueMicrotask(this.#flushNow);
  };

  readonly #flushNow = (): void => {
    this.#flushing = false;
    this.flush();
  };

  /** While somebody waits, this process must not end for lack of work. */
  #hold(): void {
    if (this.#holds || !this.#link) return;
    this.#holds = true;
    this.#link.ref();
  }

  #letGo(): void {
    if (!this.#holds || this.#waiting.size > 0) return;
    this.#holds = false;
    this.#link?.unref();
  }
}
