import type { Call } from '../call/call.ts';
import { type CallOptions, checkCallOptions } from '../call/options.ts';
import { Operation } from '../frame/frame.ts';
import { type Reference, type Releasable, referenceSymbol } from './reference.ts';

/** What proxies need of a session. */
export interface Calls {
  /** Makes a call; it leaves at the end of this turn. */
  call(
    target: number,
    path: readonly string[],
    operation: Operation,
    args: unknown[],
    options: CallOptions | undefined,
  ): Call;
  /** Somebody waits for the result; returns its promise. */
  pull(call: Call): Promise<unknown>;
  /** Another call will use the result; false if the peer has forgotten it already. */
  keep(call: Call): boolean;
  /** Gives a call's result, or a reference, back now. */
  release(reference: Reference): void;
  /** Calls `watcher` once, when the peer is gone, with what its calls reject with; the returned function takes it back. */
  whenEnded(watcher: (cause: unknown) => void): () => void;
}

/** The way to a value itself. */
export const NO_PATH: readonly string[] = [];

/** Every proxy has this one target, which is callable and constructible; what differs is its handler. */
const target = function offsite() {};

/** `then` of every proxy, which is what `await` calls: one function for all, because each call is awaited. */
function then(this: object, resolve: () => void, reject: () => void): Promise<unknown> {
  return handleOf(this)!.promise().then(resolve, reject);
}

/** Does at home what a call would do over there, because the result is here already. */
const invokeHere = async (call: Call, path: readonly string[], operation: Operation, args: unknown[]) => {
  let self: unknown;
  let value = await call.result;
  for (const key of path) {
    self = value;
    value = (value as Record<string, unknown>)[key];
  }
  if (operation === Operation.get) return value;
  if (operation === Operation.construct) return Reflect.construct(value as new () => object, args);
  return Reflect.apply(value as () => unknown, self, args);
};

/**
 * What stands behind a proxy: a value over there, the result of a call, or a property of either. It is the proxy's
 * handler at once, so that a call makes no object more than it must.
 */
export abstract class Handler implements ProxyHandler<() => void>, Reference {
  readonly calls: Calls;
  /** How calls that are made through this are bounded, and those that are made on their results. */
  readonly options: CallOptions | undefined;
  /** Proxies of properties are made once: the hot path is a look-up. */
  #children: Map<string, object> | undefined;

  abstract readonly id: number | undefined;
  abstract readonly call: Call | undefined;
  abstract readonly path: readonly string[];

  constructor(calls: Calls, options: CallOptions | undefined) {
    this.calls = calls;
    this.options = options;
  }

  /** Whether a call can be made again, elsewhere, when its site dies. */
  get retries(): boolean {
    return false;
  }

  /** The same with other options; `self` is this one's proxy. */
  with(options: CallOptions, self: object): object {
    return proxied(new Handle(this.calls, this.id, this.call, this.path, options, self));
  }

  /** What `await` waits for. */
  promise(): Promise<unknown> {
    const { calls, call, path } = this;
    if (call && path.length === 0) return calls.pull(call);
    const got = this.invoke(Operation.get, []);
    return got instanceof Promise ? got : (got as Promise<unknown>).then((value) => value);
  }

  get(_target: () => void, key: string | symbol, self: object): unknown {
    if (typeof key === 'string') return this.#property(key, self);
    if (key === referenceSymbol) return this;
    if (key === Symbol.dispose && this.path.length === 0) return () => this.calls.release(this);
    if (key === Symbol.asyncIterator && this.#awaitable) return () => this.#iterate();
    return undefined;
  }

  apply(_target: () => void, _self: unknown, args: unknown[]): object {
    return this.invoke(Operation.apply, args);
  }

  construct(_target: () => void, args: unknown[]): object {
    return this.invoke(Operation.construct, args);
  }

  // A remote module is not looked at like a local object: nothing of it is here.
  has(_target: () => void, key: string | symbol): boolean {
    return key === referenceSymbol || Reflect.has(target, key);
  }

  set(_target: () => void, key: string | symbol): never {
    throw new TypeError(
      `The property ${String(key)} of a value in another site can't be set; call a function there that sets it.`,
      { cause: this.path },
    );
  }

  getPrototypeOf(): object {
    return Function.prototype;
  }

  // The target is shared by all proxies, so none may change it.
  defineProperty(): false {
    return false;
  }

  deleteProperty(): false {
    return false;
  }

  setPrototypeOf(): false {
    return false;
  }

  preventExtensions(): false {
    return false;
  }

  /** Does an operation and gives its result as something that can be awaited and used further. */
  protected invoke(operation: Operation, args: unknown[]): object {
    const { calls, call, path, options } = this;
    if (call === undefined) return proxied(calls.call(this.id!, path, operation, args, options));
    if (calls.keep(call)) return proxied(calls.call(call.number, path, operation, args, options));
    const result = invokeHere(call, path, operation, args);
    // As over there: an error that nobody asks for is nobody's.
    result.catch(() => {});
    return result;
  }

  /** The handler of a property; `self` is this one's proxy. */
  protected member(key: string, self: object): Handler {
    return new Handle(this.calls, this.id, this.call, [...this.path, key], this.options, self);
  }

  get #awaitable(): boolean {
    return this.call !== undefined || this.path.length > 0;
  }

  #property(key: string, self: object): unknown {
    if (key === 'then' || key === 'catch' || key === 'finally') {
      const method = this.#settling(key);
      if (method || key === 'then') return method;
    }
    this.#children ??= new Map();
    let child = this.#children.get(key);
    if (!child) {
      child = proxied(this.member(key, self));
      this.#children.set(key, child);
    }
    return child;
  }

  /** A promise's method; the proxy of a value is no promise, because `await proxy` must give the proxy itself. */
  #settling(key: 'then' | 'catch' | 'finally'): unknown {
    if (!this.#awaitable) return undefined;
    if (key === 'then') return then;
    if (key === 'catch') return (reject: () => void) => this.promise().catch(reject);
    return (settle: () => void) => this.promise().finally(settle);
  }

  /** `for await` over what a call gives, without awaiting the call first. */
  async *#iterate(): AsyncGenerator<unknown, unknown> {
    return yield* (await this.promise()) as AsyncIterable<unknown>;
  }
}

/** A value over there, or a property of one or of a call's result. */
export class Handle extends Handler {
  readonly id: number | undefined;
  readonly call: Call | undefined;
  readonly path: readonly string[];
  /** The proxy whose property this is: as long as this one is used, that one must not be collected and released. */
  readonly owner: object | undefined;

  constructor(
    calls: Calls,
    id: number | undefined,
    call: Call | undefined,
    path: readonly string[] = NO_PATH,
    options?: CallOptions,
    owner?: object,
  ) {
    super(calls, options);
    this.id = id;
    this.call = call;
    this.path = path;
    this.owner = owner;
  }
}

/** The proxy that a handle stands behind. */
export const proxied = (handle: Handler): object => new Proxy(target, handle);

/** The proxy of a value that lives on the other side of a session. */
export const proxyOf = (calls: Calls, id: number): object => proxied(new Handle(calls, id, undefined));

const handleOf = (value: unknown): Handler | undefined => {
  const handle: unknown =
    typeof value === 'function' ? (value as unknown as Record<symbol, unknown>)[referenceSymbol] : undefined;
  return handle as Handler | undefined;
};

/**
 * The same remote function, module or object, whose calls are bounded: after `timeout` ms, or when `signal` is aborted,
 * they reject, and what runs over there learns of it through `callSignal()`. Throws OptionError, and TypeError for what
 * is not remote.
 */
export const withOptions = <T extends Releasable>(remote: T, options: CallOptions): T => {
  const handle = handleOf(remote);
  if (!handle) throw new TypeError('withOptions() takes a remote function, module or object.');
  return handle.with(checkCallOptions(options, handle.retries), remote) as unknown as T;
};

/**
 * Gives a reference, or the result of a call that is used without being awaited, back to its site now instead of when it
 * is collected; later uses reject with ReleasedError. Throws TypeError for what is not remote.
 */
export const release = (remote: Releasable): void => {
  const handle = handleOf(remote);
  if (!handle) throw new TypeError('release() takes a reference to something in another site.');
  if (handle.path.length > 0) {
    // What it hangs on may be used elsewhere.
    throw new TypeError(
      `release() takes a whole reference or result, and not its property ${handle.path.join('.')}.`,
    );
  }
  handle.calls.release(handle);
};
