import type { Buffer } from 'node:buffer';
import { awaitSync } from './call/await-sync.ts';
import { Callee } from './call/callee.ts';
import { Caller } from './call/caller.ts';
import { arrivedFrom } from './codec/remote-error.ts';
import { ProtocolError, TimeoutError } from './errors.ts';
import { FLAGS_AT, FORGET, HEADER, Kind, Operation } from './frame/frame.ts';
import { Inbox } from './frame/inbox.ts';
import { doubleAt } from './frame/numbers.ts';
import { Sender } from './frame/sender.ts';
import { checkLimits, DEFAULT_LIMITS, type Limits } from './limits.ts';
import type { Beside, Link, LinkReceiver } from './link/link.ts';
import { LiveValues } from './live-values.ts';
import { ProcessHold } from './process-hold.ts';
import { proxied, proxyOf } from './reference/handle.ts';
import type { FailureOf, SessionEvents } from './session-events.ts';
import type { StreamFrames } from './stream/frames.ts';
import { makeStreamFrames } from './stream/streams.deferred.ts';

/** What a session is made with beside its name, its main object and its events; everything has a default. */
export interface SessionOptions {
  /** Its first word counts the peer's calls that run; another thread may look at it. */
  activity?: Int32Array<ArrayBufferLike>;
  /** What the peer may take of this process. @default DEFAULT_LIMITS */
  limits?: Partial<Limits> | undefined;
  /** Whether the peer will be a thread of this process. @default false */
  sharesMemory?: boolean;
}

/**
 * What both ends speak over a link: calls, references, streams, output and liveness. It can be used before it has a link:
 * what is sent until then waits in the outbox.
 */
export class Session implements LinkReceiver {
  /** The peer's name in errors. */
  readonly peer: string;
  readonly #events: SessionEvents;
  readonly #hold = new ProcessHold();
  readonly #sender = new Sender(() => this.#beforeLeaving());
  readonly #live: LiveValues;
  readonly #caller: Caller;
  readonly #callee: Callee;
  #streams: StreamFrames | undefined;
  readonly #inbox = new Inbox((bytes, at, end, beside) => this.#onFrame(bytes, at, end, beside));
  readonly #limits: Limits;
  #link: Link | undefined;
  #failure: FailureOf | undefined;
  #greeted = false;

  /** `main` is what the peer reaches under id 0; `peer` its name in errors. */
  constructor(
    peer: string,
    main: object | undefined,
    events: SessionEvents,
    { activity = new Int32Array(1), limits, sharesMemory = false }: SessionOptions = {},
  ) {
    this.peer = peer;
    this.#events = events;
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
    const sender = this.#sender;
    this.#caller = new Caller({
      peer,
      sender,
      live: () => this.#live,
      waits: (more) => this.#hold.waits(more),
    });
    this.#live = new LiveValues(this.#caller, main, sender, this.#limits, sharesMemory, this.#hold);
    this.#callee = new Callee(this.#live, sender, activity);
  }

  /** The peer's main object. */
  get main(): object {
    return proxyOf(this.#caller, 0);
  }

  /** How many calls wait for an answer. */
  get inFlight(): number {
    return this.#caller.inFlight;
  }

  /** For how long some call has waited for an answer, in milliseconds; 0 if none does. */
  get busyFor(): number {
    return this.#caller.busyFor;
  }

  /** How many values each side holds of the other: references, signals and streams. */
  get references(): { exports: number; imports: number; streams: number } {
    const { references, signals, openStreams } = this.#live;
    return {
      exports: references.sizes.exports + signals.sizes.exports,
      imports: references.sizes.imports + signals.sizes.imports,
      streams: openStreams,
    };
  }

  /** Whether a value is a proxy of something that this session reaches. */
  reaches(calls: object): boolean {
    return calls === this.#caller;
  }

  /** Sets bounds that were not known when the session was made; throws ProtocolError for what can be none. */
  limit(limits: Partial<Limits>): void {
    checkLimits(limits);
    Object.assign(this.#limits, limits);
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
    this.#sender.flush();
  }

  /** Introduces this side; the first frame. `value` is plain data. */
  greet(value: unknown): void {
    this.#sender.value(Kind.hello, 0, 0, value, this.#live, 'greeting');
    this.#sender.flush();
  }

  /**
   * Calls the peer's main object and blocks this thread until the answer is there; see `awaitSync`. Throws what the
   * call throws, or TimeoutError after `timeout` milliseconds.
   */
  callSync(path: readonly string[], args: unknown[], timeout: number): unknown {
    const call = this.#caller.call(0, path, Operation.apply, args, undefined);
    // It can't even be sent.
    if (call.settled) throw call.failure;
    // Whoever looks at the promise is this.
    this.#caller.pull(call).catch(() => {});
    this.#sender.flush();
    this.#live.carrier.sendAll();
    const decode = (bytes: Buffer, body: number, end: number, beside: Beside['values'] | undefined) => {
      this.#live.carrier.beside = beside;
      const value = this.#live.read(bytes, body, end);
      // Its parts are waited for here; what is read next does not wait for them again.
      void this.#live.takePending();
      return value;
    };
    try {
      const answer = awaitSync(
        {
          inbox: this.#inbox,
          link: this.#link,
          id: call.number,
          decode,
          onPart: (bytes, at, end) => this.#live.carrier.onPart(bytes, at, end),
          incomplete: () => this.#live.carrier.incomplete,
          over: () => this.#failure !== undefined,
        },
        timeout,
      );
      if (answer?.threw)
        throw arrivedFrom(answer.value, this.peer, new Error().stack?.replace(/^.*/, '') ?? '');
      if (answer) return answer.value;
      if (this.#failure) throw this.#failure(true);
      throw new TimeoutError(`${this.peer} did not answer ${path.join('.')} within ${timeout} ms.`, timeout);
    } finally {
      this.#caller.forget(call);
    }
  }

  /** Resolves once the peer's loop has answered; rejects as a call does. */
  ping(): PromiseLike<unknown> {
    return proxied(this.#caller.ping()) as unknown as PromiseLike<unknown>;
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
    this.#sender.end();
    this.#caller.end(failure);
    this.#live.end(() => failure(true));
    this.#callee.end(failure(true));
  }

  receive(bytes: Buffer, start: number, end: number, beside?: Beside['values']): void {
    try {
      this.#inbox.receive(bytes, start, end, beside);
    } catch (cause) {
      this.#link?.destroy(cause as Error);
    }
  }

  disconnected(cause?: Error): void {
    this.#events.disconnected?.(cause);
  }

  #onFrame(bytes: Buffer, at: number, end: number, beside: Beside['values'] | undefined): void {
    // After its end a session still passes on what the peer prints while it ends.
    if (this.#failure && bytes[at + 4] !== Kind.output) return;
    this.#live.carrier.beside = beside;
    const id = bytes.readDoubleLE(at + HEADER);
    const body = at + HEADER + 8;
    const flags = bytes[at + FLAGS_AT]!;
    switch (bytes[at + 4]) {
      case Kind.call:
        return this.#callee.onCall(bytes, at, id, end);
      case Kind.return:
        return this.#caller.onAnswer(bytes, id, body, end, false);
      case Kind.throw:
        return this.#caller.onAnswer(bytes, id, body, end, true);
      case Kind.pull:
        return this.#callee.onPull(id);
      case Kind.cancel:
        return this.#callee.onCancel(id, this.#reason(bytes, body, end));
      case Kind.release:
        return this.#live.references.exports.release(id, doubleAt(bytes, body, end));
      case Kind.part:
        return this.#live.carrier.onPart(bytes, at, end);
      case Kind.chunk:
      case Kind.end:
      case Kind.fail:
      case Kind.credit:
      case Kind.stop:
        this.#streams ??= makeStreamFrames(this.#live, this.peer, (cause) => this.#link?.destroy(cause));
        return this.#streams.receive(bytes, at, id, end);
      case Kind.abort:
        if (flags & FORGET) return this.#live.signals.onForget(id);
        return this.#live.signals.onAbort(id, this.#reason(bytes, body, end));
      case Kind.ping:
        this.#sender.bare(Kind.pong, id);
        return this.#sender.flush();
      case Kind.pong:
        return this.#caller.onPong(id);
      case Kind.output:
        return this.#events.output?.(flags, bytes.toString('utf8', body, end));
      case Kind.close:
        return this.#events.close?.();
      case Kind.hello:
        return this.#onHello(bytes, body, end);
      default:
        throw new ProtocolError(`A frame of the unknown kind ${bytes[at + 4]} arrived.`);
    }
  }

  #onHello(bytes: Buffer, body: number, end: number): void {
    if (this.#greeted) throw new ProtocolError('The peer greeted twice.');
    this.#greeted = true;
    const greeting = this.#live.read(bytes, body, end);
    // A greeting is plain; what it would wait for must not hold up what comes behind it.
    void this.#live.takePending();
    this.#events.hello?.(greeting);
  }

  /** What was given as a reason; one that can't be read is still one. */
  #reason(bytes: Buffer, body: number, end: number): unknown {
    return this.#live.readReason(bytes, body, end, this.peer);
  }

  /** The frames of this turn leave. */
  #beforeLeaving(): void {
    this.#caller.beforeLeaving();
    if (this.#caller.inFlight > 0) this.#link?.expect();
  }
}
