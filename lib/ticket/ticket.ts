import { createHash } from 'node:crypto';
import { TicketError } from './errors.ts';

/** What the text of a ticket says. */
export interface Ticket {
  /** Whether it leads to a detached site or to an offered value. */
  readonly kind: 'site' | 'offer';
  /** The private folder with the socket, on the host where the site or the offering process runs. */
  readonly folder: string;
  /** Which key of that process it is, 8 bytes in base64url; no secret. */
  readonly id: string;
  /** The secret, 32 bytes in base64url. */
  readonly key: string;
  /** The site's name, or what the value was offered as, for messages. */
  readonly name: string;
  /** The host as its user wrote it, if a fork method has to lead there. */
  readonly host?: string;
  /** That fork method. */
  readonly fork?: string | readonly string[];
}

/** How every ticket begins. */
const WORD = 'offsite-ticket:';
/** Longer text is no ticket. */
const LONGEST = 8_192;
/** How many bytes of a hash stand behind what is said, so that a ticket that was copied in part is known for one. */
const CHECK = 4;

const checkOf = (said: Uint8Array): Buffer => createHash('sha256').update(said).digest().subarray(0, CHECK);

/** The text of a ticket: one word without spaces, fit for a file, a mail or a line of a terminal. */
export const ticketText = (ticket: Ticket): string => {
  const said = Buffer.from(JSON.stringify({ v: 1, ...ticket }));
  return WORD + Buffer.concat([said, checkOf(said)]).toString('base64url');
};

const isText = (value: unknown): value is string => typeof value === 'string' && value.length > 0;
const isBytes = (value: unknown, size: number): value is string =>
  isText(value) && /^[\w-]+$/.test(value) && Buffer.from(value, 'base64url').length === size;

/** How many bytes the id of a key has. */
export const ID_SIZE = 8;
/** How many bytes a key has. */
export const KEY_SIZE = 32;

/** Whether a text is meant to be a ticket. */
export const isTicket = (text: string): boolean => text.trim().startsWith(WORD);

/** Reads a ticket; throws TicketError if the text is none, or was damaged. */
export const parseTicket = (text: string): Ticket => {
  const malformed = (what: string, cause?: unknown) =>
    new TicketError(
      'malformed',
      `The ticket can not be read: ${what}. Give the whole text that ticket() or offer() gave.`,
      cause === undefined ? {} : { cause },
    );
  if (typeof text !== 'string') throw malformed('it is no text');
  const trimmed = text.trim();
  if (!trimmed.startsWith(WORD)) throw malformed(`it does not begin with "${WORD}"`);
  if (trimmed.length > LONGEST) throw malformed('it is too long');
  const coded = trimmed.slice(WORD.length);
  const bytes = Buffer.from(coded, 'base64url');
  const said = bytes.subarray(0, -CHECK);
  // The last letter may hold bits that mean nothing, so that two texts would be read as one.
  const whole = bytes.toString('base64url') === coded;
  if (!whole || bytes.length <= CHECK || !checkOf(said).equals(bytes.subarray(-CHECK)))
    throw malformed('a part of it is missing or was changed');
  let fields: Partial<Ticket> & { v?: unknown };
  try {
    fields = (JSON.parse(said.toString('utf8')) ?? {}) as typeof fields;
  } catch (cause) {
    throw malformed('what is in it can not be read', cause);
  }
  const { v, kind, folder, id, key, name, host, fork } = fields;
  if (v !== 1) throw malformed(`it is of version ${String(v)}, which this version of offsite does not know`);
  const isFork = fork === undefined || isText(fork) || (Array.isArray(fork) && fork.every(isText));
  const holds =
    (kind === 'site' || kind === 'offer') &&
    isText(folder) &&
    isBytes(id, ID_SIZE) &&
    isBytes(key, KEY_SIZE) &&
    isText(name) &&
    (host === undefined || isText(host)) &&
    isFork;
  if (!holds) throw malformed('something that a ticket says is missing in it');
  return {
    kind,
    folder,
    id,
    key,
    name,
    ...(host !== undefined && { host }),
    ...(fork !== undefined && { fork }),
  };
};
