import { hostname } from 'node:os';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { DialError } from '../../cluster/direct/errors.ts';
import { dialIn } from '../../fork/elastic/dial-in.ts';
import { type Ended, serve } from '../../fork/elastic/serve.ts';
import type { JoinTicket } from '../../ticket/join-ticket.ts';
import { messageOf } from '../report.ts';

/** How long is waited before a program is dialled again, in milliseconds; each time twice as long. */
const FIRST_DELAY = 500;
/** The longest of these waits, in milliseconds. */
const LONGEST_DELAY = 30_000;

/** How one site joins. */
export interface MemberOptions {
  readonly ticket: JoinTicket;
  readonly name: string | undefined;
  /** Where it lets other workers connect. */
  readonly bind: string | undefined;
  /** Whether it joins again when it has lost its cluster. */
  readonly retry: boolean;
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
}

const whatEnded = (ended: Ended): string => {
  switch (ended.how) {
    case 'removed':
      return 'has left the cluster';
    case 'lost':
      return `has ended: the program that it had joined is gone${ended.cause ? ` (${ended.cause.message})` : ''}`;
    case 'failed':
      return `could not be started: ${messageOf(ended.failure)}`;
    case 'died': {
      const { exitCode, signal } = ended.death;
      return signal ? `was ended by ${signal}` : `ended with exit code ${exitCode}`;
    }
  }
};

/**
 * Joins with one site, again and again if it is to; gives the exit code when it is over. Rejects with what the ticket or
 * the way there has.
 */
export const beMember = async ({
  ticket,
  name,
  bind,
  retry,
  signal,
  log,
}: MemberOptions): Promise<number> => {
  const hello = { host: hostname(), pid: process.pid, ...(name && { name }), ...(bind && { bind }) };
  let wait = FIRST_DELAY;
  for (;;) {
    try {
      const letIn = await dialIn(ticket, hello, { signal });
      let who = name ?? 'the site';
      const ended = await serve(letIn, signal, {
        onStart: (given, pid) => {
          who = `${given} (pid ${pid})`;
          wait = FIRST_DELAY;
          log(`${who} has joined ${ticket.name}`);
        },
      });
      if (signal.aborted) return 0;
      log(`${who} ${whatEnded(ended)}`);
      if (ended.how === 'removed') return 0;
      if (!retry) return ended.how === 'lost' ? 0 : 1;
    } catch (error) {
      if (signal.aborted) return 0;
      // Only the way may be mended by itself.
      const mayPass = error instanceof DialError && ['refused', 'unreachable'].includes(error.reason);
      if (!retry || !mayPass) throw error;
      log(messageOf(error));
    }
    try {
      await delay(wait, undefined, { signal });
    } catch {
      return 0;
    }
    wait = Math.min(wait * 2, LONGEST_DELAY);
  }
};
