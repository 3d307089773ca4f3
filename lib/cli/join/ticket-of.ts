import { readFileSync, statSync } from 'node:fs';
import process from 'node:process';
import { text } from 'node:stream/consumers';
import { type JoinTicket, parseJoinTicket } from '../../ticket/join-ticket.ts';
import { UsageError } from '../report.ts';

/** Who is not the owner: such a file's ticket is not secret any more. */
const OTHERS = 0o077;

const textOfFile = (path: string): string => {
  let mode: number;
  try {
    ({ mode } = statSync(path));
    // What is no file, as `<(pass offsite)` makes, is nobody else's.
    if (!statSync(path).isFile()) mode = 0;
  } catch (cause) {
    throw new UsageError(
      `The ticket file ${path} can not be read: ${(cause as Error).message}.`,
      'Write the ticket into a file that is yours alone, or give it on the standard input',
    );
  }
  if ((mode & OTHERS) !== 0) {
    throw new UsageError(
      `The ticket in ${path} can be read by others, and whoever has it can join.`,
      `Type: chmod 600 ${path}`,
    );
  }
  return readFileSync(path, 'utf8');
};

/** The ticket to join by, from a file or the standard input, never from the command line. Rejects with TicketError. */
export const ticketOf = async (file: string | undefined): Promise<JoinTicket> => {
  if (file !== undefined && file !== '-') return parseJoinTicket(textOfFile(file));
  if (process.stdin.isTTY) process.stderr.write('offsite: the ticket, then Ctrl-D:\n');
  return parseJoinTicket(await text(process.stdin));
};
