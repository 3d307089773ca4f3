import type { Buffer } from 'node:buffer';
import { arrivedFrom } from '../codec/remote-error.ts';
import { ProtocolError, ReleasedError } from '../errors.ts';
import { CANCELLABLE, FLAGS_AT, Kind, ONCE, Operation, PULLED, VOID } from '../frame/frame.ts';
import { passed } from '../limits.ts';
import { now } from '../link/clock.ts';
import type { Calls } from '../reference/handle.ts';
import type { Reference } from '../reference/reference.ts';
import type { FailureOf } from '../session-events.ts';
import { boundCall } from './bound.ts';
import { Call } from './call.ts';
import { CallTable } from './call-table.ts';
import type { CallerPort } from './caller-port.ts';
import { EndWatchers } from './end-watchers.ts';
import type { CallOptions } from './options.ts';

/** The side of a session that makes calls and gets their answers. */
export class Caller implements Calls {
  readonly #port: CallerPort;
  /** Results that were kept over there for pipelining are given back when nobody here can use them any more. */
  readonly #kept = new FinalizationRegistry<number>((id) => this.#giveBack(id));
  #keptCount = 0;
  /** Calls and pings that wait for an answer. */
  readonly #waiting = new CallTable();
  /** Calls of this turn, whose flags are final only when it ends. */
  readonly #fresh: Call[] = [];
  #last = 0;
  #busySince = 0;
  #failure: FailureOf | undefined;
  readonly #watchers = new EndWatchers();

  constructor(port: CallerPort) {
    this.#port = port;
  }

  /** How many calls wait for an answer. */
  get inFlight(): number {
    return this.#waiting.size;
  }

  /** For how long some call has waited for an answer, in milliseconds; 0 if none does. */
  get busyFor(): number {
    return this.#waiting.size === 0 ? 0 : now() - this.#busySince;
  }

  call(
    target: number,
    path: readonly string[],
    operation: Operation,
    args: unknown[],
    options: CallOptions | undefined,
  ): Call {
    const { sender, peer } = this.#port;
    const { outbox } = sender;
    const call = new Call(this, ++this.#last, outbox.length, options);
    if (this.#failure) {
      call.reject(this.#failure(false));
      return call;
    }
    try {
      sender.refuseWithin();
      this.#refuse(target, path);
      this.#write(call, target, path, operation, args);
      // Before it leaves, because only then its frame can still say that it may be given up.
      if (options) boundCall(this, call, `${path.join('.') || 'A call'} in ${peer}`, options);
      if (sender.hurries) this.#leaveNow();
      else sender.flushSoon();
    } catch (cause) {
      call.reject(cause);
    }
    return call;
  }

  pull(call: Call): Promise<unknown> {
    const { result } = call;
    if (call.pulled || call.settled) return result;
    if (call.released) {
      call.reject(
        new ReleasedError(
          `The result of a call to ${this.#port.peer} was awaited after it had been released.`,
        ),
      );
      return result;
    }
    if (this.#failure) {
      // The session ended between the call and the first look at its result.
      call.reject(this.#failure(call.frame < 0));
      return result;
    }
    const { sender } = this.#port;
    this.#wait(call);
    if (call.frame >= 0) {
      sender.outbox.bytes[call.frame + FLAGS_AT]! |= PULLED;
    } else {
      sender.bare(Kind.pull, call.number);
      sender.flushSoon();
    }
    return result;
  }

  keep(call: Call): boolean {
    if (call.kept) return true;
    // Once it has left with the word that nothing will follow, the peer forgets it with the answer.
    if (call.frame < 0 || call.settled || call.released) return false;
    this.#keepResult(call);
    return true;
  }

  /** Tells the peer, in the call's frame which is still here, that it may be given up. */
  allowCancel(call: Call): void {
    if (call.frame < 0) return;
    call.markCancellable();
    this.#port.sender.outbox.bytes[call.frame + FLAGS_AT]! |= CANCELLABLE;
  }

  /** Gives a call up; once it is settled that does nothing. */
  cancel(call: Call, cause: unknown): void {
    if (call.settled) return;
    this.forget(call);
    const { sender } = this.#port;
    if (call.frame >= 0) sender.outbox.bytes[call.frame + FLAGS_AT]! |= VOID;
    else if (call.cancellable) sender.reason(Kind.cancel, 0, call.number, cause, this.#port.live());
    call.reject(cause);
  }

  release(reference: Reference): void {
    const { references } = this.#port.live();
    const call = reference.call as Call | undefined;
    if (call) {
      if (!call.kept) return;
      call.markReleased();
      this.#kept.unregister(call);
      // Behind the calls of this turn that use it.
      this.#giveBack(call.number);
    } else if (reference.id !== undefined) references.imports.drop(reference.id);
  }

  /** A call that is answered by the peer's loop itself. */
  ping(): Call {
    const call = new Call(this, ++this.#last, -1);
    if (this.#failure) {
      call.reject(this.#failure(false));
    } else {
      this.#wait(call);
      this.#port.sender.bare(Kind.ping, call.number);
      this.#port.sender.flush();
    }
    return call;
  }

  /** Forgets a call or ping: its answer, if one comes, is dropped. */
  forget(call: Call): void {
    if (this.#waiting.take(call.number)) this.#port.waits(-1);
  }

  onPong(id: number): void {
    this.#settle(id)?.resolve(undefined);
  }

  /** Settles the call whose answer lies in `bytes`; throws ProtocolError. */
  onAnswer(bytes: Buffer, id: number, body: number, end: number, threw: boolean): void {
    const live = this.#port.live();
    const call = this.#settle(id);
    // If nobody waits any more, what the answer introduces is imported all the same, so that it is given back.
    let value: unknown;
    try {
      value = live.read(bytes, body, end);
    } catch (cause) {
      // The link ends with this, and the call with the link.
      if (cause instanceof ProtocolError && call) this.#wait(call);
      if (cause instanceof ProtocolError) throw cause;
      call?.reject(cause);
      return;
    }
    const pending = live.takePending();
    if (!call) return;
    if (!pending) return this.#answered(call, value, threw);
    // Its parts still come; until then it can fail with the link.
    this.#wait(call);
    pending.then(
      () => this.#settle(id) && this.#answered(call, value, threw),
      (cause) => this.#settle(id)?.reject(cause),
    );
  }

  /** The frames of this turn leave: what nobody has asked for by now may still be used later. */
  beforeLeaving(): void {
    for (const call of this.#fresh) {
      if (!call.pulled && !call.kept && !call.settled) this.#keepOrForget(call);
      call.frame = -1;
    }
    // One call in a turn is what most callers make, and to set a length takes longer.
    if (this.#fresh.length === 1) this.#fresh.pop();
    else this.#fresh.length = 0;
  }

  /** Every call that waits, and every later one, rejects with what `failure` makes. */
  end(failure: FailureOf): void {
    this.#failure = failure;
    const waiting = this.#waiting.takeAll();
    this.#fresh.length = 0;
    this.#port.waits(-waiting.length);
    for (const call of waiting) {
      const mayHaveRun = call.frame < 0;
      call.rejectAsCaller(() => failure(mayHaveRun));
    }
    this.#watchers.tell(() => failure(true));
  }

  whenEnded(watcher: (cause: unknown) => void): () => void {
    return this.#watchers.add(watcher);
  }

  #answered(call: Call, value: unknown, threw: boolean): void {
    if (threw) call.rejectAsCaller((caller) => arrivedFrom(value, this.#port.peer, caller));
    else call.resolve(value);
  }

  /** Throws for a call that can't be made now. */
  #refuse(target: number, path: readonly string[]): void {
    const { limits, references } = this.#port.live();
    if (this.#waiting.size >= limits.calls) {
      throw passed('calls', limits.calls, `${this.#waiting.size} calls wait for ${this.#port.peer} already`);
    }
    if (target < 0 && !references.imports.holds(target)) {
      throw new ReleasedError(
        `${path.join('.') || 'A reference'} in ${this.#port.peer} was called after it had been released; get the reference anew.`,
      );
    }
  }

  #write(call: Call, target: number, path: readonly string[], operation: Operation, args: unknown[]): void {
    const { sender } = this.#port;
    const { outbox } = sender;
    sender.begin();
    try {
      outbox.begin(Kind.call, operation | ONCE, path.length, call.number);
      outbox.double(target);
      for (const segment of path) outbox.segment(segment);
      if (operation === Operation.get) outbox.end();
      else this.#port.live().writeArguments(outbox, args);
      this.#fresh.push(call);
    } catch (cause) {
      outbox.abandon();
      throw cause;
    } finally {
      sender.done();
    }
  }

  /**
   * So many calls were made in this turn that the peer had better begin. Nobody can know yet which of them will be
   * awaited: all are taken to be, and none to be used further.
   */
  #leaveNow(): void {
    for (const call of this.#fresh) {
      if (call.pulled || call.kept || call.settled) continue;
      this.#wait(call);
      this.#port.sender.outbox.bytes[call.frame + FLAGS_AT]! |= PULLED;
    }
    this.#port.sender.flush();
  }

  #settle(id: number): Call | undefined {
    const call = this.#waiting.take(id);
    if (call) this.#port.waits(-1);
    return call;
  }

  #wait(call: Call): void {
    call.markPulled();
    if (this.#waiting.size === 0) this.#busySince = now();
    this.#waiting.add(call);
    this.#port.waits(1);
  }

  /** Tells the peer, in the call's frame which is still here, that the result will be used further. */
  #keepResult(call: Call): void {
    call.markKept();
    this.#port.sender.outbox.bytes[call.frame + FLAGS_AT]! &= ~ONCE;
    this.#keptCount++;
    this.#kept.register(call, call.number, call);
  }

  /** As `#keepResult`, unless the peer keeps too many already: then nobody can ask for this one any more. */
  #keepOrForget(call: Call): void {
    const { references } = this.#port.live().limits;
    if (this.#keptCount < references) return this.#keepResult(call);
    const what = `The results of ${this.#keptCount} calls that nobody has awaited are kept in ${this.#port.peer}`;
    call.reject(passed('references', references, what));
  }

  #giveBack(id: number): void {
    this.#keptCount--;
    this.#port.sender.release(id, 1);
  }
}
