import { nameError, OffsiteError } from '../wire/errors.ts';

/** Which step of starting a site failed. */
export type ForkStep =
  | 'command'
  | 'connect'
  | 'host-key'
  | 'login'
  | 'busy'
  | 'node'
  | 'engine'
  | 'version'
  | 'noise'
  | 'cwd'
  | 'timeout'
  | 'aborted'
  | 'exit';

/** What is known of a fork that failed. */
export interface ForkFailure {
  readonly step: ForkStep;
  /** What happened, as a sentence without the site's name. */
  readonly what: string;
  /** What to do about it, as a sentence. */
  readonly remedy: string;
  readonly exitCode?: number | null;
  readonly signal?: NodeJS.Signals | null;
  readonly stderr?: readonly string[];
  readonly cause?: unknown;
}

/** A site could not be started; `ERR_OFFSITE_FORK`. No process of the attempt is left. */
export class ForkError extends OffsiteError {
  readonly step: ForkStep;
  /** What to do about it, as a sentence. */
  readonly remedy: string;
  /** The exit code of the command that was started, `null` if it was ended by a signal or never ran. */
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The last lines that the command wrote to its standard error. */
  readonly stderr: readonly string[];

  constructor(site: string, failure: ForkFailure) {
    const said = failure.stderr?.length ? ` It said: "${failure.stderr.slice(-3).join(' / ')}".` : '';
    super('ERR_OFFSITE_FORK', `${site} could not be started: ${failure.what}${said} ${failure.remedy}`, {
      ...(failure.cause !== undefined && { cause: failure.cause }),
    });
    this.step = failure.step;
    this.remedy = failure.remedy;
    this.exitCode = failure.exitCode ?? null;
    this.signal = failure.signal ?? null;
    this.stderr = failure.stderr ?? [];
  }
}
nameError(ForkError, 'ForkError');

/** Something that was to be done for a detached site, where it runs, could not be done there; `ERR_OFFSITE_ERRAND`. */
export class ErrandError extends OffsiteError {
  /** What to do about it, as a sentence. */
  readonly remedy: string;

  constructor(message: string, remedy: string, options?: ErrorOptions) {
    super('ERR_OFFSITE_ERRAND', `${message} ${remedy}`, options);
    this.remedy = remedy;
  }
}
nameError(ErrandError, 'ErrandError');
