import { nameError, OffsiteError } from '../../../lib/wire/errors.ts';

/** Slurm gave no allocation, or could not be asked; `ERR_OFFSITE_SLURM`. Nothing of the attempt is left. */
export class SlurmError extends OffsiteError {
  /** What Slurm's command wrote to its standard error, its last lines. */
  readonly stderr: readonly string[];

  constructor(message: string, stderr: readonly string[] = [], options?: ErrorOptions) {
    const said = stderr.length > 0 ? ` It said: "${stderr.slice(-3).join(' / ')}".` : '';
    super('ERR_OFFSITE_SLURM', `${message}${said}`, options);
    this.stderr = stderr;
  }
}
nameError(SlurmError, 'SlurmError');
