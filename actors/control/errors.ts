import { nameError, OffsiteError } from '../../lib/wire/errors.ts';

/** A program can't be reached by its control socket; `ERR_OFFSITE_CONTROL`. */
export class ControlError extends OffsiteError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_OFFSITE_CONTROL', message, options);
  }
}
nameError(ControlError, 'ControlError');
