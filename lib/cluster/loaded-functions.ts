import { RemoteTarget } from '../wire/reference/reference.ts';
import { mapBatch, reduceChunk } from './batch.ts';
import type { AnyFunction } from './functions.ts';
import type { BatchOutcome, Chunk, FunctionText, Outcome } from './protocol.ts';

/** A class is made an instance of; everything else is called. */
const caller = (target: unknown, { name, module }: FunctionText): AnyFunction => {
  if (typeof target !== 'function') {
    const what = target === undefined ? 'nothing' : `a value of type ${typeof target}`;
    throw new TypeError(`${module} has ${what} under the name "${name}", which can't be called.`);
  }
  const isClass = /^class\b/.test(Function.prototype.toString.call(target));
  return isClass ? (...args: never[]) => Reflect.construct(target, args) as unknown : (target as AnyFunction);
};

/** The functions that were called in this process by their names, and the modules that they are in. */
export class LoadedFunctions {
  readonly #load: (fn: FunctionText) => Promise<object>;
  readonly #modules = new Map<string, Promise<object>>();
  readonly #found = new Map<string, AnyFunction>();

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
    let loading = this.#modules.get(module);
    if (!loading) {
      loading = this.#load(fn);
      this.#modules.set(module, loading);
      // What failed may be mended: the next call tries again.
      loading.catch(() => this.#modules.delete(module));
    }
    const loaded = await loading;
    const target = name === '' ? loaded : (loaded as Record<string, unknown>)[name];
    const found = caller(target, fn);
    this.#found.set(`${name} ${module}`, found);
    return found;
  }

  /** See MemberService. */
  async perform(fn: FunctionText, args: readonly unknown[]): Promise<Outcome> {
    try {
      const found = this.find(fn);
      const call = typeof found === 'function' ? found : await found;
      return { value: await call(...(args as never[])) };
    } catch (error) {
      return { error };
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
    return mapBatch(typeof found === 'function' ? found : await found, elements, rest, within);
  }

  /** See MemberService. */
  async performReduce(
    fn: FunctionText,
    reducer: FunctionText | undefined,
    chunk: Chunk,
    rest: readonly unknown[],
  ): Promise<Outcome> {
    try {
      const [map, reduce] = await Promise.all([this.find(fn), reducer && this.find(reducer)]);
      return await reduceChunk(map, reduce, chunk, rest);
    } catch (error) {
      return { error };
    }
  }
}

/** What every member lets others do; a worker and process 1 add their own. */
export abstract class Performer extends RemoteTarget {
  readonly #functions: LoadedFunctions;

  constructor(functions: LoadedFunctions) {
    super();
    this.#functions = functions;
  }

  /** See MemberService. */
  perform(fn: FunctionText, args: readonly unknown[]): Promise<Outcome> {
    return this.#functions.perform(fn, args);
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
    fn: FunctionText,
    reducer: FunctionText | undefined,
    chunk: Chunk,
    rest: readonly unknown[],
  ): Promise<Outcome> {
    return this.#functions.performReduce(fn, reducer, chunk, rest);
  }
}
