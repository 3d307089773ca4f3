import { JobCancelledError, JobTimeoutError } from '../../lib/jobs/errors.ts';
import { textOf } from '../../lib/wire/codec/remote-error.ts';
import type { EndStatus, JobRecord } from './job-record.ts';

/** The longest time that Node's timers take; what is longer is no bound. */
const FOREVER = 2 ** 31 - 1;

/** Why a job is to end, and what becomes of it unless it gives a value. */
export interface Ending {
  readonly error: Error;
  readonly status: EndStatus;
}

export const cancelled = (id: string, reason: unknown): Ending => {
  const why = reason === undefined ? '' : `: ${reason instanceof Error ? reason.message : textOf(reason)}`;
  const cause = reason === undefined ? {} : { cause: reason };
  return {
    error: new JobCancelledError(id, `The job ${id} was cancelled${why}.`, cause),
    status: 'cancelled',
  };
};

export const ranTooLong = (id: string, timeout: number): Ending => ({
  error: new JobTimeoutError(
    'ERR_OFFSITE_JOB_TIMEOUT',
    id,
    timeout,
    `The job ${id} ran for longer than its timeout of ${timeout} ms, and was ended. Give it more time.`,
  ),
  status: 'terminated',
});

export const pastDeadline = (id: string, deadline: number): Ending => ({
  error: new JobTimeoutError(
    'ERR_OFFSITE_JOB_DEADLINE',
    id,
    deadline,
    `The job ${id} was not over at its deadline, ${deadline} ms after its submission, and was ended.`,
  ),
  status: 'terminated',
});

/** Does something later for a job, unless that is over before. */
export const whileOpen = (record: JobRecord, ms: number, act: () => void): void => {
  if (ms > FOREVER) return;
  const timer = setTimeout(act, ms);
  record.cleanups ??= [];
  record.cleanups.push(() => clearTimeout(timer));
};
