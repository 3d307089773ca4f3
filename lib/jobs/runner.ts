import { availableParallelism, freemem, hostname, totalmem } from 'node:os';
import type { FunctionText, Outcome } from '../cluster/function-text.ts';
import type { AnyFunction } from '../cluster/functions.ts';
import { LoadedFunctions } from '../cluster/loaded-functions.ts';
import type { Remote } from '../module/remote.ts';
import { within } from '../wire/call/scope.ts';
import { SiteClosedError, SiteCrashedError } from '../wire/errors.ts';
import { RemoteTarget } from '../wire/reference/reference.ts';
import { Batches } from './batches.ts';
import { captureJobs } from './capture.ts';
import { JobFiles } from './files.ts';
import type { JobScope, ScopeHost } from './job-scope.ts';
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
import { RunningJobs } from './running-jobs.ts';
import { readBack } from './written.ts';

/** What runs in a site of a job server; it travels there as any module does. */

const nothing = () => {};

const isEndOfSite = (error: unknown): boolean =>
  error instanceof SiteClosedError || error instanceof SiteCrashedError;

/** Runs the jobs of one site, one after the other. */
class Runner extends RemoteTarget implements RunnerService, ScopeHost {
  readonly node: string;
  readonly facts: SiteFacts;
  nodeData: unknown;
  readonly #desk: Remote<Desk>;
  readonly #functions: LoadedFunctions;
  readonly #files: JobFiles;
  readonly #flush: () => void;
  readonly #jobs: RunningJobs;
  readonly #batches: Batches;
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
    this.#jobs = new RunningJobs(this, this.#files);
    this.#batches = new Batches(this.#jobs, {
      told: (number, took, value) => {
        this.#tell(
          value === undefined ? this.#desk.done(number, took) : this.#desk.done(number, took, value),
        );
        // Now: the next job may keep this thread, or end it, and who reads this knows by it which one that was.
        this.#flush();
      },
      keeps: (number, runs) => void (runs ? this.#kept.add(number) : this.#kept.delete(number)),
    });
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
    argLists: readonly (readonly unknown[])[] | readonly Uint8Array[],
    withinMs: number,
    ids?: readonly string[],
  ): BatchAnswer | Promise<BatchAnswer> {
    const since = performance.now();
    this.#batch = numbers;
    const found = this.#find(fn);
    const until = since + withinMs;
    const run = (call: AnyFunction) => this.#batches.run({ call, numbers, argLists, ids, since, until });
    if (typeof found === 'function') return run(found);
    return found.then(run, (error: unknown) => ({
      ran: 1,
      outcome: { error },
      took: performance.now() - since,
    }));
  }

  /** See RunnerService. A functor that is one job's own is made for that. */
  async load(functions: readonly FunctionText[]): Promise<void> {
    const shared = functions.filter(({ name, functor }) => name !== '' || !functor);
    await Promise.all(shared.map((fn) => this.#module(fn)));
  }

  /** See RunnerService. */
  outcome(number: number): Promise<BatchAnswer> {
    return this.#batches.outcome(number);
  }

  /** See RunnerService. */
  async runOne(
    fn: FunctionText | undefined,
    number: number,
    args: readonly unknown[],
    extras: JobExtras,
  ): Promise<BatchAnswer> {
    const scope = this.#jobs.open(number, extras);
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
      outcome = await this.#jobs.settle(scope, value);
    } catch (error) {
      outcome = await this.#jobs.over(scope, { error });
    }
    return { ran: 1, outcome, took: performance.now() - began };
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
    keptOutcomes().begin(extras.id, (reason) => this.cancel(number, reason));
    this.#kept.add(number);
    let outcome: Outcome;
    try {
      outcome = (await this.runOne(fn, number, readBack(args) as unknown[], extras)).outcome!;
    } catch (error) {
      outcome = { error };
    }
    this.#kept.delete(number);
    return keptOutcomes().end(extras.id, outcome);
  }

  /** See RunnerService. */
  forget(ids: readonly string[]): void {
    keptOutcomes().forget(ids);
  }

  /** See RunnerService. */
  cancel(number: number, reason: unknown): void {
    this.#jobs.cancel(number, reason, this.#batch.includes(number));
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

  /** What is told needs no answer; asked for it is all the same, so that nothing is kept for it over there. */
  #tell(told: PromiseLike<unknown>): void {
    told.then(nothing, nothing);
  }
}

/** Makes this site run jobs; called by a job server. */
export const open = (setup: RunnerSetup): RunnerService => new Runner(setup);
