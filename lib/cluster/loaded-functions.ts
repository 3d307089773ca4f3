import { hostname } from 'node:os';
import { giveUpRunning } from '../wire/call/scope.ts';
import { byReference, RemoteTarget } from '../wire/reference/reference.ts';
import { classNames } from '../wire/shared.ts';
import { ArraysDesk } from './arrays/desk.ts';
import type { ArraysService } from './arrays/protocol.ts';
import { isThenable, mapBatch, reduceChunk } from './batch.ts';
import { withBroadcasts } from './broadcast/broadcast.ts';
import { BroadcastDesk } from './broadcast/broadcasts.ts';
import type { BroadcastService } from './broadcast/protocol.ts';
import { InterruptedError } from './errors.ts';
import type { FunctionText, Outcome } from './function-text.ts';
import type { AnyFunction } from './functions.ts';
import { MessagesDesk } from './messages/desk.ts';
import type { MessagesService } from './messages/protocol.ts';
import type { BatchOutcome, Chunk } from './protocol.ts';
import { ReferencesDesk } from './references/desk.ts';
import type { ReferencesService } from './references/protocol.ts';

/** A class is made an instance of, which stays here as with `new`, unless it was taught to cross; everything else is called. */
const caller = (target: unknown, { name, module }: FunctionText): AnyFunction => {
  if (typeof target !== 'function') {
    const what = target === undefined ? 'nothing' : `a value of type ${typeof target}`;
    throw new TypeError(`${module} has ${what} under the name "${name}", which can't be called.`);
  }
  const isClass = /^class\b/.test(Function.prototype.toString.call(target));
  if (!isClass) return target as AnyFunction;
  return (...args: never[]) => {
    const instance = Reflect.construct(target, args) as object;
    return classNames.has(Object.getPrototypeOf(instance) as object) ? instance : byReference(instance);
  };
};

/** The functions that were called in this process by their names, and the modules that they are in. */
export class LoadedFunctions {
  readonly #load: (fn: FunctionText) => Promise<object>;
  readonly #modules = new Map<string, Promise<object>>();
  readonly #found = new Map<string, AnyFunction>();
  /** The last interrupt, if there was one. */
  #interrupted: Error | undefined;
  /** What gives up each call that runs and waits. */
  readonly #running = new Set<(reason: Error) => void>();

  /** `load` gets a module that has not been called here before. */
  constructor(load: (fn: FunctionText) => Promise<object>) {
    this.#load = load;
  }

  /** The function of that name, at once if it has been called before. Rejects with why its module can't be loaded. */
  find(fn: FunctionText): AnyFunction | Promise<AnyFunction> {
    return this.#found.get(`${fn.name} ${fn.module}`) ?? this.#get(fn);
  }

  async #get(fn: FunctionText): Promise<AnyFunction> {
    const { module, name } = fn;
    const loaded = await this.#module(fn);
    const target = name === '' ? loaded : (loaded as Record<string, unknown>)[name];
    const found = caller(target, fn);
    this.#found.set(`${name} ${module}`, found);
    return found;
  }

  #module(fn: FunctionText): Promise<object> {
    const known = this.#modules.get(fn.module);
    if (known) return known;
    const loading = this.#load(fn);
    this.#modules.set(fn.module, loading);
    // What failed may be mended: the next call tries again.
    loading.catch(() => this.#modules.delete(fn.module));
    return loading;
  }

  /** See MemberService. */
  async perform(fn: FunctionText, args: readonly unknown[]): Promise<Outcome> {
    const interrupted = this.#interrupted;
    try {
      const found = this.find(fn);
      const call = typeof found === 'function' ? found : await found;
      // It was accepted before, and has waited for its module.
      if (this.#interrupted !== interrupted) throw this.#interrupted;
      const given = withBroadcasts(args);
      const value: unknown = call(...((given instanceof Promise ? await given : given) as never[]));
      return { value: isThenable(value) ? await this.#orInterrupted(value) : value };
    } catch (error) {
      return { error };
    }
  }

  /** See MemberService. */
  async prepare(fn: FunctionText, args: readonly unknown[]): Promise<Outcome> {
    try {
      const module = await this.#module(fn);
      if (fn.name === '' && typeof module !== 'function') return { value: undefined };
    } catch (error) {
      return { error };
    }
    return this.perform(fn, args);
  }

  /** See MemberService. */
  interrupt(reason: Error): void {
    this.#interrupted = reason;
    for (const giveUp of [...this.#running]) giveUp(reason);
  }

  async #orInterrupted<T>(value: PromiseLike<T>): Promise<T> {
    const giveUpCall = giveUpRunning();
    let giveUp!: (reason: Error) => void;
    const interrupted = new Promise<never>((_, reject) => {
      giveUp = (reason) => {
        reject(reason);
        giveUpCall?.(reason);
      };
    });
    this.#running.add(giveUp);
    try {
      return await Promise.race([value, interrupted]);
    } finally {
      this.#running.delete(giveUp);
    }
  }

  /** See MemberService. Elements whose functions are asynchronous run side by side. */
  async performEach(
    fn: FunctionText,
    elements: readonly unknown[],
    rest: readonly unknown[],
    within?: number,
  ): Promise<BatchOutcome> {
    const found = this.find(fn);
    const call = typeof found === 'function' ? found : await found;
    return this.#orInterrupted(mapBatch(call, elements, await withBroadcasts(rest), within));
  }

  /** Calls something once for each element of a batch; `interrupt` gives it up. */
  mapBatch(call: AnyFunction, elements: readonly unknown[], within?: number): Promise<BatchOutcome> {
    return this.#orInterrupted(mapBatch(call, elements, [], within));
  }

  /** See MemberService. */
  async performReduce(
    fn: FunctionText | undefined,
    reducer: FunctionText | undefined,
    chunk: Chunk,
    rest: readonly unknown[],
  ): Promise<Outcome> {
    try {
      const [map, reduce] = await Promise.all([fn && this.find(fn), reducer && this.find(reducer)]);
      return await this.#orInterrupted(reduceChunk(map, reduce, chunk, await withBroadcasts(rest)));
    } catch (error) {
      return { error };
    }
  }
}

/** What every member lets others do; a worker and process 1 add their own. */
export abstract class Performer extends RemoteTarget {
  /** See MemberService. */
  readonly refs: ReferencesService = new ReferencesDesk();
  /** See MemberService. */
  readonly casts: BroadcastService = new BroadcastDesk();
  /** See MemberService. */
  readonly messages: MessagesService = new MessagesDesk();
  /** See MemberService. */
  readonly arrays: ArraysService;
  readonly #id: number;
  readonly #functions: LoadedFunctions;

  constructor(id: number, functions: LoadedFunctions) {
    super();
    this.#id = id;
    this.#functions = functions;
    this.arrays = new ArraysDesk(functions);
  }

  /** See MemberService. */
  perform(fn: FunctionText, args: readonly unknown[]): Promise<Outcome> {
    return this.#functions.perform(fn, args);
  }

  /** See MemberService. */
  run(fn: FunctionText, args: readonly unknown[]): void {
    void this.#functions.perform(fn, args).then((outcome) => {
      if ('error' in outcome) console.error(outcome.error);
    });
  }

  /** See MemberService. */
  performEach(
    fn: FunctionText,
    elements: readonly unknown[],
    rest: readonly unknown[],
    within?: number,
  ): Promise<BatchOutcome> {
    return this.#functions.performEach(fn, elements, rest, within);
  }

  /** See MemberService. */
  performReduce(
    fn: FunctionText | undefined,
    reducer: FunctionText | undefined,
    chunk: Chunk,
    rest: readonly unknown[],
  ): Promise<Outcome> {
    return this.#functions.performReduce(fn, reducer, chunk, rest);
  }

  /** See MemberService. */
  prepare(fn: FunctionText, args: readonly unknown[]): Promise<Outcome> {
    return this.#functions.prepare(fn, args);
  }

  /** See MemberService. */
  async hostname(): Promise<string> {
    return hostname();
  }

  /** See MemberService. */
  interrupt(): void {
    this.#functions.interrupt(new InterruptedError(this.#id));
  }
}
