import type { Call } from '../call/call.ts';
import type { CallOptions } from '../call/options.ts';
import { SiteClosedError, SiteCrashedError } from '../errors.ts';
import { Operation } from '../frame/frame.ts';
import { type Calls, Handler, NO_PATH, proxied, withOptions } from './handle.ts';
import { type Releasable, referenceOf } from './reference.ts';

/** Whom the calls of a stable proxy go to: another value after each death of its site. */
export interface StableSource {
  /** The proxy of the value that there is now, which may cost a call; `undefined` while there is none. */
  current(): object | undefined;
  /** The same, if that has been made. */
  known(): object | undefined;
  /** Resolves when there is one; rejects if it never comes, or not within the options' bounds. */
  arrives(options: CallOptions): Promise<void>;
  /** Nobody needs the value any more. */
  release(): void;
  /** Calls `watcher` once none will come any more, with what calls reject with; the returned function takes it back. */
  whenEnded(watcher: (cause: unknown) => void): () => void;
}

/** A result that must not be awaited by being returned. */
interface Boxed {
  readonly value: object;
}

/** Does an operation on a property of a proxy; gives the proxy of the result, which nobody awaits yet. */
const perform = (proxy: object, path: readonly string[], operation: Operation, args: unknown[]): object => {
  let self: unknown;
  let value = proxy as (...args: unknown[]) => object;
  for (const key of path) {
    self = value;
    value = (value as unknown as Record<string, typeof value>)[key]!;
  }
  if (operation === Operation.get) return value;
  if (operation === Operation.construct) return Reflect.construct(value, args);
  return Reflect.apply(value, self, args);
};

/** What a reference needs besides: only its owner can be released, and nothing else is ever asked of it. */
class StableCalls implements Calls {
  readonly #source: StableSource;

  constructor(source: StableSource) {
    this.#source = source;
  }

  call(): Call {
    throw new TypeError(
      'A stable proxy has no site of its own; give a reference from one site instead, or enter the module in setup.',
    );
  }

  pull(): Promise<unknown> {
    return Promise.reject(new TypeError('A stable proxy is no result.'));
  }

  keep(): boolean {
    return true;
  }

  release(): void {
    this.#source.release();
  }

  whenEnded(watcher: (cause: unknown) => void): () => void {
    return this.#source.whenEnded(watcher);
  }
}

/** A result that is asked of a value which is not there yet. */
class Later extends Handler {
  readonly id = undefined;
  /** There is one, so that it is sent as a result; it is in no table. */
  readonly call: Call = {} as Call;
  readonly path: readonly string[];
  readonly #base: Promise<Boxed>;

  constructor(calls: Calls, base: Promise<Boxed>, path: readonly string[], options: CallOptions | undefined) {
    super(calls, options);
    this.#base = base;
    this.path = path;
    // As with other calls: an error that nobody asks for is nobody's.
    base.catch(() => {});
  }

  override promise(): Promise<unknown> {
    return this.#base.then(({ value }) => perform(value, this.path, Operation.get, []));
  }

  override with(options: CallOptions): object {
    return proxied(new Later(this.calls, this.#base, this.path, options));
  }

  protected override invoke(operation: Operation, args: unknown[]): object {
    const { path, options } = this;
    const made = this.#base.then(({ value }) => {
      // A call that was repeated has given a value, which may be here.
      const bounded =
        options && referenceOf(value) ? (withOptions(value as Releasable, options) as object) : value;
      return { value: perform(bounded, path, operation, args) };
    });
    return proxied(new Later(this.calls, made, NO_PATH, options));
  }

  protected override member(key: string): Handler {
    return new Later(this.calls, this.#base, [...this.path, key], this.options);
  }
}

/** A module that outlives its site, or a property of it: each call goes to the site that there is then. */
class StableHandle extends Handler {
  readonly id = undefined;
  readonly call = undefined;
  readonly path: readonly string[];
  readonly #source: StableSource;

  constructor(calls: Calls, source: StableSource, path: readonly string[], options?: CallOptions) {
    super(calls, options);
    this.#source = source;
    this.path = path;
  }

  override get retries(): boolean {
    return true;
  }

  /** At home it is what it stands for there. */
  current(): object | undefined {
    return this.path.length === 0 ? this.#source.known() : undefined;
  }

  /** It will be an argument: no call can be made while those are written. */
  prepare(): void {
    this.#source.current();
  }

  override with(options: CallOptions): object {
    return proxied(new StableHandle(this.calls, this.#source, this.path, options));
  }

  protected override invoke(operation: Operation, args: unknown[]): object {
    const { options = {} } = this;
    const { retry = 0, timeout, signal } = options;
    const now = this.#source.current();
    if (now && retry === 0) return this.#make(now, operation, args, options);
    const made =
      retry > 0 ? this.#retry(operation, args, options) : this.#whenThere(operation, args, options);
    // What is made on the result is bounded as it is, and never repeated.
    const inherited = timeout !== undefined || signal ? { timeout, signal } : undefined;
    return proxied(new Later(this.calls, made, NO_PATH, inherited as CallOptions | undefined));
  }

  protected override member(key: string): Handler {
    return new StableHandle(this.calls, this.#source, [...this.path, key], this.options);
  }

  #make(proxy: object, operation: Operation, args: unknown[], { timeout, signal }: CallOptions): object {
    const bounds = { ...(timeout !== undefined && { timeout }), ...(signal && { signal }) };
    const bounded = timeout !== undefined || signal ? withOptions(proxy as Releasable, bounds) : proxy;
    for (const arg of args) {
      const reference = referenceOf(arg);
      if (reference instanceof StableHandle) reference.prepare();
    }
    return perform(bounded, this.path, operation, args);
  }

  async #whenThere(operation: Operation, args: unknown[], options: CallOptions): Promise<Boxed> {
    const since = performance.now();
    for (;;) {
      const left = remaining(options, since);
      await this.#source.arrives(left);
      const now = this.#source.current();
      // It may have died again while this was told.
      if (now) return { value: this.#make(now, operation, args, remaining(options, since)) };
    }
  }

  async #retry(operation: Operation, args: unknown[], options: CallOptions): Promise<Boxed> {
    const since = performance.now();
    for (let left = options.retry ?? 0; ; left--) {
      const { value } = await this.#whenThere(operation, args, remaining(options, since));
      try {
        return { value: await (value as PromiseLike<object>) };
      } catch (cause) {
        if (!diedWithSite(cause) || left === 0) throw cause;
      }
    }
  }
}

/** Whether a call died with its site; one that was answered with the death of another site has failed by itself. */
const diedWithSite = (cause: unknown): boolean =>
  (cause instanceof SiteCrashedError || cause instanceof SiteClosedError) && !Object.hasOwn(cause, 'site');

/** What is left of the bound of a call that has waited since then, in whole milliseconds, because errors tell it. */
const remaining = (options: CallOptions, since: number): CallOptions =>
  options.timeout === undefined
    ? options
    : { ...options, timeout: Math.ceil(Math.max(0, options.timeout - (performance.now() - since))) };

/** A proxy whose calls go to whatever the source has; those made while it has nothing wait for it. */
export const stableProxy = (source: StableSource): object =>
  proxied(new StableHandle(new StableCalls(source), source, NO_PATH));
