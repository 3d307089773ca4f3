import { nameError, OffsiteError } from '../../lib/wire/errors.ts';

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/**
 * An element of `cellfun` has failed, and there was no error handler: `ERR_OFFSITE_ELEMENT`. The cause is the
 * RemoteException, and its cause what the function threw.
 */
export class ElementError extends OffsiteError {
  /** The element's place in the arrays, from 0 on. */
  readonly index: number;

  constructor(index: number, cause: unknown) {
    super('ERR_OFFSITE_ELEMENT', `Element ${index} has failed: ${messageOf(cause)}`, { cause });
    this.index = index;
  }
}
nameError(ElementError, 'ElementError');
