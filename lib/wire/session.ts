import type { Buffer } from 'node:buffer';
import { awaitSync } from './call/await-sync.ts';
import { Call } from './call/call.ts';
import { Callee } from './call/callee.ts';
import { decodeBody, encodeBody } from './codec/codec.ts';
import { arrivedFrom } from './codec/remote-error.ts';
import { ProtocolError, TimeoutError, UnserializableError } from './errors.ts';
import { FLAGS_AT, HEADER, Kind, ONCE, Operation, PULLED } from './frame/frame.ts';
import { Inbox } from './frame/inbox.ts';
import { Sender } from './frame/sender.ts';
import type { Link, LinkReceiver } from './link/link.ts';
import { ProcessHold } from './process-hold.ts';
import { type Caller, proxyOf, proxyOfCall } from './reference/proxy.ts';
import { References } from './reference/references.ts';
import type { FailureOf, SessionEvents } from './session-events.ts';

/**
 * What both ends speak over a link: calls, references, output and liveness. It can be used before it has a link:
 * what is sent until then waits in the outbox.
 */
export class Session implements LinkReceiver, Caller {
  /** The peer's name in errors. */
  readonly peer: string;
  readonly #events: SessionEvents;
  readonly #sender = new Sender(() => this.#beforeLeaving());
  readonly #references: References;
  readonly #callee: Callee;
  readonly #inbox = new Inbox((bytes, at, end) => this.#onFrame(bytes, at, end));
  /** Results that were kept over there for pipelining are given back when nobody here can use them any more. */
  readonly #kept = new FinalizationRegistry<number>((id) => this.#sender.release(id, 1));
  /** Calls and pings that wait for an answer. */
  readonly #waiting = new Map<number, Call>();
  /** Calls of this turn, whose flags are final only when it ends. */
  readonly #fresh: Call[] = [];
  #lastId = 0;
  #link: Link | undefined;
  #failure: FailureOf | undefined;
  readonly #hold = new ProcessHold();

  /** `main` is what the peer reaches under id 0; `peer` its name in errors; `activity[0]` counts its calls that run. */
  constructor(
    peer: string,
    main: object | undefined,
    events: SessionEvents,
    activity: Int32Array<ArrayBufferLike> = new Int32Array(1),
  ) {
    this.peer = peer;
    this.#references = new References(this, main, (id, count) => this.#sender.release(id, count));
    this.#callee = new Callee(this.#references, this.#sender, activity);
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
    return this.#references.sizes;
  }

  /** Gives the session its link, over which it sends what has gathered. */
  attach(link: Link): void {
    if (this.#failure) {
      link.destroy();
      return;
    }
    this.#link = link;
    this.#sender.attach(link);
    link.open(this);
    this.#hold.attach(link);
    if (this.#waiting.size > 0) this.#hold.hold();
    this.#sender.flush();
  }

  /** Introduces this side; the first frame. `value` is plain data. */
  greet(value: unknown): void {
    this.#sender.value(Kind.hello, 0, value, this.#references, 'greeting');
    this.#sender.flush();
  }

  call(target: number, path: readonly string[], operation: Operation, args: unknown[]): Call {
    const { outbox } = this.#sender;
    const call = new Call(++this.#lastId, outbox.length);
    if (this.#failure) {
      call.reject(this.#failure(false));
      return call;
    }
    if (this.#sender.writing) {
      call.reject(
        new UnserializableError('A getter called another site while its object was being sent.', 'arguments'),
      );
      return call;
    }
    this.#sender.begin();
    try {
      outbox.begin(Kind.call, operation | ONCE, path.length, call.id);
      outbox.double(target);
      for (const segment of path) outbox.segment(segment);
      if (operation !== Operation.get) encodeBody(outbox, args, this.#references, 'arguments');
      outbox.end();
      this.#fresh.push(call);
      this.#sender.flushSoon();
    } catch (cause) {
      outbox.abandon();
      call.reject(cause);
    } finally {
      this.#sender.done();
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
    this.#wait(call);
    if (call.frame >= 0) {
      this.#sender.outbox.bytes[call.frame + FLAGS_AT]! |= PULLED;
    } else {
      this.#sender.bare(Kind.pull, call.id);
      this.#sender.flushSoon();
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

  /**
   * Calls the peer's main object and blocks this thread until the answer is there; see `awaitSync`. Throws what the
   * call throws, or TimeoutError after `timeout` milliseconds.
   */
  callSync(path: readonly string[], args: unknown[], timeout: number): unknown {
    const call = this.call(0, path, Operation.apply, args);
    // It can't even be sent.
    if (call.settled) throw call.failure;
    // Whoever looks at the promise is this.
    this.pull(call).catch(() => {});
    this.#sender.flush();
    const decode = (bytes: Buffer, body: number, end: number) =>
      decodeBody(bytes, body, end, this.#references);
    const over = () => this.#failure !== undefined;
    try {
      const answer = awaitSync({ inbox: this.#inbox, link: this.#link, id: call.id, decode, over }, timeout);
      if (answer?.threw) throw arrivedFrom(answer.value, this.peer, call.caller.stack ?? '');
      if (answer) return answer.value;
      if (this.#failure) throw this.#failure(true);
      throw new TimeoutError(`${this.peer} did not answer ${path.join('.')} within ${timeout} ms.`, timeout);
    } finally {
      this.forget(call);
    }
  }

  /** Resolves once the peer's loop has answered; rejects as a call does. */
  ping(): PromiseLike<unknown> {
    const call = new Call(++this.#lastId, -1);
    if (this.#failure) {
      call.reject(this.#failure(false));
    } else {
      this.#wait(call);
      this.#sender.bare(Kind.ping, call.id);
      this.#sender.flush();
    }
    return proxyOfCall(this, call) as PromiseLike<unknown>;
  }

  /** Forgets a call or ping: its answer, if one comes, is dropped. */
  forget(call: Call): void {
    this.#waiting.delete(call.id);
    if (this.#waiting.size === 0) this.#hold.letGo();
  }

  /** Sends what user code printed. */
  output(descriptor: number, text: string): void {
    this.#sender.output(descriptor, text);
  }

  /** Asks the peer to shut down in order. */
  sendClose(): void {
    this.#sender.bare(Kind.close, 0);
    this.#sender.flush();
  }

  /** Ends the session: every call that waits, and every later one, rejects with what `failure` makes. */
  end(failure: FailureOf): void {
    if (this.#failure) return;
    this.#failure = failure;
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    this.#references.clear();
    this.#sender.end();
    this.#fresh.length = 0;
    this.#hold.letGo();
    for (const call of waiting) call.reject(failure(call.frame < 0));
  }

  receive(bytes: Buffer, start: number, end: number): void {
    try {
      this.#inbox.receive(bytes, start, end);
    } catch (cause) {
      this.#link?.destroy(cause as Error);
    }
  }

  disconnected(cause?: Error): void {
    this.#events.disconnected?.(cause);
  }

  #onFrame(bytes: Buffer, at: number, end: number): void {
    // After its end a session still passes on what the peer prints while it ends.
    if (this.#failure && bytes[at + 4] !== Kind.output) return;
    const id = bytes.readDoubleLE(at + HEADER);
    const body = at + HEADER + 8;
    switch (bytes[at + 4]) {
      case Kind.call:
        return this.#callee.onCall(bytes, at, id, end);
      case Kind.return:
        return this.#onAnswer(bytes, id, body, end, false);
      case Kind.throw:
        return this.#onAnswer(bytes, id, body, end, true);
      case Kind.pull:
        return this.#callee.onPull(id);
      case Kind.release:
        return this.#references.exports.release(id, bytes.readDoubleLE(body));
      case Kind.ping:
        this.#sender.bare(Kind.pong, id);
        return this.#sender.flush();
      case Kind.pong:
        return this.#settle(id)?.resolve(undefined);
      case Kind.output:
        return this.#events.output?.(bytes[at + FLAGS_AT]!, bytes.toString('utf8', body, end));
      case Kind.close:
        return this.#events.close?.();
      case Kind.hello:
        return this.#events.hello?.(decodeBody(bytes, body, end, this.#references));
      default:
        throw new ProtocolError(`A frame of the unknown kind ${bytes[at + 4]} arrived.`);
    }
  }

  #onAnswer(bytes: Buffer, id: number, body: number, end: number, threw: boolean): void {
    const call = this.#settle(id);
    // If nobody waits any more, what the answer introduces is imported all the same, so that it is given back.
    let value: unknown;
    try {
      value = decodeBody(bytes, body, end, this.#references);
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

  #wait(call: Call): void {
    call.pulled = true;
    this.#waiting.set(call.id, call);
    this.#hold.hold();
  }

  /** Tells the peer, in the call's frame which is still here, that the result will be used further. */
  #keepResult(call: Call): void {
    call.kept = true;
    this.#sender.outbox.bytes[call.frame + FLAGS_AT]! &= ~ONCE;
    this.#kept.register(call, call.id);
  }

  /** The frames of this turn leave: what nobody has asked for by now may still be used later. */
  #beforeLeaving(): void {
    for (const call of this.#fresh) {
      if (!call.pulled && !call.kept) this.#keepResult(call);
      call.frame = -1;
    }
    this.#fresh.length = 0;
    if (this.#waiting.size > 0) this.#link?.expect();
  }
}
