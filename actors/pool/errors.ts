import { nameError, OffsiteError } from '../../lib/wire/errors.ts';

/** A pool has no active worker, and none is expected; `ERR_OFFSITE_NO_WORKER`. */
export class NoWorkerError extends OffsiteError {
  constructor(options?: ErrorOptions) {
    super(
      'ERR_OFFSITE_NO_WORKER',
      'No active worker is left in the pool: all of them have ended or were removed. Push others into it, or begin again with another pool.',
      options,
    );
  }
}
nameError(NoWorkerError, 'NoWorkerError');

/** As many wait for a worker of a pool as may; `ERR_OFFSITE_POOL_FULL`. Nothing was done. */
export class PoolFullError extends OffsiteError {
  /** How many may wait. */
  readonly maxQueued: number;

  constructor(maxQueued: number) {
    super(
      'ERR_OFFSITE_POOL_FULL',
      `${maxQueued} callers wait for a worker of the pool already, and no more may (maxQueued). Wait until some are done, or make the pool larger.`,
    );
    this.maxQueued = maxQueued;
  }
}
nameError(PoolFullError, 'PoolFullError');
