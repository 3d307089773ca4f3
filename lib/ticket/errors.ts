import { nameError, OffsiteError } from '../wire/errors.ts';

/** Why a ticket was refused. */
export type TicketReason = 'forged' | 'used' | 'expired' | 'gone' | 'malformed' | 'command';

/** A ticket can't be used; `ERR_OFFSITE_TICKET`. Nothing was reached by it. */
export class TicketError extends OffsiteError {
  /**
   * `malformed` is no ticket at all, `forged` one that was never given out, `used` a one-shot ticket that was taken
   * before, `expired` one whose time is over, `gone` one whose site or value is not there any more, `command` one that
   * leads there by a command which its holder has not given.
   */
  readonly reason: TicketReason;

  constructor(reason: TicketReason, message: string, options?: ErrorOptions) {
    super('ERR_OFFSITE_TICKET', message, options);
    this.reason = reason;
  }
}
nameError(TicketError, 'TicketError');

const SAYINGS: Record<TicketReason, string> = {
  forged: 'was never given out by it; ask for the ticket again, whole and unchanged.',
  used: 'was for one use and has been used; ask for another one, or for one that lasts ({ once: false }).',
  expired: 'has expired; ask for another one.',
  gone: 'leads to what is not there any more; it was closed, has died, or was retracted.',
  command: 'leads there by a command; give that as the option fork.',
  malformed: 'is not one that this version understands; ask for another one.',
};

/** The error of a ticket that was refused; `whose` names the site or value that it is for. */
export const refusedTicket = (reason: TicketReason, whose: string, cause?: unknown): TicketError =>
  new TicketError(reason, `The ticket for ${whose} ${SAYINGS[reason]}`, cause === undefined ? {} : { cause });

/** Whether a word is one of the reasons. */
export const isReason = (word: unknown): word is TicketReason =>
  typeof word === 'string' && Object.hasOwn(SAYINGS, word);
