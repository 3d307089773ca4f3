import { nameError, OffsiteError } from '../../../lib/wire/errors.ts';

/** A journal can't be opened or written; `ERR_OFFSITE_JOURNAL`, and the codes of the classes below. */
export class JournalError extends OffsiteError {
  /** Where the journal is. */
  readonly path: string;

  constructor(
    path: string,
    message: string,
    { code = 'ERR_OFFSITE_JOURNAL', ...options }: JournalErrorOptions = {},
  ) {
    super(code, message, options);
    this.path = path;
  }
}
nameError(JournalError, 'JournalError');

/** Its cause, and its code if it has one of its own. */
export interface JournalErrorOptions extends ErrorOptions {
  readonly code?: string;
}

/** Another job server that lives has the journal open; `ERR_OFFSITE_JOURNAL_HELD`. */
export class JournalHeldError extends JournalError {
  /** Its process id, if it could be read. */
  readonly pid: number | undefined;

  constructor(path: string, pid: number | undefined, options?: ErrorOptions) {
    const who =
      pid === undefined ? 'another process' : pid === process.pid ? 'this process' : `the process ${pid}`;
    super(
      path,
      `The journal ${path} is open in ${who} already, and only one job server can have it. Close that one, or wait for its end; when its process is gone, the journal is free at once.`,
      { ...options, code: 'ERR_OFFSITE_JOURNAL_HELD' },
    );
    this.pid = pid;
  }
}
nameError(JournalHeldError, 'JournalHeldError');

/** Something in the journal can't be read; `ERR_OFFSITE_JOURNAL_DAMAGED`. Nothing in it was changed. */
export class JournalDamagedError extends JournalError {
  constructor(path: string, what: string, options?: ErrorOptions) {
    super(
      path,
      `The journal ${path} is damaged: ${what}. Make a copy of the folder and call repairJournal(${JSON.stringify(path)}), which keeps all that can still be read; or take a backup of it, or another path to begin anew.`,
      { ...options, code: 'ERR_OFFSITE_JOURNAL_DAMAGED' },
    );
  }
}
nameError(JournalDamagedError, 'JournalDamagedError');
