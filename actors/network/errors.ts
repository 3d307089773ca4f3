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

/** A result of `cellfun` is no scalar, or not of the type of the first: `ERR_OFFSITE_UNIFORM_OUTPUT`. */
export class UniformOutputError extends OffsiteError {
  /** The element's place in the arrays, from 0 on. */
  readonly index: number;

  constructor(index: number, type: string, wanted: string | undefined) {
    const rule = wanted === undefined ? 'which is no number, string, boolean or bigint' : `and not ${wanted}`;
    super(
      'ERR_OFFSITE_UNIFORM_OUTPUT',
      `The result of element ${index} is of the type ${type}, ${rule}; set uniformOutput to false for results of any kind.`,
    );
    this.index = index;
  }
}
nameError(UniformOutputError, 'UniformOutputError');
