import { nameError, OffsiteError } from '../wire/errors.ts';

/** What went wrong with one job; all that say so have the job's id. */
export class JobError extends OffsiteError {
  /** The job's id, as its submitter sees it. */
  readonly job: string;

  constructor(code: string, job: string, message: string, options?: ErrorOptions) {
    super(code, message, options);
    this.job = job;
  }
}
nameError(JobError, 'JobError');

/** The site or node of a job ended before the job did; `ERR_OFFSITE_JOB_LOST`. The cause says how. */
export class JobLostError extends JobError {
  /** Whether the job had begun, so that what it does may be done in part or whole. */
  readonly mayHaveRun: boolean;
  /** The node's name. */
  readonly node: string;

  constructor(job: string, node: string, mayHaveRun: boolean, message: string, options?: ErrorOptions) {
    super('ERR_OFFSITE_JOB_LOST', job, message, options);
    this.node = node;
    this.mayHaveRun = mayHaveRun;
  }
}
nameError(JobLostError, 'JobLostError');

/** A job was cancelled before it gave a value; `ERR_OFFSITE_JOB_CANCELLED`. The cause is the reason that was given. */
export class JobCancelledError extends JobError {
  constructor(job: string, message: string, options?: ErrorOptions) {
    super('ERR_OFFSITE_JOB_CANCELLED', job, message, options);
  }
}
nameError(JobCancelledError, 'JobCancelledError');

/** A job ran for longer than its `timeout`, or was not over at its `deadline`; `ERR_OFFSITE_JOB_TIMEOUT` or `_DEADLINE`. */
export class JobTimeoutError extends JobError {
  /** How long it was given, in milliseconds. */
  readonly waited: number;

  constructor(code: string, job: string, waited: number, message: string, options?: ErrorOptions) {
    super(code, job, message, options);
    this.waited = waited;
  }
}
nameError(JobTimeoutError, 'JobTimeoutError');

/** A job that another one waits for failed; `ERR_OFFSITE_JOB_DEPENDENCY`. The cause is that one's failure. */
export class JobDependencyError extends JobError {
  constructor(job: string, message: string, options?: ErrorOptions) {
    super('ERR_OFFSITE_JOB_DEPENDENCY', job, message, options);
  }
}
nameError(JobDependencyError, 'JobDependencyError');

/** Why one server of a job server runs no jobs. */
export interface ServerTrouble {
  /** As its user wrote it. */
  readonly server: string;
  readonly why: string;
}

/** No node could run a job for `nodeTimeout` milliseconds; `ERR_OFFSITE_JOB_NO_NODE`. */
export class NoNodeError extends JobError {
  /** Each server that was asked, and why it did not do. */
  readonly servers: readonly ServerTrouble[];

  constructor(job: string, servers: readonly ServerTrouble[], message: string, options?: ErrorOptions) {
    super('ERR_OFFSITE_JOB_NO_NODE', job, message, options);
    this.servers = servers;
  }
}
nameError(NoNodeError, 'NoNodeError');

/** So many jobs wait that no more are taken; `ERR_OFFSITE_JOB_QUEUE_FULL`. */
export class QueueFullError extends OffsiteError {
  /** The option `maxQueued`. */
  readonly bound: number;

  constructor(bound: number) {
    super(
      'ERR_OFFSITE_JOB_QUEUE_FULL',
      `${bound} jobs wait already, which is maxQueued; before the next submit do \`await jobs.room()\`, or set maxQueued higher.`,
    );
    this.bound = bound;
  }
}
nameError(QueueFullError, 'QueueFullError');

/** A job server was asked for something after it had been closed; `ERR_OFFSITE_JOB_SERVER_CLOSED`. */
export class JobServerClosedError extends OffsiteError {
  constructor(message = 'The job server was closed; open another one.', options?: ErrorOptions) {
    super('ERR_OFFSITE_JOB_SERVER_CLOSED', message, options);
  }
}
nameError(JobServerClosedError, 'JobServerClosedError');

/** A file has more bytes than the node lets jobs send or fetch; `ERR_OFFSITE_JOB_FILE_TOO_LARGE`. Nothing of it was kept. */
export class FileTooLargeError extends OffsiteError {
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  readonly bound: number;

  constructor(path: string, size: number, bound: number, where: string) {
    super(
      'ERR_OFFSITE_JOB_FILE_TOO_LARGE',
      `${path} has ${size} bytes, but ${where} takes files of at most ${bound}; nothing of it was sent. Send less, or raise maxFileSize there.`,
    );
    this.path = path;
    this.size = size;
    this.bound = bound;
  }
}
nameError(FileTooLargeError, 'FileTooLargeError');

/** A file did not arrive as it was sent, or was changed meanwhile; `ERR_OFFSITE_JOB_FILE`. Nothing of it was kept. */
export class FileTransferError extends OffsiteError {
  readonly path: string;

  constructor(path: string, message: string, options?: ErrorOptions) {
    super('ERR_OFFSITE_JOB_FILE', message, options);
    this.path = path;
  }
}
nameError(FileTransferError, 'FileTransferError');

/** A program could not be run, or was ended by a signal; `ERR_OFFSITE_JOB_PROGRAM`. */
export class ProgramError extends OffsiteError {
  readonly signal: NodeJS.Signals | null;

  constructor(message: string, signal: NodeJS.Signals | null, options?: ErrorOptions) {
    super('ERR_OFFSITE_JOB_PROGRAM', message, options);
    this.signal = signal;
  }
}
nameError(ProgramError, 'ProgramError');

/** `currentJob()` was called where no job runs; `ERR_OFFSITE_JOB_NONE`. */
export class NoJobError extends OffsiteError {
  constructor() {
    super(
      'ERR_OFFSITE_JOB_NONE',
      'No job runs here: currentJob() is for functions that a job server runs, and what they call.',
    );
  }
}
nameError(NoJobError, 'NoJobError');
