import type { FunctionText } from '../../lib/cluster/function-text.ts';
import type { FileText, ProgramText } from '../../lib/jobs/protocol.ts';
import { Feed } from './feed.ts';
import type { Journaled } from './journal/journaled.ts';
import type { CheckedSubmitOptions } from './submit-options.ts';

/**
 * Where a job stands, in dispy's words: `waiting` for others whose results it uses, or for its files to be read; `created`
 * and in the queue; `running`; `provisional` if it runs and has said something; and over: `finished` with a value,
 * `cancelled`, `terminated` by its own error, its time or the death of its process, `abandoned` with its node.
 */
export type JobStatus =
  | 'waiting'
  | 'created'
  | 'running'
  | 'provisional'
  | 'finished'
  | 'cancelled'
  | 'terminated'
  | 'abandoned';

/** How a job can be over. */
export type EndStatus = Extract<JobStatus, 'finished' | 'cancelled' | 'terminated' | 'abandoned'>;

/** A file that a job has sent back. */
export interface ReceivedFile {
  /** As the job named it. */
  readonly name: string;
  /** Where it lies on this host. */
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  /** SHA-256, in hexadecimal. */
  readonly hash: string;
}

/** Something that a job printed. */
export interface JobOutput {
  readonly stream: 'stdout' | 'stderr';
  readonly text: string;
}

/** Who is asked to end a job that is not over. */
export interface JobOwner {
  cancel(record: JobRecord, reason: unknown, grace: number | undefined): void;
}

/** How much of what a job printed is kept, in characters; the first of it is dropped. */
const MOST_KEPT = 8 * 1024 * 1024;

/** What a job server knows of a job; `Job` is what its user sees of it. */
export class JobRecord {
  readonly number: number;
  readonly id: string;
  readonly owner: JobOwner;
  readonly options: CheckedSubmitOptions;
  readonly fn: FunctionText | undefined;
  readonly program: ProgramText | undefined;
  /** Forgotten as soon as it is over. */
  args: readonly unknown[];
  status: JobStatus = 'waiting';
  /** In milliseconds since 1970. */
  readonly submitTime: number;
  startTime: number | undefined;
  endTime: number | undefined;
  node: string | undefined;
  attempts = 0;
  /** How often its site ended before it had begun, while it was prepared. */
  lostUnbegun = 0;
  /** Whether it must be alone in its batch: it has more than arguments, or they could not be sent with others. */
  alone = false;
  /** Files that go with it, once they are known. */
  files: readonly FileText[] | undefined;
  /** Modules that are loaded before it begins. */
  modules: readonly FunctionText[] | undefined;
  /** Why it is being ended, if it is; what it gives before it has ended is taken all the same. */
  ending: { readonly error: Error; readonly status: EndStatus } | undefined;
  received: ReceivedFile[] | undefined;
  /** What its journal knows of it, if it has one. */
  journaled: Journaled | undefined;
  value: unknown;
  error: unknown;
  /** Called when it is over, first of all: what was set up for it alone goes. */
  cleanups: (() => void)[] | undefined;
  #output: Feed<JobOutput> | undefined;
  #kept = 0;
  #provisional: Feed<unknown> | undefined;
  #settle: ((record: JobRecord) => void)[] | undefined;

  constructor(
    number: number,
    id: string,
    owner: JobOwner,
    target: { readonly fn?: FunctionText; readonly program?: ProgramText },
    args: readonly unknown[],
    options: CheckedSubmitOptions,
  ) {
    this.number = number;
    this.id = id;
    this.owner = owner;
    this.fn = target.fn;
    this.program = target.program;
    this.args = args;
    this.options = options;
    this.submitTime = Date.now();
  }

  get isOver(): boolean {
    return this.endTime !== undefined;
  }

  get output(): Feed<JobOutput> {
    if (!this.#output) {
      this.#output = new Feed();
      if (this.isOver) this.#output.end();
    }
    return this.#output;
  }

  get provisional(): Feed<unknown> {
    if (!this.#provisional) {
      this.#provisional = new Feed();
      if (this.isOver) this.#provisional.end();
    }
    return this.#provisional;
  }

  /** All that it has printed to one of its streams. */
  printed(stream: JobOutput['stream']): string {
    let text = '';
    for (const piece of this.#output?.kept ?? []) if (piece.stream === stream) text += piece.text;
    return text;
  }

  print(stream: JobOutput['stream'], text: string): void {
    this.output.push({ stream, text });
    this.#kept += text.length;
    while (this.#kept > MOST_KEPT) this.#kept -= this.output.drop()?.text.length ?? this.#kept;
  }

  /** Calls `settled` when it is over; at once if it is. */
  whenOver(settled: (record: JobRecord) => void): void {
    if (this.isOver) return settled(this);
    this.#settle ??= [];
    this.#settle.push(settled);
  }

  /** It is over, and all who wait learn of it; `false` if it was before. */
  end(status: EndStatus, outcome: { readonly value: unknown } | { readonly error: unknown }): boolean {
    if (this.isOver) return false;
    this.status = status;
    this.endTime = Date.now();
    if ('error' in outcome) this.error = outcome.error;
    else this.value = outcome.value;
    this.args = [];
    const { cleanups } = this;
    this.cleanups = undefined;
    if (cleanups) for (const cleanup of cleanups) cleanup();
    this.#output?.end();
    this.#provisional?.end();
    return true;
  }

  /** Tells those who wait for its end; after what the job server itself does at it. */
  tell(): void {
    const settle = this.#settle;
    this.#settle = undefined;
    if (settle) for (const settled of settle) settled(this);
  }
}
