import type { AnyFunction, Callable } from '../lib/cluster/functions.ts';
import type { TreeNode } from '../lib/engine/tree.ts';
import { JobServerClosedError } from '../lib/jobs/errors.ts';
import { whenAborted } from '../lib/wire/call/when-aborted.ts';
import { OptionError } from '../lib/wire/errors.ts';
import { JobServerCore } from './job-server/core.ts';
import type { JobServerEvents } from './job-server/events.ts';
import { type CancelOptions, Job } from './job-server/job.ts';
import type { ArgLists } from './job-server/journal/args.ts';
import type { JobBatch } from './job-server/journal/job-batch.ts';
import { JournaledJobs } from './job-server/journal/journaled-jobs.ts';
import { type FoldWords, MapRun, type MapWords } from './job-server/map.ts';
import type { Monitor, MonitorOptions } from './job-server/monitor.ts';
import {
  checkJobServerOptions,
  checkServer,
  type JobServerOptions,
  type Preparation,
  preparationText,
  type ServerSpec,
} from './job-server/options.ts';
import type { NodeView } from './job-server/placement.ts';
import { type JobServerStats, statsOf, statsText } from './job-server/stats.ts';
import { checkSubmitOptions, type SubmitOptions } from './job-server/submit-options.ts';
import { type ProgramTarget, targetText } from './job-server/target.ts';
import { JobTemplate } from './job-server/template.ts';
import type { JobOf, JobResult, SubmitOptionsOf, SubmitRest } from './job-server/types.ts';
import { adopt, release } from './root.ts';

/** The node of this host. */
const LOCAL = 'local';

let servers = 0;

/**
 * Takes jobs and has them run in sites of this host and of others. `await using` closes it: it then waits for the jobs
 * that were submitted.
 */
export class JobServer implements AsyncDisposable {
  readonly name: string;
  readonly #core: JobServerCore;
  readonly #monitors = new Set<Monitor>();
  #closing: Promise<void> | undefined;
  #unlisten: (() => void) | undefined;

  private constructor(options: JobServerOptions) {
    const checked = checkJobServerOptions(options);
    this.name = checked.name ?? `jobs/${++servers}`;
    this.#core = new JobServerCore(this.name, checked);
    const { ncpus, fork, execArgv, signal } = checked;
    this.#core.addNode(LOCAL, { text: 'local', fork, labels: {}, site: { execArgv } }, { cpus: ncpus });
    for (const server of checked.servers) this.#core.servers.add(server);
    if (signal) this.#unlisten = whenAborted(signal, () => void this.terminate());
    adopt(this);
  }

  /**
   * Opens a job server. Its sites start when jobs need them. Rejects with OptionError, or with the reason of an aborted
   * signal.
   */
  static async open(options: JobServerOptions = {}): Promise<JobServer> {
    // What is no signal is refused with all else that is wrong.
    if (options?.signal instanceof AbortSignal) options.signal.throwIfAborted();
    const jobs = new JobServer(options);
    try {
      await jobs.#openJournal();
      await jobs.#core.servers.search();
      return jobs;
    } catch (cause) {
      await jobs.terminate();
      throw cause;
    }
  }

  async #openJournal(): Promise<void> {
    const core = this.#core;
    const { journal } = core.options;
    if (journal) core.journal = await JournaledJobs.open(core, journal);
  }

  /**
   * Writes many jobs of one function into the journal, as fast as the disk takes them, and holds few of them in memory:
   * one for each list of arguments. `for await (const result of batch)` gives what becomes of them. Throws OptionError,
   * also if there is no journal, UnserializableError, FreeVariableError, FunctorError and JobServerClosedError; what goes
   * wrong with the iterable is told by `batch.submitted`.
   */
  enqueue<R = unknown>(
    target: string,
    argLists: ArgLists<readonly unknown[]>,
    options?: SubmitOptions,
  ): JobBatch<R>;
  enqueue<F extends AnyFunction>(
    target: Callable<F> | F,
    argLists: ArgLists<Parameters<F>>,
    options?: SubmitOptions,
  ): JobBatch<JobResult<ReturnType<F>>>;
  enqueue(target: unknown, argLists: ArgLists<readonly unknown[]>, options?: SubmitOptions): JobBatch {
    return this.#journal().enqueue(targetText(target), argLists, checkSubmitOptions(options));
  }

  /**
   * A job of the journal by its id, whoever submitted it; it rejects with OptionError if there is none. Throws OptionError
   * if there is no journal.
   */
  attach<R = unknown>(id: string): Job<R> {
    return new Job<R>(this.#journal().attach(id));
  }

  /** Ids of all jobs of the journal that have not ended or whose results were not acknowledged. Throws OptionError. */
  attached(): AsyncIterable<string> {
    return this.#journal().ids();
  }

  /** What was enqueued, also by earlier processes, and is not done with. Throws OptionError. */
  batches(): JobBatch[] {
    return this.#journal().batches();
  }

  /** Resolves when all that was submitted so far is in the journal. Rejects with JournalError. Throws OptionError. */
  written(): Promise<void> {
    return this.#journal().written();
  }

  #journal(): JournaledJobs {
    const { journal, closed } = this.#core;
    if (closed) throw closed;
    if (journal) return journal;
    throw new OptionError(
      'journal',
      'This job server has no journal: give JobServer.open({ journal }) a folder.',
    );
  }

  /**
   * Has a job run, as soon as there is a slot for it: a function that `functionsOf` names, a functor that gives one, a plain
   * function that needs nothing of its place, a text like `'./work.js#sum'`, or a program. Jobs among the arguments, also in
   * arrays and plain objects, are waited for, and their results taken. Throws OptionError, FreeVariableError, FunctorError,
   * QueueFullError and JobServerClosedError; all else is told by the job.
   */
  submit<R = unknown>(target: string, args?: readonly unknown[], options?: SubmitOptions<R>): Job<R>;
  submit(
    target: ProgramTarget,
    args?: readonly (string | number)[],
    options?: SubmitOptions<number>,
  ): Job<number>;
  submit<F extends AnyFunction>(target: Callable<F> | F, ...rest: SubmitRest<F>): JobOf<F>;
  submit(target: unknown, args: readonly unknown[] = [], options?: SubmitOptions): Job {
    if (!Array.isArray(args)) {
      throw new OptionError('args', 'The arguments of a job are an array: submit(fn, [first, second]).');
    }
    return new Job(this.#core.submit(targetText(target), args, checkSubmitOptions(options)));
  }

  /** Submits jobs of one function with the same options: `template(sum).submit(1, 2)`. Throws OptionError. */
  template<F extends AnyFunction>(
    target: Callable<F> | F | string,
    options?: SubmitOptionsOf<F>,
  ): JobTemplate<F> {
    const text = targetText(target);
    checkSubmitOptions(options);
    return new JobTemplate<F>(
      (args, own) => new Job(this.#core.submit(text, args, checkSubmitOptions(own))) as JobOf<F>,
      options,
    );
  }

  /**
   * Calls a function with the first elements of all lists, then with the second ones, and so on, in chunks, and gives all
   * results, or what `fold` joins them to: Octave's cellfun and arrayfun. Its last word are options. Rejects with the first
   * failure, which has the element's `index`, or with OptionError, FreeVariableError, FunctorError and UniformOutputError.
   */
  map<F extends AnyFunction>(
    target: Callable<F> | F,
    ...words: FoldWords<F>
  ): Promise<JobResult<ReturnType<F>>>;
  map<F extends AnyFunction>(
    target: Callable<F> | F,
    ...words: MapWords<F>
  ): Promise<JobResult<ReturnType<F>>[]>;
  async map(target: unknown, ...words: unknown[]): Promise<unknown> {
    return new MapRun(this.#core, target, words).run();
  }

  /** Resolves when all jobs of a group are over, or all of all groups. Rejects with the signal's reason only. */
  wait(group?: string, { signal }: { signal?: AbortSignal } = {}): Promise<void> {
    const over = this.#core.groups.whenOver(group);
    if (!signal) return over;
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const unlisten = whenAborted(signal, () => reject(signal.reason));
      void over.then(() => {
        unlisten();
        resolve();
      });
    });
  }

  /** Cancels all jobs of a group that are not over, or all of all groups; resolves when they are. */
  async cancel(group?: string, { grace, reason }: CancelOptions = {}): Promise<void> {
    for (const record of this.#core.groups.of(group)) this.#core.cancel(record, reason, grace);
    await this.wait(group);
  }

  /** Resolves when `submit` takes a job again, because fewer than `maxQueued` wait. Rejects with JobServerClosedError. */
  room(): Promise<void> {
    return this.#core.room();
  }

  /** How many jobs wait for a slot, for other jobs, or for their files to be read. */
  get queued(): number {
    return this.#core.queued;
  }

  /** How many jobs are not over. */
  get pending(): number {
    return this.#core.groups.count;
  }

  /** How many jobs run at once on this host. */
  get ncpus(): number {
    return this.#core.nodes.get(LOCAL)!.cpus;
  }

  /** Sets how many jobs run at once on a node, this host's if none is named: sites that are too many end after their jobs. */
  setNcpus(ncpus: number, node = LOCAL): void {
    if (!Number.isSafeInteger(ncpus) || ncpus < 0) {
      throw new OptionError('ncpus', `ncpus is a whole number from 0 up, not ${ncpus}.`);
    }
    this.#node(node).setCpus(ncpus);
  }

  /** The nodes that take jobs, and how many each runs at once, by their names: Parallel Python's `get_active_nodes`. */
  getActiveNodes(): Record<string, number> {
    const active = [...this.#core.nodes.values()].filter(({ isUsable }) => isUsable);
    return Object.fromEntries(active.map(({ name, cpus }) => [name, cpus]));
  }

  /** All nodes, whatever their state. */
  get nodes(): readonly NodeView[] {
    return [...this.#core.nodes.values()].map(({ view }) => view);
  }

  /** What has been done so far. */
  getStats(): JobServerStats {
    const { nodes, groups, since } = this.#core;
    return statsOf(nodes.values(), groups.count, since);
  }

  /** Prints the tables of Parallel Python and dispy, and returns them. */
  printStats(out: { write(text: string): unknown } = process.stdout): string {
    const text = statsText(this.getStats());
    out.write(text);
    return text;
  }

  /**
   * Opens a web page that shows jobs and nodes as they run and steers them, for those who have its token; it ends with the
   * job server. Rejects with OptionError, DoorError if it can't listen, and JobServerClosedError.
   */
  async monitor(options: MonitorOptions = {}): Promise<Monitor> {
    const { monitorJobs } = await import('./job-server/monitor.ts');
    if (this.#core.closed) throw this.#core.closed;
    const monitor: Monitor = await monitorJobs(this.#core, options, () => this.#monitors.delete(monitor));
    this.#monitors.add(monitor);
    // It was closed in the meantime.
    if (this.#core.closed) {
      await monitor.close();
      throw this.#core.closed;
    }
    return monitor;
  }

  /**
   * Adds a server while it runs; its nodes are told by the event `node`, those of a daemon when it has answered. Throws
   * OptionError and JobServerClosedError.
   */
  addServer(server: string | ServerSpec): void {
    if (this.#core.closed) throw this.#core.closed;
    this.#core.servers.add(checkServer(server));
  }

  /** Gives up all nodes of a server, as it was written, and looks for no more there. Their jobs are lost. */
  async dropServer(server: string): Promise<void> {
    await this.#core.servers.drop(server);
  }

  /** A node takes no more jobs; resolves when those that it has are over. Throws OptionError. */
  async drainNode(name: string): Promise<void> {
    const node = this.#node(name);
    node.setStatus('draining');
    node.trim();
    await Promise.all(
      [...node.slots].map(
        (slot) => new Promise<void>((resolve) => void slot.site.on('exit', () => resolve())),
      ),
    );
  }

  /** A node that was drained takes jobs again. Throws OptionError. */
  resumeNode(name: string): void {
    this.#node(name).setStatus('serving');
  }

  /** Gives a node up at once: its jobs are lost, and run elsewhere if their `retry` allows. Throws OptionError. */
  async dropNode(name: string): Promise<void> {
    await this.#core.dropNode(this.#node(name));
  }

  /**
   * Has the sites of a node, or of all, run their cleanup and setup anew, each before its next job; resolves when those
   * that there are have done it. What is given takes the place of `setup`. Throws OptionError.
   */
  async resetup(name?: string, setup?: Preparation): Promise<void> {
    if (setup !== undefined) this.#core.setup = preparationText(setup, 'setup');
    const nodes = name === undefined ? [...this.#core.nodes.values()] : [this.#node(name)];
    await Promise.all(nodes.map((node) => node.resetup()));
  }

  /** Calls `listener` whenever something becomes of a node or a job. */
  on<E extends keyof JobServerEvents>(event: E, listener: JobServerEvents[E]): this {
    this.#core.listeners.of(event).add(listener);
    return this;
  }

  /** Takes a listener back. */
  off<E extends keyof JobServerEvents>(event: E, listener: JobServerEvents[E]): this {
    this.#core.listeners.of(event).delete(listener);
    return this;
  }

  /**
   * Takes no more jobs, waits for those that there are, for `timeout` ms at most, cancels what is left, and ends all
   * sites in order. Can be called again; never rejects.
   */
  close({ timeout = Number.POSITIVE_INFINITY }: { timeout?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(timeout);
    return this.#closing;
  }

  async #close(timeout: number): Promise<void> {
    this.#core.refuse(new JobServerClosedError());
    if (this.pending > 0 && timeout > 0) {
      const late = new AbortController();
      const timer = timeout < 2 ** 31 ? setTimeout(() => late.abort(), timeout) : undefined;
      await this.wait(undefined, { signal: late.signal }).catch(() => {});
      clearTimeout(timer);
    }
    await this.#end(new JobServerClosedError());
  }

  /** Ends all at once: jobs that are not over reject with JobServerClosedError. Never rejects. */
  terminate(): Promise<void> {
    return this.#end(new JobServerClosedError('The job server was terminated before the job was over.'));
  }

  async #end(error: JobServerClosedError): Promise<void> {
    this.#unlisten?.();
    release(this);
    await this.#core.end(error);
    await Promise.all([...this.#monitors].map((monitor) => monitor.close()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Its part of the tree. */
  async tree({ timeout }: { timeout: number }): Promise<TreeNode> {
    const slots = [...this.#core.nodes.values()].flatMap((node) => [...node.slots]);
    return {
      kind: 'supervisor',
      name: this.name,
      state: this.#core.closed ? 'ended' : 'running',
      children: await Promise.all(slots.map((slot) => slot.site.tree({ timeout }))),
    };
  }

  #node(name: string) {
    const node = this.#core.nodes.get(name);
    if (node) return node;
    const names = [...this.#core.nodes.keys()].join(', ');
    throw new OptionError('node', `There is no node ${JSON.stringify(name)}; there are ${names}.`);
  }
}
