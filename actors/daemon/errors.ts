import { nameError, OffsiteError } from '../../lib/wire/errors.ts';

/** A daemon can't do what it was told to in the state that it is in; `ERR_OFFSITE_DAEMON`. */
export class DaemonError extends OffsiteError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_OFFSITE_DAEMON', message, options);
  }
}
nameError(DaemonError, 'DaemonError');
