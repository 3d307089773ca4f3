import type { FunctionText, Outcome } from '../../lib/cluster/function-text.ts';
import { FileTooLargeError, JobLostError } from '../../lib/jobs/errors.ts';
import type { KeptOutcome } from '../../lib/jobs/kept.ts';
import {
  type BatchAnswer,
  type JobExtras,
  MAP_CHUNK,
  type RunnerService,
  type SiteFacts,
} from '../../lib/jobs/protocol.ts';
import type * as runner from '../../lib/jobs/runner.ts';
import { functorOf } from '../../lib/module/functor-text.ts';
import type { Remote } from '../../lib/module/remote.ts';
import { arrivedFrom, hide, textOf } from '../../lib/wire/codec/remote-error.ts';
import { SiteClosedError, SiteCrashedError } from '../../lib/wire/errors.ts';
import type { Pace } from '../pool/pace.ts';
import { RemoteManager, type RemoteManagerOptions } from '../remote-manager.ts';
import { release } from '../root.ts';
import { SiteDesk } from './desk.ts';
import type { EndStatus, JobRecord } from './job-record.ts';
import type { PreparationText } from './options.ts';
import type { OutgoingFiles } from './outgoing-files.ts';

/** The module that runs jobs in a site, built into one file from `lib/jobs/runner.ts`. */
const RUNNER = new URL(
  `${import.meta.url.endsWith('.ts') ? '../../dist' : '../..'}/runner/runner.js`,
  import.meta.url,
);

/** How long a site that is closed in order may take for its cleanup, in milliseconds. */
const CLEAN_FOR = 5_000;

/** What a slot is made with. */
export interface SlotOf {
  /** The node's name, and what its sites share. */
  readonly node: string;
  readonly share: string;
  readonly prefix: string;
  readonly maxFileSize: number | undefined;
  readonly files: OutgoingFiles;
  readonly site: RemoteManagerOptions;
  /** Notes how to come back into the site, if it is to outlive this process. */
  readonly keep?: (site: RemoteManager) => Promise<void>;
  /** What runs before the first job, and what undoes it; a new version of it is run before the next job. */
  preparation(): {
    readonly version: number;
    readonly setup?: PreparationText;
    readonly cleanup?: PreparationText;
  };
  readonly events: SlotEvents;
}

/** What a slot tells of itself and its jobs. */
export interface SlotEvents {
  /** It takes jobs. */
  idle(slot: Slot): void;
  /** Its site has ended, or never started: then `cause` says why. */
  ended(slot: Slot, cause: unknown): void;
  facts(facts: SiteFacts): void;
  began(record: JobRecord): void;
  said(record: JobRecord): void;
  over(record: JobRecord, status: EndStatus, outcome: Outcome, took: number): void;
  /** These have not begun. */
  handedBack(records: readonly JobRecord[]): void;
  /** Its site died while it ran. */
  lost(record: JobRecord, error: JobLostError, isNodeGone: boolean): void;
  folderFor(record: JobRecord): string;
  transferred(bytes: { readonly sent?: number; readonly received?: number }): void;
}

const isEndOfSite = (error: unknown): error is SiteCrashedError | SiteClosedError =>
  error instanceof SiteCrashedError || error instanceof SiteClosedError;

/** One place for a job at a time: a site of a node, and the jobs that are in it. */
export class Slot {
  readonly site: RemoteManager;
  state: 'starting' | 'idle' | 'busy' | 'ending' | 'ended' = 'starting';
  /** Whether it has had a job. */
  hasRun = false;
  readonly #of: SlotOf;
  readonly #desk: SiteDesk;
  #runner!: Remote<RunnerService>;
  #prepared = 0;
  /** Modules that it has loaded, and that it loads for a job that is not sent yet. */
  readonly #known = new Set<string>();
  #loading: Promise<void> | undefined;
  /** The jobs that were sent, and which of them runs: those before it are over, those behind it have not begun. */
  #jobs: readonly JobRecord[] = [];
  #at = 0;
  #began = 0;
  #cause: unknown;

  constructor(of: SlotOf) {
    this.#of = of;
    this.#desk = new SiteDesk({
      files: of.files,
      maxFileSize: of.maxFileSize ?? Number.POSITIVE_INFINITY,
      job: (number) => this.#jobs.find((record) => record.number === number && !record.isOver),
      load: (fn) => this.#load(fn),
      started: () => this.#started(),
      done: (_number, took, value) => this.#next({ value }, took),
      said: (record) => of.events.said(record),
      folderFor: (record) => of.events.folderFor(record),
      transferred: (bytes) => of.events.transferred(bytes),
    });
    this.site = new RemoteManager(of.site);
    // It ends with the job server, which closes it in order.
    release(this.site);
    const started = this.#start().catch((cause: unknown) => {
      if (this.state !== 'starting') return;
      this.#cause = cause;
      void this.site.close({ timeout: 0, cause });
    });
    // Why it did not start is known by then.
    this.site.on('exit', () => void started.then(() => this.#end(this.#cause)));
  }

  /** The jobs that are in it and not over. */
  get jobs(): readonly JobRecord[] {
    return this.#jobs.filter((record) => !record.isOver);
  }

  /** The job that runs. */
  get running(): JobRecord | undefined {
    return this.state === 'busy' ? this.#jobs[this.#at] : undefined;
  }

  async #start(): Promise<void> {
    const { node, share, prefix, maxFileSize, events } = this.#of;
    const module = this.site.link<typeof runner>(RUNNER);
    this.#runner = (await module.open({
      node,
      share,
      prefix,
      desk: this.#desk,
      ...(maxFileSize !== undefined && { maxFileSize }),
    })) as unknown as Remote<RunnerService>;
    events.facts((await this.#runner.facts) as SiteFacts);
    await Promise.all([this.#prepare(), this.#of.keep?.(this.site)]);
    if (this.state !== 'starting') return;
    this.state = 'idle';
    events.idle(this);
  }

  /** Runs what is to run before the next job, if that is not what has run. */
  async #prepare(): Promise<void> {
    const { version, setup, cleanup } = this.#of.preparation();
    if (this.#prepared === version) return;
    const functions = [setup?.fn, cleanup?.fn].filter((fn) => fn !== undefined);
    if (functions.length > 0) await this.#loadThere(functions);
    if (this.#prepared > 0) await this.#runner.cleanup(cleanup?.fn, cleanup?.args ?? []);
    if (setup) await this.#runner.setup(setup.fn, setup.args);
    this.#prepared = version;
  }

  /** The modules that a job names and its site has not loaded: until then it can't read arguments of their classes. */
  #unknownOf({ fn, args, modules }: JobRecord): FunctionText[] {
    const called = fn?.module === MAP_CHUNK ? (args as (FunctionText | null)[]).slice(0, 2) : [fn];
    const named = modules ? [...called, ...modules] : called;
    return named.filter(
      (each) => each !== undefined && each !== null && !this.#known.has(each.module),
    ) as FunctionText[];
  }

  /** Has the site load modules. Why one can't be loaded is told by the job that needs it; rejects if the site has ended. */
  async #loadThere(functions: readonly FunctionText[]): Promise<void> {
    try {
      await this.#runner.load(functions);
      for (const { module } of functions) this.#known.add(module);
    } catch (error) {
      if (isEndOfSite(error)) throw error;
    }
  }

  /** Whether its setup is an old one. */
  get isStale(): boolean {
    return this.#prepared !== this.#of.preparation().version;
  }

  /** Sets an idle site up anew; it is idle again then. */
  async refresh(): Promise<void> {
    this.state = 'busy';
    try {
      await this.#prepare();
      this.#free();
    } catch (cause) {
      this.#cause = cause;
      await this.site.close({ timeout: 0, cause });
    }
  }

  /** Runs jobs of one function one after the other, or one that has more than arguments. Never rejects. */
  async run(records: readonly JobRecord[], pace: Pace | undefined): Promise<void> {
    this.state = 'busy';
    this.hasRun = true;
    this.#jobs = records;
    this.#at = 0;
    const [first] = records as readonly [JobRecord];
    const sent = performance.now();
    try {
      const unknown = this.#unknownOf(first);
      if (unknown.length > 0) {
        this.#loading = this.#loadThere(unknown);
        await this.#loading;
        this.#loading = undefined;
      }
      let answer: BatchAnswer;
      if (pace) {
        this.#begin(first);
        answer = (await this.#runner.run(
          first.fn!,
          records.map((record) => record.number),
          records.map((record) => record.args),
          pace.within,
        )) as BatchAnswer;
        if (answer.outcome) {
          const now = performance.now();
          pace.answered({ count: answer.ran, service: now - sent, took: now - this.#began, idle: true });
        }
      } else answer = await this.#runOne(first);
      if (answer.ran < records.length) this.#handBack(records.slice(answer.ran));
      if (!answer.outcome) {
        const late = (await this.#runner.outcome(records[answer.ran - 1]!.number)) as BatchAnswer;
        pace?.answered({ count: 1, service: late.took ?? 0, took: late.took ?? 0, idle: false });
        answer = { ...late, ran: answer.ran };
      }
      this.#next(answer.outcome!, answer.took ?? 0);
      this.#free();
    } catch (error) {
      this.#failed(error);
    }
  }

  async #runOne(record: JobRecord): Promise<BatchAnswer> {
    const { id, fn, number, args, files, modules, program, options } = record;
    const bound = this.#of.maxFileSize ?? Number.POSITIVE_INFINITY;
    for (const file of files ?? []) {
      if (file.size > bound) {
        return {
          ran: 1,
          outcome: { error: new FileTooLargeError(file.name, file.size, bound, this.#of.node) },
        };
      }
    }
    const extras: JobExtras = {
      id,
      ...(options.data !== undefined && { data: options.data }),
      ...(files && { files }),
      ...(modules && { modules }),
      ...(program && { program }),
    };
    const { journaled } = record;
    if (!journaled) return (await this.#runner.runOne(fn, number, args, extras)) as BatchAnswer;
    await journaled.starts(this.site, record.attempts + 1);
    const kept = (await this.#runner.runKept(fn, number, journaled.takeArguments(), extras)) as KeptOutcome;
    record.whenOver(() => void this.#runner.forget([id]).then(undefined, () => {}));
    return { ran: 1, outcome: journaled.ended(kept), took: kept.took };
  }

  /** Has a job end; it may still give its value until its site is killed. */
  cancel(record: JobRecord, reason: unknown): void {
    const tell = () => void this.#runner.cancel(record.number, reason).then(undefined, () => {});
    // Over there nobody knows of it before it was sent, which is done first.
    if (this.#loading) void this.#loading.then(() => setImmediate(tell), tell);
    else tell();
  }

  /** Ends the site at once; the job that runs is lost, the others have not begun. */
  async kill(cause: unknown): Promise<void> {
    await this.site.kill({ cause });
  }

  /** Ends the site in order, with its cleanup. Never rejects. */
  async close(isLast: boolean): Promise<void> {
    if (this.state === 'ended') return;
    const wasIdle = this.state === 'idle';
    this.state = 'ending';
    if (wasIdle) {
      const { cleanup } = this.#of.preparation();
      const cleaned = (async () => {
        if (this.#prepared > 0) await this.#runner.cleanup(cleanup?.fn, cleanup?.args ?? []);
        await this.#runner.close(isLast);
      })();
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, CLEAN_FOR);
      });
      await Promise.race([cleaned, late]).catch((cause: unknown) => {
        if (isEndOfSite(cause)) return;
        process.emitWarning(`The cleanup of ${this.site.name} failed: ${textOf(cause)}`);
      });
      clearTimeout(timer);
    }
    await this.site.close();
  }

  #begin(record: JobRecord): void {
    this.#began = performance.now();
    record.status = 'running';
    record.startTime = Date.now();
    record.node = this.#of.node;
    record.attempts++;
    this.#of.events.began(record);
  }

  #started(): void {
    const record = this.#jobs[this.#at];
    if (record) this.#begin(record);
  }

  /** The job that runs is over, and the next one begins if there is one. */
  #next(outcome: Outcome, took: number): void {
    const record = this.#jobs[this.#at++]!;
    if ('error' in outcome) {
      const error = arrivedFrom(outcome.error, this.site.name, '');
      if (error instanceof Error && !Object.hasOwn(error, 'job')) hide(error, 'job', record.id);
      this.#of.events.over(record, 'terminated', { error }, took);
    } else this.#of.events.over(record, 'finished', outcome, took);
    const next = this.#jobs[this.#at];
    if (next) this.#begin(next);
  }

  #handBack(records: readonly JobRecord[]): void {
    this.#jobs = this.#jobs.slice(0, this.#jobs.length - records.length);
    this.#of.events.handedBack(records);
  }

  #free(): void {
    this.#jobs = [];
    if (this.state !== 'busy') return;
    this.state = 'idle';
    this.#of.events.idle(this);
  }

  /** The call that carried jobs failed: the one that ran can't be sent, or is lost; those behind it have not begun. */
  #failed(error: unknown): void {
    const records = this.#jobs.slice(this.#at);
    const [record, ...rest] = records;
    this.#jobs = [];
    const { events } = this.#of;
    if (!record) return isEndOfSite(error) ? undefined : this.#free();
    if (isEndOfSite(error)) {
      events.handedBack(rest);
      const { reason } = error as Partial<SiteCrashedError>;
      events.lost(record, this.#lost(record, error), reason === 'unreachable');
      return;
    }
    // Here already, so nothing was sent: it may be the fault of any of them.
    if (!Object.hasOwn(error as object, 'site') && records.length > 1) {
      for (const each of records) each.alone = true;
      events.handedBack(records);
    } else {
      events.handedBack(rest);
      events.over(record, 'terminated', { error }, 0);
    }
    this.#free();
  }

  #lost(record: JobRecord, cause: SiteCrashedError | SiteClosedError): JobLostError {
    const { node } = this.#of;
    const ran = record.startTime !== undefined && cause.mayHaveRun;
    const what = ran ? 'it may have run in part or whole' : 'it had not begun';
    return new JobLostError(
      record.id,
      node,
      ran,
      `The job ${record.id} was lost on ${node}, because its site ended: ${cause.message} Of the job, ${what}; with the option retry it is run again.`,
      { cause },
    );
  }

  #load({ module, functor }: FunctionText): Promise<object> {
    return (functor
      ? this.site.apply(functorOf(functor))
      : this.site.link(module)) as unknown as Promise<object>;
  }

  #end(cause: unknown): void {
    if (this.state === 'ended') return;
    this.state = 'ended';
    this.#of.events.ended(this, cause);
  }
}
