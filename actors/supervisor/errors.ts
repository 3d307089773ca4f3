import { nameError, OffsiteError } from '../../lib/wire/errors.ts';

/** A supervisor has no child of that id, or has it no more; `ERR_OFFSITE_NO_CHILD`. */
export class NoChildError extends OffsiteError {
  readonly id: string;

  constructor(id: string, message: string, options?: ErrorOptions) {
    super('ERR_OFFSITE_NO_CHILD', message, options);
    this.id = id;
  }
}
nameError(NoChildError, 'NoChildError');

/**
 * A child is in a state in which what was asked can't be done: `ERR_OFFSITE_CHILD_RUNNING`, `_CHILD_RESTARTING`,
 * `_CHILD_PRESENT` (its id is taken) or `_CHILD_DOWN` (nothing will start it by itself).
 */
export class ChildStateError extends OffsiteError {
  readonly id: string;

  constructor(
    state: 'RUNNING' | 'RESTARTING' | 'PRESENT' | 'DOWN',
    id: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(`ERR_OFFSITE_CHILD_${state}`, message, options);
    this.id = id;
  }
}
nameError(ChildStateError, 'ChildStateError');

/** A child could not be started; `ERR_OFFSITE_CHILD_START`. The cause tells why. */
export class ChildStartError extends OffsiteError {
  readonly id: string;

  constructor(id: string, message: string, options?: ErrorOptions) {
    super('ERR_OFFSITE_CHILD_START', message, options);
    this.id = id;
  }
}
nameError(ChildStartError, 'ChildStartError');

/** A supervisor was asked for more restarts than its intensity allows, and ended; `ERR_OFFSITE_INTENSITY`. */
export class IntensityError extends OffsiteError {
  /** The child whose restart was one too many. */
  readonly id: string;

  constructor(id: string, message: string, options?: ErrorOptions) {
    super('ERR_OFFSITE_INTENSITY', message, options);
    this.id = id;
  }
}
nameError(IntensityError, 'IntensityError');

/** A supervisor ends or has ended, so that it can't do what was asked; `ERR_OFFSITE_SUPERVISOR_CLOSED`. */
export class SupervisorClosedError extends OffsiteError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_OFFSITE_SUPERVISOR_CLOSED', message, options);
  }
}
nameError(SupervisorClosedError, 'SupervisorClosedError');
