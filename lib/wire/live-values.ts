import type { Buffer } from 'node:buffer';
import type { Call } from './call/call.ts';
import { decodeBody, encodeArguments, encodeBody } from './codec/codec.ts';
import type { DecodeContext, EncodeContext, LiveRecord } from './codec/context.ts';
import { arrivedFrom } from './codec/remote-error.ts';
import { ProtocolError } from './errors.ts';
import { Kind, Operation } from './frame/frame.ts';
import type { Outbox } from './frame/outbox.ts';
import type { Sender } from './frame/sender.ts';
import { type Limits, passed } from './limits.ts';
import { Carrier } from './part/carrier.ts';
import type { ProcessHold } from './process-hold.ts';
import { type Calls, release } from './reference/handle.ts';
import { isMarked, type Releasable, referenceOf } from './reference/reference.ts';
import { References } from './reference/references.ts';
import { Signals } from './signal/signals.ts';
import { isTransformStream, streamKind } from './stream/kind.ts';
import { makeStreams } from './stream/streams.deferred.ts';
import type { Streams } from './stream/streams.ts';

/** What of a message could not be there when it was read, because it comes later. */
export type Pending = Promise<unknown>;

const TOO_LONG = 'The text of a message is longer than a string can be';

/** Whether V8 refused to make a text, which it does long after every bound. */
const tooLong = (cause: unknown): boolean =>
  cause instanceof RangeError && cause.message === 'Invalid string length';

/** A session's values that stay where they are or travel beside the frames: what the codec asks for. */
export class LiveValues implements EncodeContext, DecodeContext {
  readonly references: References;
  readonly signals: Signals;
  readonly carrier: Carrier;
  readonly limits: Limits;
  readonly #calls: Calls;
  readonly #makeStreams: () => Streams;
  #streams: Streams | undefined;
  /** Makes the errors of what comes after the end. */
  #failure: (() => unknown) | undefined;
  /** What the message that is being read waits for: its own parts, and results of calls. */
  #coming: Promise<unknown>[] = [];
  #pending: PromiseLike<unknown>[] = [];

  constructor(
    calls: Calls,
    main: object | undefined,
    sender: Sender,
    limits: Limits,
    sharesMemory: boolean,
    hold: ProcessHold,
  ) {
    this.#calls = calls;
    this.limits = limits;
    const references = () => limits.references;
    this.references = new References(calls, main, (id, count) => sender.release(id, count), references);
    const nextId = () => this.references.exports.nextId();
    this.signals = new Signals(
      {
        nextId,
        abort: (id, reason) => sender.reason(Kind.abort, 0, id, reason, this),
        forget: (id) => sender.forget(id),
      },
      references,
    );
    this.#makeStreams = () => makeStreams({ sender, nextId, live: this, hold, limits });
    this.carrier = new Carrier(sender, limits, sharesMemory);
  }

  /** Made when the first stream crosses, because most sites never see one. */
  get streams(): Streams {
    if (!this.#streams) {
      this.#streams = this.#makeStreams();
      if (this.#failure) this.#streams.end(this.#failure);
    }
    return this.#streams;
  }

  /** How many streams are open, of both sides. */
  get openStreams(): number {
    return this.#streams?.size ?? 0;
  }

  get depth(): number {
    return this.limits.depth;
  }

  /** Writes the body of the frame that was begun, and ends it; throws what the codec throws, and LimitError. */
  write(outbox: Outbox, value: unknown, path: string): void {
    this.carrier.write();
    try {
      encodeBody(outbox, value, this, path);
      this.#end(outbox);
    } catch (cause) {
      throw this.#unsent(cause);
    }
  }

  /** The same for the arguments of a call. */
  writeArguments(outbox: Outbox, args: readonly unknown[]): void {
    this.carrier.write();
    try {
      encodeArguments(outbox, args, this, 'arguments');
      this.#end(outbox);
    } catch (cause) {
      throw this.#unsent(cause);
    }
  }

  /** Reads a body, which may still wait for what `takePending` gives; throws UndecodableError and ProtocolError. */
  read(bytes: Buffer, start: number, end: number): unknown {
    this.carrier.read();
    try {
      return decodeBody(bytes, start, end, this);
    } catch (cause) {
      this.#coming = [];
      this.#pending = [];
      throw cause;
    }
  }

  /** Reads why something ends; what can't be read is a reason too. */
  readReason(bytes: Buffer, start: number, end: number, peer: string): unknown {
    try {
      const reason = this.read(bytes, start, end);
      void this.takePending();
      return arrivedFrom(reason, peer, '');
    } catch (cause) {
      if (cause instanceof ProtocolError) throw cause;
      return cause;
    }
  }

  exportValue(given: object): LiveRecord {
    const value = this.#atHome(given);
    const result = this.#result(value);
    if (result) return result;
    if (typeof value === 'function' || isMarked(value)) return this.references.give(value);
    if (isTransformStream(value)) {
      const { readable, writable } = value;
      return { kind: 'transform', id: 0, home: false, value: { readable, writable } };
    }
    if (value instanceof AbortSignal) {
      return value.aborted
        ? { kind: 'aborted', id: 0, home: false, value: value.reason }
        : { kind: 'signal', ...this.signals.give(value) };
    }
    return streamKind(value) ? this.streams.exportValue(value) : this.references.give(value);
  }

  importValue({ kind, id, home, value }: LiveRecord): unknown {
    switch (kind) {
      case 'reference':
        return this.references.take(id, home);
      case 'result':
        return this.#quiet(
          home ? this.references.exports.get(id) : this.#fetch(this.references.take(id, false) as object),
        );
      case 'aborted':
        return AbortSignal.abort(value);
      case 'transform':
        return value;
      case 'signal':
        return this.signals.take(id, home);
      case 'iterable':
      case 'readable':
      case 'writable':
        return this.streams.importValue(kind, id);
      default:
        throw new RangeError(`There is no kind of live value "${kind}".`);
    }
  }

  withdraw({ kind, id, home }: LiveRecord): void {
    if (home) return;
    if (kind === 'reference' || kind === 'result') this.references.withdraw(id);
    else if (kind === 'iterable' || kind === 'readable' || kind === 'writable') this.streams.withdraw(id);
  }

  carry(bytes: Uint8Array, moves: boolean): number | undefined {
    return this.carrier.carry(bytes, moves);
  }

  share(memory: SharedArrayBuffer): number | undefined {
    return this.carrier.share(memory);
  }

  carried(number: number, size: number): ArrayBuffer {
    const { messageSize } = this.limits;
    const { memory, whole } = this.carrier.carried(number, size);
    const { bytes } = this.carrier;
    if (bytes > messageSize) {
      throw passed('messageSize', messageSize, `${bytes} bytes were announced beside a message`);
    }
    if (whole) this.#coming.push(whole);
    return memory;
  }

  shared(number: number): SharedArrayBuffer {
    return this.carrier.shared(number);
  }

  later(promise: PromiseLike<unknown>, put: (value: unknown) => void): void {
    this.#pending.push(this.#quiet(promise.then(put)));
  }

  /** The parts that the message still waits for, `undefined` if all have come; to be asked before `takePending`. */
  takeComing(): Pending | undefined {
    if (this.#coming.length === 0) return undefined;
    const coming = Promise.all(this.#coming);
    coming.catch(() => {});
    return coming;
  }

  /** What the message that was just read still waits for, its parts too; `undefined` if it is whole. */
  takePending(): Pending | undefined {
    if (this.#pending.length + this.#coming.length === 0) return undefined;
    const pending = Promise.all([...this.#coming, ...this.#pending]);
    this.#coming = [];
    this.#pending = [];
    // If nobody waits for the message, nobody misses its parts.
    pending.catch(() => {});
    return pending;
  }

  /** The peer is gone; `failure` makes the errors of what waits for it. */
  end(failure: () => unknown): void {
    this.carrier.end();
    this.#failure = failure;
    this.#streams?.end(failure);
    this.signals.end(failure());
    this.references.clear();
  }

  /** What a proxy that outlives its site stands for, if that is with the peer; everything else is itself. */
  #atHome(value: object): object {
    const current = referenceOf(value)?.current?.();
    return current && referenceOf(current)?.calls === this.#calls ? current : value;
  }

  /** A promise that a peer has put somewhere, perhaps where nobody looks: its failure must not end the process. */
  #quiet<T>(value: T): T {
    if (value instanceof Promise) value.catch(() => {});
    return value;
  }

  /** The value of a promise that the peer holds. */
  #fetch(promise: object): Promise<unknown> {
    const { id } = referenceOf(promise)!;
    const call = this.#calls.call(id!, [], Operation.get, [], undefined);
    return this.#calls.pull(call).finally(() => release(promise as Releasable));
  }

  /** Takes back what was begun with a message that can't be sent; gives the error to throw. */
  #unsent(cause: unknown): unknown {
    this.carrier.withdraw();
    return tooLong(cause) ? passed('frameSize', this.limits.frameSize, TOO_LONG) : cause;
  }

  #end(outbox: Outbox): void {
    const { frameSize, messageSize } = this.limits;
    const frame = outbox.frameSize;
    if (frame > frameSize) throw passed('frameSize', frameSize, `The text of a message has ${frame} bytes`);
    const whole = frame + this.carrier.bytes;
    if (whole > messageSize) throw passed('messageSize', messageSize, `A message has ${whole} bytes`);
    this.carrier.commit();
    outbox.end();
  }

  /** The result of a call that was not awaited: its value will be there before what it is sent to begins. */
  #result(value: object): LiveRecord | undefined {
    const reference = referenceOf(value);
    if (!reference?.call) return undefined;
    const call = reference.call as Call;
    if (reference.calls === this.#calls && reference.path.length === 0 && this.#calls.keep(call)) {
      return { kind: 'result', id: call.number, home: true };
    }
    const promise = Promise.resolve(value);
    // The error is told to whoever gets it.
    promise.catch(() => {});
    return { kind: 'result', id: this.references.exports.introduce(promise), home: false };
  }
}
