import { nameError, OffsiteError } from '../../lib/wire/errors.ts';

/** An actor's mailbox is full, so an event was not taken; `ERR_OFFSITE_MAILBOX`. Nothing was sent. */
export class MailboxFullError extends OffsiteError {
  /** The actor's id, as its parent knows it. */
  readonly actor: string;
  /** The site in which the actor runs. */
  readonly site: string;
  /** How many events may wait for the actor. */
  readonly bound: number;

  constructor(actor: string, site: string, bound: number, options?: ErrorOptions) {
    super(
      'ERR_OFFSITE_MAILBOX',
      `${bound} events that the actor ${actor} in ${site} has not acknowledged are waiting, and its mailbox takes no more; ` +
        'send fewer at once, wait for what it answers, or give the option mailbox more.',
      options,
    );
    this.actor = actor;
    this.site = site;
    this.bound = bound;
  }
}
nameError(MailboxFullError, 'MailboxFullError');

/** What a module exports under a name is no actor logic, or can't be run; `ERR_OFFSITE_ACTOR_LOGIC`. */
export class ActorLogicError extends OffsiteError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_OFFSITE_ACTOR_LOGIC', message, options);
  }
}
nameError(ActorLogicError, 'ActorLogicError');

/** Events did not reach their actor; `ERR_OFFSITE_DEAD_LETTER`. Its cause says why. */
export class DeadLetterError extends OffsiteError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_OFFSITE_DEAD_LETTER', message, options);
  }
}
nameError(DeadLetterError, 'DeadLetterError');
