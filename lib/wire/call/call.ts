/** What a call rejects with is only made when it is needed, because most calls do not fail. */
export type Failure = unknown;

/**
 * A call that this side made. Its promise is only made when somebody waits for it: what is not awaited is not
 * sent back.
 */
export class Call {
  readonly id: number;
  /** Where the call's frame begins in the outbox, -1 once it has left. */
  frame: number;
  /** A caller waits for the result. */
  pulled = false;
  /** Another call uses the result, so the peer must keep it. */
  kept = false;
  /** Its answer has arrived, or never will. */
  settled = false;
  /** What it was rejected with. */
  failure: Failure;
  /** Where the caller stood, for the stack of an error. */
  readonly caller: { stack?: string };
  #promise: Promise<unknown> | undefined;
  #resolve: ((value: unknown) => void) | undefined;
  #reject: ((cause: unknown) => void) | undefined;

  constructor(id: number, frame: number) {
    this.id = id;
    this.frame = frame;
    // Only the frames are collected here; V8 turns them into text when somebody reads `stack`.
    this.caller = {};
    Error.captureStackTrace(this.caller, Call);
  }

  /** The result, as a promise that is made at the first wish. */
  get promise(): Promise<unknown> {
    this.#promise ??= new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
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
    if (this.#reject) {
      this.#reject(cause);
      return;
    }
    this.#promise = Promise.reject(cause);
    // Nobody asked for the result, so nobody missed it; whoever asks later still gets the error.
    this.#promise.catch(() => {});
  }
}
