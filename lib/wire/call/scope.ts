import { AsyncLocalStorage } from 'node:async_hooks';

/** A call that runs here and may be given up by its caller. */
export class CallScope {
  #controller: AbortController | undefined;
  #reason: { readonly value: unknown } | undefined;

  /** Aborted when the caller gives the call up; made at the first wish, because few functions look at it. */
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#reason) this.#controller.abort(this.#reason.value);
    }
    return this.#controller.signal;
  }

  /** Throws the reason if the caller gave it up before it began: then it need not begin. */
  refuseGivenUp(): void {
    if (this.#reason) throw this.#reason.value;
  }

  /** The caller gave it up; only the first reason counts. */
  abort(reason: unknown): void {
    this.#reason ??= { value: reason };
    this.#controller?.abort(reason);
  }
}

const key = Symbol.for('offsite.call');
const shared = globalThis as unknown as Record<symbol, AsyncLocalStorage<{ readonly signal: AbortSignal }>>;
shared[key] ??= new AsyncLocalStorage();
/** The call that runs, for all copies of this code in one thread: a site's engine is one, and user code imports another. */
const running = shared[key];

/** Performs a call within its scope. */
export const within = <T>(scope: CallScope, perform: () => T): T => running.run(scope, perform);

/** The call that runs, as what runs it made it known; not always a CallScope, because another copy of this may have. */
export const runningScope = (): { readonly signal: AbortSignal } | undefined => running.getStore();

/** Gives up the call that runs, if it can be given up, as its caller could; what is returned does it. */
export const giveUpRunning = (): ((reason: unknown) => void) | undefined => {
  const scope = running.getStore() as CallScope | undefined;
  return scope && typeof scope.abort === 'function' ? (reason) => scope.abort(reason) : undefined;
};

/**
 * In a function that another site has called with a `signal` or a `timeout`: the signal that is aborted, with the same
 * reason, when the caller gives the call up. `undefined` if it can't.
 */
export const callSignal = (): AbortSignal | undefined => running.getStore()?.signal;
