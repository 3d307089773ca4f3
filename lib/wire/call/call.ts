import { type Calls, Handler, NO_PATH } from '../reference/handle.ts';
import type { CallOptions } from './options.ts';

/** What a call has come to, as bits. */
const PULLED = 1;
const KEPT = 2;
const RELEASED = 4;
const CANCELLABLE = 8;
const SETTLED = 16;

/** Set by `hold`, which runs within the making of a promise; kept no longer, because it holds what the promise gave. */
let settling: ((value: unknown) => void) | undefined;
/** One function for all promises, because each call that is awaited makes one. */
const hold = (resolve: (value: unknown) => void): void => {
  settling = resolve;
};

/**
 * A call that this side made, and what stands behind the proxy of its result. Its promise is only made when somebody
 * waits for it: what is not awaited is not sent back.
 */
export class Call extends Handler {
  /** The id under which the peer knows it, and keeps its result. */
  readonly number: number;
  /** Where the call's frame begins in the outbox, -1 once it has left or if there is none. */
  frame: number;
  /** What it was rejected with. */
  failure: unknown;
  #state = 0;
  #promise: Promise<unknown> | undefined;
  #resolve: ((value: unknown) => void) | undefined;

  constructor(calls: Calls, number: number, frame: number, options?: CallOptions) {
    super(calls, options);
    this.number = number;
    this.frame = frame;
  }

  get id(): undefined {
    return undefined;
  }

  get call(): this {
    return this;
  }

  get path(): readonly string[] {
    return NO_PATH;
  }

  /** Whether a caller waits for the result. */
  get pulled(): boolean {
    return (this.#state & PULLED) !== 0;
  }

  /** A caller waits for the result. */
  markPulled(): void {
    this.#state |= PULLED;
  }

  /** Whether another call uses the result, so that the peer must keep it. */
  get kept(): boolean {
    return (this.#state & KEPT) !== 0;
  }

  /** Another call uses the result. */
  markKept(): void {
    this.#state |= KEPT;
  }

  /** Whether it was given back, so that nothing can be asked of it any more. */
  get released(): boolean {
    return (this.#state & RELEASED) !== 0;
  }

  /** It was given back, and is no longer kept. */
  markReleased(): void {
    this.#state = (this.#state | RELEASED) & ~KEPT;
  }

  /** Whether the peer can find it by its id while it runs. */
  get cancellable(): boolean {
    return (this.#state & CANCELLABLE) !== 0;
  }

  /** The peer can find it. */
  markCancellable(): void {
    this.#state |= CANCELLABLE;
  }

  /** Whether its answer has arrived, or never will. */
  get settled(): boolean {
    return (this.#state & SETTLED) !== 0;
  }

  /** The result, as a promise that is made at the first wish. */
  get result(): Promise<unknown> {
    if (!this.#promise) {
      this.#promise = new Promise(hold);
      this.#resolve = settling;
      settling = undefined;
    }
    return this.#promise;
  }

  resolve(value: unknown): void {
    this.#state |= SETTLED;
    if (this.#resolve) this.#resolve(value);
    else this.#promise = Promise.resolve(value);
  }

  reject(cause: unknown): void {
    this.#state |= SETTLED;
    this.failure = cause;
    this.#settle(Promise.reject(cause));
  }

  /**
   * Rejects with what `make` gives, which is called where V8 knows who awaits the result: an error that is made there has
   * the caller in its stack, and calls that succeed pay nothing for it. `make` is given that part of the stack as text.
   */
  rejectAsCaller(make: (caller: string) => unknown): void {
    this.#state |= SETTLED;
    let go!: () => void;
    const reject = () => {
      const caller: { stack?: string } = {};
      // Without this function and what calls it, so that only those who await are left.
      Error.captureStackTrace(caller, reject);
      const { stack = '' } = caller;
      const at = stack.indexOf('\n');
      this.failure = make(at < 0 ? '' : stack.slice(at));
      throw this.failure;
    };
    const thrown = new Promise<void>((resolve) => {
      go = resolve;
    }).then(reject);
    this.#settle(thrown);
    // Two turns later the promises hang together.
    queueMicrotask(() => queueMicrotask(go));
  }

  #settle(rejected: Promise<unknown>): void {
    if (this.#resolve) {
      this.#resolve(rejected);
      return;
    }
    this.#promise = rejected;
    // Nobody asked for the result, so nobody missed it; whoever asks later still gets the error.
    rejected.catch(() => {});
  }
}
