import type { Buffer } from 'node:buffer';
import type { Call } from './call/call.ts';
import { decodeBody, encodeBody } from './codec/codec.ts';
import type { DecodeContext, EncodeContext, LiveRecord } from './codec/context.ts';
import { arrivedFrom } from './codec/remote-error.ts';
import { ProtocolError, UndecodableError } from './errors.ts';
import { Kind, Operation } from './frame/frame.ts';
import type { Outbox } from './frame/outbox.ts';
import type { Sender } from './frame/sender.ts';
import { type Limits, passed } from './limits.ts';
import { Incoming } from './part/incoming.ts';
import { Outgoing, SNAPSHOT } from './part/outgoing.ts';
import type { ProcessHold } from './process-hold.ts';
import { type Calls, release } from './reference/handle.ts';
import { isMarked, referenceOf } from './reference/reference.ts';
import { References } from './reference/references.ts';
import { Signals } from './signal/signals.ts';
import { streamPort } from './stream/frames.ts';
import { isTransformStream, streamKind } from './stream/kind.ts';
import { Streams } from './stream/streams.ts';

/** From here on bytes go beside the ring, where they are moved and not copied again. */
const BESIDE_FROM = 64 * 1024;
/** From here on they go in parts over links that carry nothing but bytes. */
const PARTS_FROM = 256 * 1024;

/** What of a message could not be there when it was read, because it comes later. */
export type Pending = Promise<unknown>;

/** A session's values that stay where they are or travel beside the frames: what the codec asks for. */
export class LiveValues implements EncodeContext, DecodeContext {
  readonly references: References;
  readonly signals: Signals;
  readonly streams: Streams;
  readonly incoming: Incoming;
  readonly outgoing: Outgoing;
  readonly limits: Limits;
  readonly #calls: Calls;
  readonly #sender: Sender;
  /** Whether the link carries what is not bytes. */
  readonly #sharesMemory: boolean;
  /** What lies beside the frames that are being read. */
  beside: readonly unknown[] | undefined;
  /** What is written outside of the frame now, for the bound of a message. */
  #carried = 0;
  /** Parts of the message that is being written, in case it is never sent. */
  #begun: number[] = [];
  /** Numbers of what of the message that was read last comes in parts. */
  #parts: number[] = [];
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
    this.#sender = sender;
    this.limits = limits;
    this.#sharesMemory = sharesMemory;
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
    this.streams = new Streams(streamPort(sender, nextId, this, hold), limits);
    this.outgoing = new Outgoing(sender);
    this.incoming = new Incoming();
  }

  get depth(): number {
    return this.limits.depth;
  }

  /** Bytes outside of the frame of the message that was written or read last. */
  get carriedBytes(): number {
    return this.#carried;
  }

  /** Whether parts of the message that was read last are still to come. */
  get incomplete(): boolean {
    return this.#parts.some((id) => this.incoming.awaits(id));
  }

  /** Writes the body of the frame that was begun, and ends it; throws what the codec throws, and LimitError. */
  write(outbox: Outbox, value: unknown, path: string): void {
    this.#carried = 0;
    if (this.#begun.length > 0) this.#begun = [];
    try {
      encodeBody(outbox, value, this, path);
      this.#check(outbox.frameSize);
      outbox.end();
    } catch (cause) {
      for (const id of this.#begun) this.outgoing.cut(id);
      throw cause;
    }
  }

  /** Reads a body, which may still wait for what `takePending` gives; throws UndecodableError and ProtocolError. */
  read(bytes: Buffer, start: number, end: number): unknown {
    this.#carried = 0;
    if (this.#parts.length > 0) this.#parts = [];
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

  exportValue(value: object): LiveRecord {
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
        return home
          ? this.references.exports.get(id)
          : this.#fetch(this.references.take(id, false) as object);
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
    const size = bytes.byteLength;
    const whole = moves && size === bytes.buffer.byteLength;
    if (this.#sharesMemory && (whole || (size >= BESIDE_FROM && size <= SNAPSHOT))) {
      this.#carried += size;
      return this.#sender.outbox.move(
        whole ? (bytes.buffer as ArrayBuffer) : (bytes.slice().buffer as ArrayBuffer),
      );
    }
    if (size < PARTS_FROM) return undefined;
    this.#carried += size;
    const id = this.outgoing.send(!moves && size <= SNAPSHOT ? bytes.slice() : bytes);
    this.#begun.push(id);
    return id;
  }

  share(memory: SharedArrayBuffer): number | undefined {
    return this.#sharesMemory ? this.#sender.outbox.share(memory) : undefined;
  }

  carried(number: number, size: number): ArrayBuffer {
    this.#carried += size;
    const { messageSize } = this.limits;
    if (this.#carried > messageSize) {
      throw passed('messageSize', messageSize, `${this.#carried} bytes were announced beside a message`);
    }
    if (number < 0) {
      const { memory, whole } = this.incoming.expect(number, size);
      this.#coming.push(whole);
      this.#parts.push(number);
      return memory;
    }
    const memory = this.beside?.[number];
    if (!(memory instanceof ArrayBuffer) || memory.byteLength !== size) {
      throw new RangeError(`There is no memory of ${size} bytes under ${number} beside the message.`);
    }
    return memory;
  }

  shared(number: number): SharedArrayBuffer {
    const memory = this.beside?.[number];
    if (!(memory instanceof SharedArrayBuffer))
      throw new RangeError(`No memory is shared under ${number} beside the message.`);
    return memory;
  }

  later(promise: PromiseLike<unknown>, put: (value: unknown) => void): void {
    this.#pending.push(promise.then(put));
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
    this.outgoing.end();
    this.incoming.end(new UndecodableError('The link ended before all parts of a message had come.'));
    this.streams.end(failure);
    this.signals.end(failure());
    this.references.clear();
  }

  /** The value of a promise that the peer holds. */
  #fetch(promise: object): Promise<unknown> {
    const { id } = referenceOf(promise)!;
    const call = this.#calls.call(id!, [], Operation.get, [], undefined);
    return this.#calls.pull(call).finally(() => release(promise));
  }

  #check(frame: number): void {
    const { frameSize, messageSize } = this.limits;
    if (frame > frameSize) throw passed('frameSize', frameSize, `The text of a message has ${frame} bytes`);
    const whole = frame + this.#carried;
    if (whole > messageSize) throw passed('messageSize', messageSize, `A message has ${whole} bytes`);
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
