import { malformed, sealed, unsealed } from './sealed-text.ts';
import { ID_SIZE, isBytes, isText, KEY_SIZE } from './ticket.ts';

/** What the text of a ticket says by which sites join a cluster. */
export interface JoinTicket {
  /** Where the cluster's program listens: a name or an IP address, and a port. */
  readonly host: string;
  readonly port: number;
  /** Which key of that program it is, 8 bytes in base64url; no secret. */
  readonly id: string;
  /** The secret, 32 bytes in base64url. */
  readonly key: string;
  /** What is joined, for messages. */
  readonly name: string;
}

/** The text of a ticket by which sites join: one word without spaces. */
export const joinTicketText = (ticket: JoinTicket): string => sealed({ kind: 'join', ...ticket });

/** Reads a ticket by which sites join; throws TicketError if the text is none, or was damaged. */
export const parseJoinTicket = (text: string): JoinTicket => {
  const { kind, host, port, id, key, name } = unsealed(text) as Partial<JoinTicket> & { kind?: unknown };
  if (kind === 'site' || kind === 'offer')
    throw malformed(`it is for ${kind === 'site' ? 'a detached site' : 'an offered value'}, not for joining`);
  const holds =
    kind === 'join' &&
    isText(host) &&
    Number.isInteger(port) &&
    port! > 0 &&
    port! < 65_536 &&
    isBytes(id, ID_SIZE) &&
    isBytes(key, KEY_SIZE) &&
    isText(name);
  if (!holds) throw malformed('something that a ticket says is missing in it');
  return { host, port: port!, id, key, name };
};
