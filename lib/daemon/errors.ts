import { nameError, OffsiteError } from '../wire/errors.ts';

/**
 * The folder in which a daemon's sites are to have theirs can't be used: another daemon has it, it can't be made, or it
 * can't be trusted; `ERR_OFFSITE_SITES_FOLDER`.
 */
export class SitesFolderError extends OffsiteError {
  readonly folder: string;
  /** The process of the daemon that has it. */
  readonly pid: number | undefined;

  constructor(message: string, folder: string, pid?: number, options?: ErrorOptions) {
    super('ERR_OFFSITE_SITES_FOLDER', message, options);
    this.folder = folder;
    this.pid = pid;
  }
}
nameError(SitesFolderError, 'SitesFolderError');
