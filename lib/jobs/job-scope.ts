import { CallScope, runningScope } from '../wire/call/scope.ts';
import { NoJobError } from './errors.ts';
import type { FileText, JobExtras } from './protocol.ts';

/** What the runner of a site does for its jobs. */
export interface ScopeHost {
  readonly node: string;
  /** What `setup` made in this site. */
  readonly nodeData: unknown;
  /** Where a job's files lie, with those that were sent along; made when it is first asked for. */
  folderOf(scope: JobScope): string;
  provisional(scope: JobScope, value: unknown): Promise<void>;
  sendFile(scope: JobScope, path: string, name: string | undefined): Promise<FileText>;
  print(scope: JobScope, descriptor: number, text: string): void;
  /** What a job is called whose submitter gave it no name of its own. */
  idOf(number: number): string;
}

/** Registered, so that the runner's copy of this and that of user code know each other's jobs. */
const brand = Symbol.for('offsite.job');

/**
 * A job that runs here: what `currentJob()` gives. It is made for each, so it holds nothing but what it was told until
 * somebody asks.
 */
export class JobScope extends CallScope {
  readonly number: number;
  readonly #host: ScopeHost;
  readonly #extras: JobExtras | undefined;
  /** What was sent and has not arrived; a job is over only then. */
  #sending: Set<Promise<unknown>> | undefined;
  #folder: string | undefined;
  /** What was given to `submit` in `depends` that is no file, in that order, loaded. */
  modules: readonly object[] = [];
  /** Whether it said or printed something, so that its batch is to be told. */
  spoke = false;

  constructor(host: ScopeHost, number: number, extras?: JobExtras) {
    super();
    this.#host = host;
    this.number = number;
    this.#extras = extras;
  }

  get [brand](): true {
    return true;
  }

  /** As its submitter sees it. */
  get id(): string {
    return this.#extras?.id ?? this.#host.idOf(this.number);
  }

  /** The name of the node on which it runs. */
  get node(): string {
    return this.#host.node;
  }

  /** What was given to `submit` as `data`. */
  get data(): unknown {
    return this.#extras?.data;
  }

  /** What the node's `setup` has made, which all jobs of this site share. */
  get nodeData(): unknown {
    return this.#host.nodeData;
  }

  /** A folder of this job's own, with the files that were sent along; it is removed after the job. */
  get folder(): string {
    this.#folder ??= this.#host.folderOf(this);
    return this.#folder;
  }

  /** The folder, if it was ever asked for. */
  get madeFolder(): string | undefined {
    return this.#folder;
  }

  /** The files that go with it. */
  get files(): readonly FileText[] {
    return this.#extras?.files ?? [];
  }

  /** Sends a value to the submitter before the result is there; resolves when it has arrived. */
  provisional(value: unknown): Promise<void> {
    return this.#sends(this.#host.provisional(this, value));
  }

  /**
   * Sends a file to the submitter, under its own name unless another one is said; resolves when it has arrived whole.
   * Rejects with FileTooLargeError and FileTransferError.
   */
  sendFile(path: string, { as }: { as?: string } = {}): Promise<FileText> {
    return this.#sends(this.#host.sendFile(this, path, as));
  }

  /** Prints a line as this job, whoever calls it. */
  log(...words: unknown[]): void {
    const text = words.map((word) => (typeof word === 'string' ? word : JSON.stringify(word))).join(' ');
    this.print(1, `${text}\n`);
  }

  /** Takes what it prints: 1 is the standard output, 2 the standard error. */
  print(descriptor: number, text: string): void {
    if (text === '') return;
    this.spoke = true;
    this.#host.print(this, descriptor, text);
  }

  /** Whether something was sent that has not arrived yet. */
  get sends(): boolean {
    return this.#sending !== undefined && this.#sending.size > 0;
  }

  /** Resolves when all that was sent has arrived, or could not. Never rejects: who sent it has its promise. */
  async sent(): Promise<void> {
    while (this.#sending && this.#sending.size > 0) await Promise.allSettled(this.#sending);
  }

  #sends<T>(sending: Promise<T>): Promise<T> {
    this.spoke = true;
    this.#sending ??= new Set();
    this.#sending.add(sending);
    const done = () => void this.#sending?.delete(sending);
    sending.then(done, done);
    return sending;
  }
}

/** The job in which this is called, also after an `await`; `undefined` if none runs here. */
export const runningJob = (): JobScope | undefined => {
  const scope = runningScope() as (JobScope & { readonly [brand]?: true }) | undefined;
  return scope?.[brand] ? scope : undefined;
};

/** The job in which this is called. Throws NoJobError. */
export const jobHere = (): JobScope => {
  const scope = runningJob();
  if (!scope) throw new NoJobError();
  return scope;
};
