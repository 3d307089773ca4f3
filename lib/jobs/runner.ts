import { availableParallelism, freemem, hostname, totalmem } from 'node:os';
import { isThenable } from '../cluster/batch.ts';
import type { FunctionText, Outcome } from '../cluster/function-text.ts';
import type { AnyFunction } from '../cluster/functions.ts';
import { LoadedFunctions } from '../cluster/loaded-functions.ts';
import type { Remote } from '../module/remote.ts';
import { within } from '../wire/call/scope.ts';
import { SiteClosedError, SiteCrashedError } from '../wire/errors.ts';
import { RemoteTarget } from '../wire/reference/reference.ts';
import { captureJobs } from './capture.ts';
import { JobCancelledError } from './errors.ts';
import { JobFiles } from './files.ts';
import { JobScope, type ScopeHost } from './job-scope.ts';
import { type KeptOutcome, keptOutcomes } from './kept.ts';
import { mapChunk } from './map-chunk.ts';
import { runProgram } from './program.ts';
import {
  type BatchAnswer,
  type Desk,
  type FileText,
  type JobExtras,
  MAP_CHUNK,
  type RunnerService,
  type RunnerSetup,
  type SiteFacts,
} from './protocol.ts';
import { isSmallData } from './small.ts';
import { readBack } from './written.ts';

/** What runs in a site of a job server; it travels there as any module does. */

const nothing = () => {};

const isEndOfSite = (error: unknown): boolean =>
  error instanceof SiteClosedError || error instanceof SiteCrashedError;

const isGenerator = (value: unknown): value is AsyncGenerator<unknown, unknown> => {
  const generator = value as Partial<AsyncGenerator> | null | undefined;
  return (
    typeof generator === 'object' &&
    generator !== null &&
    Symbol.asyncIterator in generator &&
    typeof generator.next === 'function'
  );
};

/** Runs the jobs of one site, one after the other. */
class Runner extends RemoteTarget implements RunnerService, ScopeHost {
  readonly node: string;
  readonly facts: SiteFacts;
  nodeData: unknown;
  readonly #desk: Remote<Desk>;
  readonly #functions: LoadedFunctions;
  readonly #files: JobFiles;
  readonly #flush: () => void;
  /** Jobs that run, and those that were cancelled before they began. */
  readonly #scopes = new Map<number, JobScope>();
  readonly #cancelled = new Map<number, unknown>();
  /** Jobs that went on after their batch was answered. */
  readonly #late = new Map<number, Promise<BatchAnswer>>();

  readonly #prefix: string;
  /** The jobs of the batch that runs. */
  #batch: readonly number[] = [];

  /** Jobs whose outcome is kept. */
  readonly #kept = new Set<number>();

  constructor({ node, prefix, share, maxFileSize = Infinity, desk }: RunnerSetup) {
    super();
    this.node = node;
    this.#prefix = prefix;
    this.#desk = desk as unknown as Remote<Desk>;
    this.#functions = new LoadedFunctions((fn) => this.#desk.load(fn) as unknown as Promise<object>);
    this.#files = new JobFiles(share, maxFileSize, desk);
    this.#flush = captureJobs();
    this.facts = {
      host: hostname(),
      version: process.version,
      platform: process.platform,
      arch: process.arch,
      cpus: availableParallelism(),
      memory: { total: totalmem(), free: freemem() },
      pid: process.pid,
    };
  }

  /** See RunnerService. */
  run(
    fn: FunctionText,
    numbers: readonly number[],
    argLists: readonly (readonly unknown[])[],
    withinMs: number,
  ): BatchAnswer | Promise<BatchAnswer> {
    const since = performance.now();
    this.#batch = numbers;
    const found = this.#find(fn);
    const run = (call: AnyFunction) => this.#from(0, call, numbers, argLists, since, withinMs);
    if (typeof found === 'function') return run(found);
    return found.then(run, (error: unknown) => ({
      ran: 1,
      outcome: { error },
      took: performance.now() - since,
    }));
  }

  /** Runs the jobs of a batch from one on; it is a loop without promises as long as the functions give none. */
  #from(
    first: number,
    call: AnyFunction,
    numbers: readonly number[],
    argLists: readonly (readonly unknown[])[],
    since: number,
    withinMs: number,
  ): BatchAnswer | Promise<BatchAnswer> {
    const last = numbers.length - 1;
    let began = performance.now();
    for (let index = first; index <= last; index++) {
      const number = numbers[index]!;
      if (this.#cancelled.size > 0 && this.#cancelled.has(number)) {
        return { ran: index + 1, outcome: { error: this.#neverBegun(number) }, took: 0 };
      }
      const scope = this.#open(number);
      let value: unknown;
      try {
        value = within(scope, () => Reflect.apply(call, scope, argLists[index]!));
        if (isThenable(value) || isGenerator(value) || scope.sends) {
          const settled = this.#settle(scope, value);
          if (index === last) return settled.then((outcome) => this.#answer(index, outcome, began));
          return this.#orLate(scope, settled, index, began, since + withinMs).then((answer) => {
            const isOver = performance.now() - since >= withinMs;
            if (isOver || !answer.outcome || !this.#toldAlone(scope, answer)) return answer;
            return this.#from(index + 1, call, numbers, argLists, since, withinMs);
          });
        }
      } catch (error) {
        return this.#ended(scope, this.#answer(index, { error }, began));
      }
      const now = performance.now();
      const answer = { ran: index + 1, outcome: { value }, took: now - began };
      if (index === last || now - since >= withinMs || !this.#toldAlone(scope, answer)) {
        return this.#ended(scope, answer);
      }
      this.#scopes.delete(number);
      began = now;
    }
    throw new Error('A batch without jobs arrived.');
  }

  /** Tells of a job that is done and not its batch's last; says whether that can be told, so that the next one begins. */
  #toldAlone(scope: JobScope, { outcome, took = 0 }: BatchAnswer): boolean {
    if (!outcome || 'error' in outcome || scope.spoke || scope.madeFolder) return false;
    const { value } = outcome;
    if (!isSmallData(value)) return false;
    const { number } = scope;
    this.#tell(value === undefined ? this.#desk.done(number, took) : this.#desk.done(number, took, value));
    // Now: the next job may keep this thread, or end it, and who reads this knows by it which one that was.
    this.#flush();
    return true;
  }

  /** Waits for a job that takes its time; those behind it in its batch are handed back when that is over. */
  async #orLate(
    scope: JobScope,
    settled: Promise<Outcome>,
    index: number,
    began: number,
    until: number,
  ): Promise<BatchAnswer> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(resolve, Math.max(0, until - performance.now()), undefined);
    });
    const outcome = await Promise.race([settled, late]);
    clearTimeout(timer);
    if (outcome) return this.#answer(index, outcome, began);
    this.#late.set(
      scope.number,
      settled.then((value) => this.#answer(index, value, began)),
    );
    return { ran: index + 1 };
  }

  /** See RunnerService. A functor that is one job's own is made for that. */
  async load(functions: readonly FunctionText[]): Promise<void> {
    const shared = functions.filter(({ name, functor }) => name !== '' || !functor);
    await Promise.all(shared.map((fn) => this.#module(fn)));
  }

  /** See RunnerService. */
  async outcome(number: number): Promise<BatchAnswer> {
    const late = this.#late.get(number);
    if (!late) throw new Error(`No job ${number} runs here.`);
    try {
      return await late;
    } finally {
      this.#late.delete(number);
    }
  }

  /** See RunnerService. */
  async runOne(
    fn: FunctionText | undefined,
    number: number,
    args: readonly unknown[],
    extras: JobExtras,
  ): Promise<BatchAnswer> {
    const scope = this.#open(number, extras);
    let began = performance.now();
    let outcome: Outcome;
    try {
      if (extras.modules) scope.modules = await Promise.all(extras.modules.map((each) => this.#module(each)));
      await this.#files.place(scope);
      const call = fn && (await this.#find(fn));
      scope.refuseGivenUp();
      this.#tell(this.#desk.started(number));
      // Now: it may never let go of this thread.
      this.#flush();
      began = performance.now();
      const { program } = extras;
      const value = program
        ? within(scope, () => runProgram(scope, program, args))
        : within(scope, () => Reflect.apply(call!, scope, args as unknown[]));
      outcome = await this.#settle(scope, value);
    } catch (error) {
      outcome = await this.#over(scope, { error });
    }
    return this.#answer(0, outcome, began);
  }

  /** See RunnerService. */
  async runKept(
    fn: FunctionText | undefined,
    number: number,
    args: Uint8Array,
    extras: JobExtras,
  ): Promise<KeptOutcome> {
    // A client that dies while this loads has not had it begun, and nothing is kept of it.
    const found = fn && this.#find(fn);
    if (found instanceof Promise) {
      await found.catch((error: unknown) => {
        if (isEndOfSite(error)) throw error;
      });
    }
    return keptOutcomes().run(extras.id, async () => {
      this.#kept.add(number);
      const { outcome } = await this.runOne(fn, number, readBack(args) as unknown[], extras);
      this.#kept.delete(number);
      if (outcome && 'error' in outcome) throw outcome.error;
      return outcome?.value;
    });
  }

  /** See RunnerService. */
  forget(ids: readonly string[]): void {
    keptOutcomes().forget(ids);
  }

  /** See RunnerService. */
  cancel(number: number, reason: unknown): void {
    const scope = this.#scopes.get(number);
    if (scope) scope.abort(reason);
    else if (this.#batch.includes(number)) this.#cancelled.set(number, reason);
  }

  /** See RunnerService. */
  async setup(fn: FunctionText, args: readonly unknown[]): Promise<void> {
    const call = await this.#functions.find(fn);
    this.nodeData = await Reflect.apply(call, undefined, args as never[]);
  }

  /** See RunnerService. */
  async cleanup(fn: FunctionText | undefined, args: readonly unknown[]): Promise<void> {
    const { nodeData } = this;
    this.nodeData = undefined;
    if (!fn) return;
    const call = await this.#functions.find(fn);
    await Reflect.apply(call, undefined, [nodeData, ...args] as never[]);
  }

  /** See RunnerService. */
  close(shared: boolean): Promise<void> {
    return this.#files.close(shared);
  }

  /** See ScopeHost. */
  folderOf(scope: JobScope): string {
    return this.#files.folder(scope);
  }

  /** See ScopeHost. */
  async provisional(scope: JobScope, value: unknown): Promise<void> {
    try {
      await this.#desk.provisional(scope.number, value);
    } catch (error) {
      // A job of a journal goes on when its client has died.
      if (!this.#kept.has(scope.number) || !isEndOfSite(error)) throw error;
    }
  }

  /** See ScopeHost. */
  sendFile(scope: JobScope, path: string, name: string | undefined): Promise<FileText> {
    return this.#files.send(scope, path, name);
  }

  /** See ScopeHost. */
  print({ number }: JobScope, descriptor: number, text: string): void {
    this.#tell(this.#desk.print(number, descriptor, text));
    // What runs next may block this thread, or end it.
    this.#flush();
  }

  /** See ScopeHost. */
  idOf(number: number): string {
    return `${this.#prefix}${number}`;
  }

  /** What is called; a chunk of a map is done by this module itself. */
  #find(fn: FunctionText): AnyFunction | Promise<AnyFunction> {
    if (fn.module !== MAP_CHUNK) return this.#functions.find(fn);
    return (async (
      call: FunctionText | null,
      fold: FunctionText | null,
      lists: readonly (readonly unknown[])[],
    ) =>
      mapChunk(
        {
          call: call ? await this.#functions.find(call) : undefined,
          fold: fold ? await this.#functions.find(fold) : undefined,
        },
        lists,
      )) as AnyFunction;
  }

  /** What a job needs beside its function: one of a module's by name, or a module; a functor's is this job's own. */
  #module(fn: FunctionText): Promise<object> {
    if (fn.name !== '') return Promise.resolve(this.#functions.find(fn));
    return this.#desk.load(fn) as unknown as Promise<object>;
  }

  #open(number: number, extras?: JobExtras): JobScope {
    const scope = new JobScope(this, number, extras);
    this.#scopes.set(number, scope);
    return scope;
  }

  /** What becomes of a job that gave a promise or a generator, or still sends something. */
  async #settle(scope: JobScope, value: unknown): Promise<Outcome> {
    let outcome: Outcome;
    try {
      const given = isThenable(value) ? await value : value;
      outcome = { value: isGenerator(given) ? await within(scope, () => this.#drain(scope, given)) : given };
    } catch (error) {
      outcome = { error };
    }
    return this.#over(scope, outcome);
  }

  /** A job is over when all that it sent has arrived, and its folder is gone. */
  async #over(scope: JobScope, outcome: Outcome): Promise<Outcome> {
    if (scope.sends) await scope.sent();
    this.#scopes.delete(scope.number);
    if (scope.madeFolder) await this.#files.clear(scope);
    return outcome;
  }

  /** Sends on what a generator yields, and gives what it returns. It goes on when each has arrived. */
  async #drain(scope: JobScope, generator: AsyncGenerator<unknown, unknown>): Promise<unknown> {
    for (;;) {
      const { done, value } = await generator.next();
      if (done) return value;
      await scope.provisional(value);
    }
  }

  #answer(index: number, outcome: Outcome, began: number): BatchAnswer {
    return { ran: index + 1, outcome, took: performance.now() - began };
  }

  /** A job that gave no promise ends at once, unless it has sent something or has a folder. */
  #ended(scope: JobScope, answer: BatchAnswer): BatchAnswer | Promise<BatchAnswer> {
    if (scope.sends || scope.madeFolder) return this.#over(scope, answer.outcome!).then(() => answer);
    this.#scopes.delete(scope.number);
    return answer;
  }

  #neverBegun(number: number): JobCancelledError {
    const cause = this.#cancelled.get(number);
    this.#cancelled.delete(number);
    return new JobCancelledError(
      this.idOf(number),
      `The job ${this.idOf(number)} was cancelled before it began.`,
      { cause },
    );
  }

  /** What is told needs no answer; asked for it is all the same, so that nothing is kept for it over there. */
  #tell(told: PromiseLike<unknown>): void {
    told.then(nothing, nothing);
  }
}

/** Makes this site run jobs; called by a job server. */
export const open = (setup: RunnerSetup): RunnerService => new Runner(setup);
