import * as v from 'valibot';
import type { TicketService } from '../../lib/engine/detached/order.ts';
import type { Remote } from '../../lib/module/remote.ts';
import type { TicketTerms } from '../../lib/ticket/keys.ts';
import { ticketText } from '../../lib/ticket/ticket.ts';
import { bound } from '../../lib/wire/call/bound.ts';
import { OptionError } from '../../lib/wire/errors.ts';
import type { Session } from '../../lib/wire/session.ts';
import type { CheckedOptions } from './options.ts';

/** How long a site may take to make a ticket, in milliseconds: it may be in a long call. */
const MADE_WITHIN = 30_000;

const schema = v.strictObject({
  once: v.optional(v.boolean()),
  expires: v.optional(
    v.union(
      [v.pipe(v.number(), v.minValue(1)), v.date()],
      'must be a number of milliseconds above 0, or a Date',
    ),
  ),
});

/** Checks how long a ticket is to be good for; throws OptionError. */
export const checkTerms = (terms: TicketTerms): TicketTerms => {
  const result = v.safeParse(schema, terms, { abortEarly: true });
  if (result.success) return terms;
  const option = v.getDotPath(result.issues[0]) ?? 'options';
  throw new OptionError(
    option,
    `The option ${option} of a ticket is not right: ${result.issues[0].message}.`,
  );
};

/** The error for what only a detached site can. */
export const notDetached = (name: string, what: string): OptionError =>
  new OptionError('detach', `${name} ends with this process and ${what}; start it with detach: true.`);

/** Has a site make a ticket, and says in it how this manager got there; `here` if the site is on this host. */
export const issueTicket = async (
  session: Session,
  { host, fork }: CheckedOptions,
  { name, here }: { name: string; here: boolean },
  terms: TicketTerms,
): Promise<string> => {
  const service = session.main as unknown as Remote<TicketService>;
  const made = service.ticket(terms);
  const { folder, id, key } = await bound(made, `A ticket for ${name}`, { timeout: MADE_WITHIN });
  return ticketText({ kind: 'site', folder, id, key, name, ...(!here && { host, fork }) });
};
