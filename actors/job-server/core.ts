import { randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FunctionText, Outcome } from '../../lib/cluster/function-text.ts';
import { type AnyFunction, type Callable, nameOf, plain } from '../../lib/cluster/functions.ts';
import type { Demand } from '../../lib/fork/daemon/node-state.ts';
import {
  JobDependencyError,
  type JobLostError,
  type JobServerClosedError,
  QueueFullError,
  type ServerTrouble,
} from '../../lib/jobs/errors.ts';
import type { FileText } from '../../lib/jobs/protocol.ts';
import { whenAborted } from '../../lib/wire/call/when-aborted.ts';
import type { AttachOptions, RemoteManagerOptions } from '../remote-manager.ts';
import { cancelled, type Ending, pastDeadline, ranTooLong, whileOpen } from './endings.ts';
import { Listeners, tellListener } from './events.ts';
import { Groups } from './groups.ts';
import { Job } from './job.ts';
import { jobsIn, withResults } from './job-args.ts';
import { type EndStatus, type JobOwner, JobRecord } from './job-record.ts';
import type { JournaledJobs } from './journal/journaled-jobs.ts';
import type { KeptServer } from './journal/types.ts';
import { JobNode, type NodeHost } from './node.ts';
import type { CheckedJobServerOptions, CheckedServer, PreparationText } from './options.ts';
import { OutgoingFiles } from './outgoing-files.ts';
import { Scheduler } from './scheduler.ts';
import { Servers, type ServersHost } from './servers.ts';
import { attachOptions, startOptions } from './site-options.ts';
import type { Slot, SlotJournal } from './slot.ts';
import type { CheckedSubmitOptions, Dependency } from './submit-options.ts';
import { type TargetText, targetText } from './target.ts';

/** A job whose site ended so often before it had begun is taken to be the cause: loading its modules may do that. */
const MOST_UNBEGUN = 3;

/** What a job server does: it takes jobs, has them run, and tells what became of them. */
export class JobServerCore implements NodeHost, JobOwner, ServersHost {
  readonly prefix = `${randomBytes(8).toString('hex')}-`;
  readonly name: string;
  readonly options: CheckedJobServerOptions;
  readonly nodes = new Map<string, JobNode>();
  readonly files = new OutgoingFiles();
  readonly groups = new Groups();
  readonly listeners = new Listeners();
  /** How many jobs are over, by how they ended. */
  readonly ended: Record<EndStatus, number> = { finished: 0, cancelled: 0, terminated: 0, abandoned: 0 };
  readonly since = performance.now();
  /** What the user has listed, and where nodes are looked for. */
  readonly servers = new Servers(this);
  /** Where jobs are written down, if they are. */
  journal: JournaledJobs | undefined;
  setup: PreparationText | undefined;
  cleanup: PreparationText | undefined;
  #refusal: JobServerClosedError | undefined;
  #closed: JobServerClosedError | undefined;
  readonly #scheduler: Scheduler;
  #last = 0;
  /** Jobs that wait for others or for their files, and hold their arguments too. */
  #waiting = 0;
  #roomWanted: (() => void)[] = [];
  #folder: string | undefined;

  constructor(name: string, options: CheckedJobServerOptions) {
    this.name = name;
    this.options = options;
    this.setup = options.setup;
    this.cleanup = options.cleanup;
    const { nodeTimeout } = options;
    const { nodes } = this;
    this.#scheduler = new Scheduler({
      nodes: { [Symbol.iterator]: () => nodes.values() },
      nodeTimeout,
      troubles: (): ServerTrouble[] => [...this.servers.troubles].map(([server, why]) => ({ server, why })),
      failed: (record, error) => this.#over(record, 'terminated', { error }),
      left: () => {
        this.#tellRoom();
        this.journal?.pull();
      },
      looked: () => this.servers.demandChanged(),
    });
  }

  get restartWorkers(): boolean {
    return this.options.restartWorkers;
  }

  /** How many jobs were ever submitted. */
  get submitted(): number {
    return this.#last;
  }

  /** How many argument sets are held for jobs that have not begun. */
  get queued(): number {
    return this.#scheduler.length + this.#waiting;
  }

  /** Why nothing is taken any more, if it is not. */
  get closed(): JobServerClosedError | undefined {
    return this.#refusal;
  }

  /** Takes no more jobs; those that there are go on. */
  refuse(error: JobServerClosedError): void {
    this.#refusal ??= error;
    this.#tellRoom();
  }

  /** Ends a node; its jobs are lost. Never rejects. */
  async dropNode(node: JobNode): Promise<void> {
    await node.close();
    this.nodes.delete(node.name);
  }

  /** How much could be used of nodes that somebody shares out. */
  demand(): Demand {
    const { first, length } = this.#scheduler;
    let wants = length;
    for (const node of this.nodes.values()) {
      wants += node.busy;
      // Slots of which no job that waits can make use are none for those: they need others beside them.
      const isNoUse = length > 0 && node.isShared && !this.#scheduler.hasFor(node);
      if (isNoUse) wants += Math.max(0, node.cpus - node.busy);
    }
    return { wants, ...first };
  }

  /** See ServersHost. */
  addNode(wanted: string, server: CheckedServer, how?: ConstructorParameters<typeof JobNode>[3]): JobNode {
    let name = wanted;
    for (let number = 2; this.nodes.has(name); number++) name = `${wanted}#${number}`;
    const node = new JobNode(name, server, this, how);
    this.nodes.set(name, node);
    this.listeners.tellNode(node.view);
    this.pump();
    return node;
  }

  /** Takes a job. Throws QueueFullError and JobServerClosedError. */
  submit(target: TargetText, args: readonly unknown[], options: CheckedSubmitOptions): JobRecord {
    if (this.#refusal) throw this.#refusal;
    if (this.journal) return this.journal.submit(target, args, options);
    return this.submitHere(target, args, options);
  }

  /** The same for what ends with this process, and so is in no journal. Throws QueueFullError and JobServerClosedError. */
  submitHere(target: TargetText, args: readonly unknown[], options: CheckedSubmitOptions): JobRecord {
    if (this.#refusal) throw this.#refusal;
    const { maxQueued } = this.options;
    if (this.queued >= maxQueued) throw new QueueFullError(maxQueued);
    const record = this.make(undefined, target, args, options);
    if (!record.isOver) this.enter(record, target.file);
    return record;
  }

  /** A job that is not in the queue yet, with an id of its own or its journal's. */
  make(
    id: string | undefined,
    target: TargetText,
    args: readonly unknown[],
    options: CheckedSubmitOptions,
  ): JobRecord {
    const number = ++this.#last;
    const record = new JobRecord(number, id ?? this.prefix + number, this, target, args, options);
    record.alone = !options.light || target.program !== undefined;
    this.groups.add(record);
    const { signal, deadline } = options;
    if (deadline !== undefined && deadline <= 0) {
      this.#endRecord(record, pastDeadline(record.id, deadline), options.grace);
      return record;
    }
    if (deadline !== undefined) {
      whileOpen(record, deadline, () =>
        this.#endRecord(record, pastDeadline(record.id, deadline), options.grace),
      );
    }
    if (signal?.aborted) {
      this.cancel(record, signal.reason, undefined);
      return record;
    }
    if (signal) {
      record.cleanups ??= [];
      record.cleanups.push(whenAborted(signal, () => this.cancel(record, signal.reason, undefined)));
    }
    return record;
  }

  /** Has a job run: as soon as the others are over whose results it uses, and its files are read, it is in the queue. */
  enter(record: JobRecord, program: string | undefined): void {
    const needed = jobsIn(record.args);
    if (needed || record.options.depends || program !== undefined) this.#prepare(record, needed, program);
    else this.#scheduler.add(record);
  }

  /** Waits for the jobs whose results a job uses, and reads what goes with it; then it is in the queue. */
  #prepare(record: JobRecord, needed: Set<JobRecord> | undefined, program: string | undefined): void {
    this.#waiting++;
    const prepared = async () => {
      for (const each of needed ?? []) {
        await new Promise<void>((resolve) => each.whenOver(() => resolve()));
        if (each.status === 'finished') continue;
        const why = each.error instanceof Error ? `: ${each.error.message}` : '';
        throw new JobDependencyError(
          record.id,
          `The job ${record.id} never began, because the job ${each.id}, whose result it uses, was ${each.status}${why}`,
          { cause: each.error },
        );
      }
      if (record.isOver) return;
      if (needed) record.args = withResults(record.args);
      await this.#describe(record, program);
    };
    prepared()
      .then(
        () => {
          if (!record.isOver) this.#scheduler.add(record);
        },
        (error: unknown) => this.#over(record, 'terminated', { error }),
      )
      .finally(() => {
        this.#waiting--;
        this.#tellRoom();
      });
  }

  async #describe(record: JobRecord, program: string | undefined): Promise<void> {
    const files: Promise<FileText>[] = [];
    const modules: FunctionText[] = [];
    for (const each of record.options.depends ?? []) {
      if (typeof each === 'string') files.push(this.files.describe(each, undefined));
      else if ('path' in each) files.push(this.files.describe(each.path, each.as));
      else modules.push(moduleText(each));
    }
    if (program !== undefined && record.program)
      files.push(this.files.describe(program, record.program.program));
    if (files.length > 0) record.files = await Promise.all(files);
    if (modules.length > 0) record.modules = modules;
  }

  /** See JobOwner. */
  cancel(record: JobRecord, reason: unknown, grace: number | undefined): void {
    this.#endRecord(record, cancelled(record.id, reason), grace ?? record.options.grace);
  }

  /** Ends a job that is not over: at once if it has not begun, else by its signal, and after its grace with its site. */
  #endRecord(record: JobRecord, ending: Ending, grace: number): void {
    if (record.isOver) return;
    const slot = this.#slotOf(record);
    if (!slot) {
      if (record.status === 'created') this.#scheduler.dropped(record);
      this.#over(record, ending.status, ending);
      return;
    }
    record.ending ??= ending;
    slot.cancel(record, ending.error);
    whileOpen(record, grace, () => {
      // It is in a batch behind another one, which is not to suffer for it; if it begins all the same, nobody hears of it.
      if (slot.running === record) void slot.kill(ending.error);
      else this.#over(record, ending.status, ending);
    });
  }

  #slotOf(record: JobRecord): Slot | undefined {
    for (const node of this.nodes.values()) {
      for (const slot of node.slots) if (slot.jobs.includes(record)) return slot;
    }
    return undefined;
  }

  /** See NodeHost. */
  began(record: JobRecord): void {
    const { timeout, grace } = record.options;
    if (timeout !== undefined) {
      const { attempts } = record;
      whileOpen(record, timeout, () => {
        if (record.attempts === attempts) this.#endRecord(record, ranTooLong(record.id, timeout), grace);
      });
    }
    if (this.listeners.hearsOfJobs) this.listeners.tellJob(new Job(record));
  }

  /** See NodeHost. */
  said(record: JobRecord): void {
    if (this.listeners.hearsOfJobs) this.listeners.tellJob(new Job(record));
  }

  /** See NodeHost. */
  over(record: JobRecord, status: EndStatus, outcome: Outcome): void {
    const { ending, options } = record;
    if ('error' in outcome && ending) {
      if (ending.error.cause === undefined && outcome.error !== ending.error)
        ending.error.cause = outcome.error;
      this.#over(record, ending.status, ending);
    } else if ('error' in outcome && options.retryOn === 'error' && this.#mayRetry(record)) {
      this.#again(record);
    } else this.#over(record, status, outcome);
  }

  /** See NodeHost. */
  handedBack(records: readonly JobRecord[]): void {
    for (let i = records.length - 1; i >= 0; i--) {
      const record = records[i]!;
      if (record.isOver) continue;
      if (record.ending) this.#over(record, record.ending.status, record.ending);
      else this.#again(record);
    }
  }

  /** See NodeHost. */
  lost(record: JobRecord, error: JobLostError, isNodeGone: boolean): void {
    if (record.isOver) return;
    if (record.ending) this.#over(record, record.ending.status, record.ending);
    else if (this.#closed) this.#over(record, 'terminated', { error: this.#closed });
    else if (error.mayHaveRun ? this.#mayRetry(record) : ++record.lostUnbegun < MOST_UNBEGUN)
      this.#again(record);
    else this.#over(record, isNodeGone ? 'abandoned' : 'terminated', { error });
  }

  #mayRetry(record: JobRecord): boolean {
    return record.attempts <= record.options.retries && !this.#closed;
  }

  /** It goes back to where it was in the queue. */
  #again(record: JobRecord): void {
    record.startTime = undefined;
    this.#scheduler.add(record, true);
  }

  #over(record: JobRecord, status: EndStatus, outcome: Outcome): void {
    if (record.isOver) return;
    // What this process gives up because it closes stays in its journal.
    if (!record.journaled || ('error' in outcome && outcome.error === this.#closed)) {
      this.#finish(record, status, outcome);
    } else record.journaled.settle(status, outcome, (settled) => this.#finish(record, status, settled));
  }

  #finish(record: JobRecord, status: EndStatus, outcome: Outcome): void {
    if (!record.end(status, outcome)) return;
    this.ended[status]++;
    const { callback } = record.options;
    if (callback || this.listeners.hearsOfJobs) {
      const job = new Job(record) as Job<never, never>;
      if (callback) tellListener(() => callback(job), `The callback of the job ${record.id}`);
      this.listeners.tellJob(job);
    }
    record.tell();
    this.groups.delete(record);
  }

  /** Resolves when there is room for one more job. */
  room(): Promise<void> {
    if (this.#refusal) return Promise.reject(this.#refusal);
    if (this.queued < this.options.maxQueued) return Promise.resolve();
    return new Promise<void>((resolve) => void this.#roomWanted.push(resolve)).then(() => {
      if (this.#refusal) throw this.#refusal;
    });
  }

  #tellRoom(): void {
    if (this.#roomWanted.length === 0) return;
    if (!this.#refusal && this.queued >= this.options.maxQueued) return;
    const wanted = this.#roomWanted;
    this.#roomWanted = [];
    for (const tell of wanted) tell();
  }

  /** See NodeHost. */
  pump(): void {
    this.#scheduler.pump();
  }

  /** See NodeHost. */
  changed(node: JobNode): void {
    this.listeners.tellNode(node.view);
  }

  /** See NodeHost. */
  preparation({ server: { setupArgs } }: JobNode): { setup?: PreparationText; cleanup?: PreparationText } {
    const { setup, cleanup } = this;
    const own = (text: PreparationText) => (setupArgs ? { ...text, args: setupArgs } : text);
    return { ...(setup && { setup: own(setup) }), ...(cleanup && { cleanup: own(cleanup) }) };
  }

  /** See NodeHost. */
  siteOptions({ name, server, sharedAs }: JobNode, number: number): RemoteManagerOptions {
    return {
      ...startOptions(server, this.options),
      ...this.journal?.siteOptions,
      name: `${this.name}/${name}/${number}`,
      ...(sharedAs !== undefined && { node: sharedAs }),
    };
  }

  /** See NodeHost. */
  journalFor({ server: { text, fork } }: JobNode): SlotJournal | undefined {
    const { journal } = this;
    const isListed = fork === 'daemon' || this.options.servers.some((each) => each.text === text);
    const server = isListed ? { text, daemon: fork === 'daemon' } : undefined;
    return journal && { keep: (site) => journal.keep(site, server), written: () => journal.written() };
  }

  /** See JournaledJobsHost. */
  attachOptions(server: KeptServer | undefined): AttachOptions {
    return attachOptions(server, this.options);
  }

  /** See NodeHost. */
  folderFor({ id, options: { receiveTo } }: JobRecord): string {
    if (receiveTo !== undefined) return receiveTo;
    this.#folder ??= mkdtempSync(join(tmpdir(), 'offsite-received-'));
    return join(this.#folder, id);
  }

  /** Takes no more jobs, ends those that are not over with `error`, and then all nodes. Never rejects. */
  async end(error: JobServerClosedError): Promise<void> {
    this.refuse(error);
    this.#closed ??= error;
    const inSites = new Set(
      [...this.nodes.values()].flatMap(({ slots }) => [...slots].flatMap(({ jobs }) => jobs)),
    );
    for (const record of this.groups.of(undefined)) {
      if (!inSites.has(record)) this.#over(record, 'cancelled', { error });
    }
    this.#scheduler.close();
    await this.servers.close();
    await Promise.all([...this.nodes.values()].map((node) => node.close()));
    for (const record of this.groups.of(undefined)) this.#over(record, 'terminated', { error });
    await this.journal?.close();
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true });
  }
}

const moduleText = (dependency: Exclude<Dependency, string | { path: string }>): FunctionText => {
  if (dependency instanceof URL) return { module: dependency.href, name: '' };
  if (typeof dependency === 'function') return targetText(dependency).fn!;
  return plain(nameOf(dependency as Callable<AnyFunction>));
};
