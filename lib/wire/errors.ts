import { errorClasses } from './shared.ts';

/** The root of every error that Offsite itself raises; `code` is stable across versions and safe to switch on. */
export class OffsiteError extends Error {
  /** A stable identifier of the kind of failure, always beginning with `ERR_OFFSITE_`. */
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * Gives a class its name on the prototype, as built-in errors have it, so that bundlers can't change it, and makes its
 * errors arrive from other sites as that class.
 */
export const nameError = (errorClass: { prototype: Error }, name: string) => {
  errorClasses.set(name, errorClass);
  Object.defineProperty(errorClass.prototype, 'name', { value: name, configurable: true, writable: true });
};

nameError(OffsiteError, 'OffsiteError');

/** A wait ended because its bound passed; `ERR_OFFSITE_TIMEOUT`. */
export class TimeoutError extends OffsiteError {
  /** How long was waited, in milliseconds. */
  readonly waited: number;

  constructor(message: string, waited: number, options?: ErrorOptions) {
    super('ERR_OFFSITE_TIMEOUT', message, options);
    this.waited = waited;
  }
}
nameError(TimeoutError, 'TimeoutError');

/** A value can't be sent as it is; `ERR_OFFSITE_UNSERIALIZABLE`. Nothing was sent. */
export class UnserializableError extends OffsiteError {
  /** Where in the value the offending part lies, for instance `arguments[0].rows[3].callback`. */
  readonly path: string;

  constructor(message: string, path: string, options?: ErrorOptions) {
    super('ERR_OFFSITE_UNSERIALIZABLE', message, options);
    this.path = path;
  }
}
nameError(UnserializableError, 'UnserializableError');

/** A body arrived that could not be turned into a value again; `ERR_OFFSITE_UNDECODABLE`. The link lives on. */
export class UndecodableError extends OffsiteError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_OFFSITE_UNDECODABLE', message, options);
  }
}
nameError(UndecodableError, 'UndecodableError');

/** The peer broke the protocol, so its link was closed; `ERR_OFFSITE_PROTOCOL`. */
export class ProtocolError extends OffsiteError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_OFFSITE_PROTOCOL', message, options);
  }
}
nameError(ProtocolError, 'ProtocolError');

/**
 * A bound was passed that an option sets: `ERR_OFFSITE_MESSAGE_SIZE`, `_FRAME_SIZE`, `_DEPTH`, `_REFERENCES`, `_CALLS` or
 * `_STREAMS`. Nothing was sent.
 */
export class LimitError extends OffsiteError {
  /** The option's name. */
  readonly limit: string;
  /** What it allows. */
  readonly bound: number;

  constructor(code: string, limit: string, bound: number, message: string, options?: ErrorOptions) {
    super(code, message, options);
    this.limit = limit;
    this.bound = bound;
  }
}
nameError(LimitError, 'LimitError');

/** A reference was used that had been given back with `release`; `ERR_OFFSITE_RELEASED`. */
export class ReleasedError extends OffsiteError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_OFFSITE_RELEASED', message, options);
  }
}
nameError(ReleasedError, 'ReleasedError');

/** An option has a value that it can't have; `ERR_OFFSITE_OPTION`. */
export class OptionError extends OffsiteError {
  /** The option's name as the caller writes it. */
  readonly option: string;

  constructor(option: string, message: string, options?: ErrorOptions) {
    super('ERR_OFFSITE_OPTION', message, options);
    this.option = option;
  }
}
nameError(OptionError, 'OptionError');

/** The site was closed on purpose before or during the call; `ERR_OFFSITE_CLOSED`. */
export class SiteClosedError extends OffsiteError {
  /** Whether the call had been sent, so that the site may have run it. */
  readonly mayHaveRun: boolean;

  constructor(message: string, mayHaveRun: boolean, options?: ErrorOptions) {
    super('ERR_OFFSITE_CLOSED', message, options);
    this.mayHaveRun = mayHaveRun;
  }
}
nameError(SiteClosedError, 'SiteClosedError');

/** How a site ended, as far as its manager could learn. */
export interface Death {
  /** The exit code of the process or thread that was started, `null` if it was ended by a signal. */
  readonly exitCode: number | null;
  /** The signal that ended it, `null` if it exited. */
  readonly signal: NodeJS.Signals | null;
  /** The last lines that the site wrote to its standard error. */
  readonly stderr: readonly string[];
}

/**
 * What ended a site that nobody closed: itself or somebody else, the want of memory, or that nothing was heard of it for
 * longer than `unreachableTimeout`.
 */
export type DeathReason = 'crashed' | 'oom' | 'unreachable';

/** The site died or its link broke before the call was answered; `ERR_OFFSITE_CRASHED`. */
export class SiteCrashedError extends OffsiteError implements Death {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: readonly string[];
  /** Whether the call had been sent, so that the site may have run it; calls are never repeated by themselves. */
  readonly mayHaveRun: boolean;
  /** What ended it. */
  readonly reason: DeathReason;

  constructor(
    message: string,
    death: Death & { readonly reason?: DeathReason },
    mayHaveRun: boolean,
    options?: ErrorOptions,
  ) {
    super('ERR_OFFSITE_CRASHED', message, options);
    this.reason = death.reason ?? 'crashed';
    this.exitCode = death.exitCode;
    this.signal = death.signal;
    this.stderr = death.stderr;
    this.mayHaveRun = mayHaveRun;
  }
}
nameError(SiteCrashedError, 'SiteCrashedError');
