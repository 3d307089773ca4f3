import { type Calls, Handle } from '../reference/handle.ts';
import type { CallOptions } from './options.ts';

const NO_PATH: readonly string[] = [];

/**
 * A call that this side made, and the handle of its result. Its promise is only made when somebody waits for it: what is
 * not awaited is not sent back.
 */
export class Call extends Handle {
  /** The id under which the peer knows it, and keeps its result. */
  readonly number: number;
  /** Where the call's frame begins in the outbox, -1 once it has left or if there is none. */
  frame: number;
  /** A caller waits for the result. */
  pulled = false;
  /** Another call uses the result, so the peer must keep it. */
  kept = false;
  /** It was given back, so nothing can be asked of it any more. */
  released = false;
  /** The peer can find it by its id while it runs. */
  cancellable = false;
  /** Its answer has arrived, or never will. */
  settled = false;
  /** What it was rejected with. */
  failure: unknown;
  #promise: Promise<unknown> | undefined;
  #resolve: ((value: unknown) => void) | undefined;

  constructor(calls: Calls, number: number, frame: number, options?: CallOptions) {
    super(calls, undefined, undefined, NO_PATH, options);
    this.call = this;
    this.number = number;
    this.frame = frame;
  }

  /** The result, as a promise that is made at the first wish. */
  get result(): Promise<unknown> {
    this.#promise ??= new Promise((resolve) => {
      this.#resolve = resolve;
    });
    return this.#promise;
  }

  resolve(value: unknown): void {
    this.settled = true;
    if (this.#resolve) this.#resolve(value);
    else this.#promise = Promise.resolve(value);
  }

  reject(cause: unknown): void {
    this.settled = true;
    this.failure = cause;
    this.#settle(Promise.reject(cause));
  }

  /**
   * Rejects with what `make` gives, which is called where V8 knows who awaits the result: an error that is made there has
   * the caller in its stack, and calls that succeed pay nothing for it. `make` is given that part of the stack as text.
   */
  rejectAsCaller(make: (caller: string) => unknown): void {
    this.settled = true;
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
