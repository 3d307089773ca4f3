import { nameError, OffsiteError } from '../../wire/errors.ts';

/** A result of a function over arrays is no scalar, or not of the type of the first; `ERR_OFFSITE_UNIFORM_OUTPUT`. */
export class UniformOutputError extends OffsiteError {
  /** The element's place in the arrays, from 0 on. */
  readonly index: number;

  /** `remedy` says how results of any kind are asked for. */
  constructor(index: number, type: string, wanted: string | undefined, remedy: string) {
    const rule = wanted === undefined ? 'which is no number, string, boolean or bigint' : `and not ${wanted}`;
    super(
      'ERR_OFFSITE_UNIFORM_OUTPUT',
      `The result of element ${index} is of the type ${type}, ${rule}; ${remedy} for results of any kind.`,
    );
    this.index = index;
  }
}
nameError(UniformOutputError, 'UniformOutputError');
