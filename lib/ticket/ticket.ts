import { malformed, sealed, unsealed } from './sealed-text.ts';

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

/** The text of a ticket: one word without spaces, fit for a file, a mail or a line of a terminal. */
export const ticketText = (ticket: Ticket): string => sealed({ ...ticket });

/** Whether a field holds text. */
export const isText = (value: unknown): value is string => typeof value === 'string' && value.length > 0;
/** Whether a field holds so many bytes in base64url. */
export const isBytes = (value: unknown, size: number): value is string =>
  isText(value) && /^[\w-]+$/.test(value) && Buffer.from(value, 'base64url').length === size;

/** How many bytes the id of a key has. */
export const ID_SIZE = 8;
/** How many bytes a key has. */
export const KEY_SIZE = 32;

/** Reads a ticket; throws TicketError if the text is none, or was damaged. */
export const parseTicket = (text: string): Ticket => {
  const { kind, folder, id, key, name, host, fork } = unsealed(text) as Partial<Ticket>;
  if ((kind as unknown) === 'join')
    throw malformed('it is for a site that joins a cluster: offsite join takes it');
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
