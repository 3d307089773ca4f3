import { createHash } from 'node:crypto';
import { TicketError } from './errors.ts';

/** How every ticket begins. */
const WORD = 'offsite-ticket:';
/** Longer text is no ticket. */
const LONGEST = 8_192;
/** How many bytes of a hash stand behind what is said, so that a ticket that was copied in part is known for one. */
const CHECK = 4;

const checkOf = (said: Uint8Array): Buffer => createHash('sha256').update(said).digest().subarray(0, CHECK);

/** What a ticket says, as one word without spaces. */
export const sealed = (fields: object): string => {
  const said = Buffer.from(JSON.stringify({ v: 1, ...fields }));
  return WORD + Buffer.concat([said, checkOf(said)]).toString('base64url');
};

/** Whether a text is meant to be a ticket. */
export const isTicket = (text: string): boolean => text.trim().startsWith(WORD);

/** The error of a text that is no ticket, with what is wrong with it. */
export const malformed = (what: string, cause?: unknown): TicketError =>
  new TicketError(
    'malformed',
    `The ticket can not be read: ${what}. Give the whole text that ticket() or offer() gave.`,
    cause === undefined ? {} : { cause },
  );

/** What a ticket says, none of it looked at yet; throws TicketError if the text is none, or was damaged. */
export const unsealed = (text: string): Record<string, unknown> => {
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
  let fields: Record<string, unknown>;
  try {
    fields = (JSON.parse(said.toString('utf8')) ?? {}) as Record<string, unknown>;
  } catch (cause) {
    throw malformed('what is in it can not be read', cause);
  }
  const { v, ...rest } = fields;
  if (v !== 1) throw malformed(`it is of version ${String(v)}, which this version of offsite does not know`);
  return rest;
};
