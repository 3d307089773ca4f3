import { jobHere } from './job-scope.ts';
import type { FileText } from './protocol.ts';

/** What a function can ask and do that a job server runs. */
export interface CurrentJob {
  /** The job's id, as its submitter sees it. */
  readonly id: string;
  /** The name of the node on which it runs. */
  readonly node: string;
  /** Aborted when the job is cancelled, or its time is over; then it has its grace to return its best value. */
  readonly signal: AbortSignal;
  /** A folder of its own, with the files that were sent along; it is removed after the job. */
  readonly folder: string;
  /** What was given to `submit` as `data`. */
  readonly data: unknown;
  /** What the node's `setup` has made, which all jobs of this site share. */
  readonly nodeData: unknown;
  /** The modules and functions that were given to `submit` in `depends`, in that order, loaded. */
  readonly modules: readonly object[];
  /** Sends a value to the submitter before the result is there; resolves when it has arrived. */
  provisional(value: unknown): Promise<void>;
  /**
   * Sends a file to the submitter, under its own name unless another one is said; resolves when it has arrived whole.
   * Rejects with FileTooLargeError and FileTransferError.
   */
  sendFile(path: string, options?: { as?: string }): Promise<FileText>;
  /** Prints a line as this job. */
  log(...words: unknown[]): void;
}

/** The job in which this is called, also after an `await`. Throws NoJobError. */
export const currentJob = (): CurrentJob => jobHere();
