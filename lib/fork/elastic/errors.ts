import type { DialError } from '../../cluster/direct/errors.ts';
import { TicketError } from '../../ticket/errors.ts';
import type { JoinTicket } from '../../ticket/join-ticket.ts';

const ASK = 'Ask for a new one: elastic.command() gives it.';

/** The error of a ticket whose key the program does not know; it died in the handshake. */
export const unknownTicket = ({ name, host, port }: JoinTicket, cause: DialError): TicketError =>
  new TicketError(
    'forged',
    `What listens at ${host}:${port} does not know this ticket for ${name}: it is another program, or the ticket was given out before it was started, or was changed. ${ASK}`,
    { cause },
  );
