import { join } from 'node:path';
import * as v from 'valibot';
import { leadsHere } from '../lib/fork/detached.ts';
import { errandTo } from '../lib/fork/errand.ts';
import type { ForkMethod } from '../lib/fork/fork-method.ts';
import { parseHost } from '../lib/fork/host.ts';
import type { Received } from '../lib/module/remote.ts';
import { knock } from '../lib/ticket/door.ts';
import { refusedTicket, TicketError } from '../lib/ticket/errors.ts';
import { IN_FOLDER } from '../lib/ticket/folder.ts';
import type { TicketTerms } from '../lib/ticket/keys.ts';
import { parseTicket, type Ticket, ticketText } from '../lib/ticket/ticket.ts';
import { OptionError } from '../lib/wire/errors.ts';
import type { Limits } from '../lib/wire/limits.ts';
import { StreamLink } from '../lib/wire/link/stream-link.ts';
import { Counter } from './offer/counter.ts';
import { takeOver } from './offer/taker.ts';
import { checkTerms } from './remote-manager/ticket.ts';

/** How long a taker waits, in milliseconds, unless he says otherwise: as a site that is started over there. */
const TAKE_WITHIN = 30_000;

/** How a value is offered. */
export interface OfferOptions extends TicketTerms {
  /** Whether the ticket can be used once only. @default true */
  once?: boolean;
  /** How others get to this host, `[user@]host[:port]`; without it only this host can take it. */
  host?: string;
  /** What it is called in messages. @default 'an offered value' */
  name?: string;
}

/** How a value is taken. */
export interface TakeOptions {
  /** Another way to the host than the ticket says. @default the ticket's, else this host */
  host?: string;
  /** How to get there. @default 'automatic' */
  fork?: ForkMethod;
  /** What it may take, in milliseconds. @default 30000 */
  timeout?: number;
  signal?: AbortSignal;
  engine?: 'travel' | 'installed';
  nodePath?: string;
  sshOptions?: readonly string[];
  /** What a call, a value or a stream may take of this process. @default see Limits */
  limits?: Partial<Limits>;
}

const text = v.optional(v.pipe(v.string(), v.nonEmpty('must not be empty')));
const offerSchema = v.looseObject({ host: text, name: text });
const takeSchema = v.object({
  host: text,
  timeout: v.optional(
    v.pipe(v.number(), v.minValue(1), v.maxValue(2 ** 31 - 1, 'must be below 2^31 milliseconds')),
  ),
  signal: v.optional(v.instance(AbortSignal)),
  sshOptions: v.optional(v.array(v.string())),
});

const check = (schema: v.GenericSchema, options: object, what: string): void => {
  const result = v.safeParse(schema, options, { abortEarly: true });
  if (result.success) return;
  const option = v.getDotPath(result.issues[0]) ?? 'options';
  throw new OptionError(option, `The option ${option} ${what} is not right: ${result.issues[0].message}.`);
};

let counter: Counter | undefined;

/**
 * Makes text by which a process of the same user can `take` a value of this one, after Mozart's Connection: what stays
 * where it is arrives as a reference, all else as a copy. The text holds a secret. What is offered is held until it is
 * taken, retracted or expired. Rejects with OptionError and FolderError.
 */
export const offer = async (value: unknown, options: OfferOptions = {}): Promise<string> => {
  const { once = true, expires, host, name = 'an offered value', ...rest } = options;
  check(offerSchema, options, 'of an offer');
  const terms = { once, ...(expires !== undefined && { expires }) };
  checkTerms({ ...terms, ...rest });
  if (host !== undefined) parseHost(host);
  counter ??= new Counter();
  const { folder } = counter;
  await counter.open;
  const pass = counter.issue(value, terms);
  return ticketText({ kind: 'offer', folder, ...pass, name, ...(host !== undefined && { host }) });
};

/**
 * Takes what a ticket was given out for; in the process that offers it, that is the very value. Rejects with TicketError
 * if the ticket is refused, and as a fork does if its host can't be reached.
 */
export const take = async <T = unknown>(ticket: string, options: TakeOptions = {}): Promise<Received<T>> => {
  check(takeSchema, options, 'of take()');
  const parsed = parseTicket(ticket);
  const { kind, folder, name } = parsed;
  if (kind !== 'offer') {
    throw new TicketError(
      'malformed',
      'This ticket is for a detached site; use RemoteManager.attach(ticket).',
    );
  }
  if (counter?.folder === folder) {
    const found = counter.take(parsed);
    if (typeof found === 'string') throw refusedTicket(found, name);
    return found.value as Received<T>;
  }
  const { timeout = TAKE_WITHIN, signal, limits } = options;
  const way = await wayTo(parsed, { ...options, timeout });
  return (await takeOver({ name, ...way, timeout, signal, limits })) as Received<T>;
};

/**
 * Takes an offer back: its ticket is refused from now on, and the value is held no longer for it. Says whether it could
 * still have been taken; who has taken it keeps it. Throws OptionError for the ticket of another process.
 */
export const retract = (ticket: string): boolean => {
  const { id, folder } = parseTicket(ticket);
  if (counter?.folder === folder) return counter.retract(id);
  throw new OptionError('ticket', 'Only the process that has offered a value can retract it.');
};

const wayTo = async (
  ticket: Ticket,
  options: TakeOptions & { timeout: number },
): Promise<{ link: StreamLink; leave: () => unknown }> => {
  const { folder, id, key, name } = ticket;
  const { host = ticket.host ?? 'localhost', fork = 'automatic', timeout, signal } = options;
  if (leadsHere(host, fork)) {
    const socket = await knock(ticket, join(folder, IN_FOLDER.door), { timeout, signal });
    const link = new StreamLink(socket, socket);
    link.unref();
    return { link, leave: () => link.destroy() };
  }
  const order = { op: 'attach', folder, pass: { id, key }, name, site: false, timeout } as const;
  const { way } = await errandTo({ ...options, host, fork, timeout }, name, order);
  return { link: way.link as StreamLink, leave: () => way.leave!() };
};
