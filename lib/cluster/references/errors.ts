import { nameError, OffsiteError } from '../../wire/errors.ts';

/** A Future has its value already, and it can be set only once; `ERR_OFFSITE_FUTURE_SET`. */
export class FutureSetError extends OffsiteError {
  constructor(what: string) {
    super(
      'ERR_OFFSITE_FUTURE_SET',
      `${what} has its value already: a Future can be set only once. Use a RemoteChannel for more values than one.`,
    );
  }
}
nameError(FutureSetError, 'FutureSetError');

/** A channel was closed, and nothing is left in it to be taken; `ERR_OFFSITE_CHANNEL_CLOSED`. */
export class ChannelClosedError extends OffsiteError {
  constructor(what: string) {
    super(
      'ERR_OFFSITE_CHANNEL_CLOSED',
      `${what} was closed: nothing can be put into it, and what was in it has been taken. Make a new one.`,
    );
  }
}
nameError(ChannelClosedError, 'ChannelClosedError');

/** Whether an error is one with this code; by that, because it may be of another copy's class. */
export const hasCode = (error: unknown, code: string): boolean =>
  (error as { code?: unknown } | null | undefined)?.code === code;

/** Whether a channel was closed and is drained, as its store says. */
export const isChannelClosed = (error: unknown): boolean => hasCode(error, 'ERR_OFFSITE_CHANNEL_CLOSED');

/** A reference leads to nothing: nobody made it, or nobody held it any more; `ERR_OFFSITE_NO_REFERENCE`. */
export class NoReferenceError extends OffsiteError {
  constructor(message: string) {
    super('ERR_OFFSITE_NO_REFERENCE', message);
  }
}
nameError(NoReferenceError, 'NoReferenceError');
