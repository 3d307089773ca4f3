import process from 'node:process';
import { treeOf } from '../../../actors/control/ask.ts';
import { controlled } from '../../../actors/control/sockets.ts';
import type { TreeNode } from '../../engine/tree.ts';
import type { Way } from '../../fork/errand.ts';
import { ticketTo } from '../../ticket/clerk.ts';
import { isTicket } from '../../ticket/sealed-text.ts';
import { type Ticket, ticketText } from '../../ticket/ticket.ts';
import { answerOf } from '../detached/where.ts';
import { UsageError } from '../report.ts';

/** More text than this on the standard input is no ticket, in bytes. */
const LONGEST_TICKET = 64 * 1024;

/** Gives the trees that were asked for, anew at each look. */
export interface Looks {
  look(): Promise<TreeNode[]>;
  /** Lets go of what was looked at; never rejects. */
  end(): Promise<void>;
}

/** What is looked at, and how. */
export interface Wish {
  /** A process id, the name or process id of a detached site, or `-` for a ticket on the standard input. */
  readonly which: string | undefined;
  /** The host of the detached site, if it is not this one. */
  readonly way: Way | undefined;
  /** How long each site may take to answer, in milliseconds. */
  readonly timeout: number;
}

const nothing = async (): Promise<void> => {};

const programs = (timeout: number): Looks => ({
  look: async () => {
    const looks = await Promise.allSettled(controlled().map(({ pid }) => treeOf(pid, { timeout })));
    // One that has ended meanwhile is not missed.
    return looks.flatMap((look) => (look.status === 'fulfilled' ? [look.value] : []));
  },
  end: nothing,
});

const program = (pid: number, timeout: number): Looks => ({
  look: async () => [await treeOf(pid, { timeout })],
  end: nothing,
});

/** A detached site, which has one client more while it is looked at. */
const site = async (ticket: string, { way, timeout }: Wish): Promise<Looks> => {
  // Loaded late: who asks a program needs nothing of it.
  const { RemoteManager } = await import('../../../actors/remote-manager.ts');
  const manager = RemoteManager.attach(ticket, {
    ...(way && { host: way.host, timeout: way.timeout }),
    ...(way?.fork !== undefined && { fork: way.fork }),
    stdout: 'ignore',
    stderr: 'ignore',
  });
  return {
    look: async () => {
      await manager.ready;
      const node = await manager.tree({ timeout });
      if (manager.state === 'ready') return [node];
      throw Object.assign(new Error(`${manager.name} has ended.`), {
        remedy: `See what it said last: offsite logs ${manager.name}`,
      });
    },
    end: () => manager.disconnect(),
  };
};

const ticketOnInput = async (): Promise<string> => {
  let text = '';
  for await (const chunk of process.stdin.setEncoding('utf8')) {
    text += chunk;
    // What is too long is no ticket, and is told so.
    if (text.length > LONGEST_TICKET) break;
  }
  return text;
};

const siteNamed = async (which: string, way: Way | undefined): Promise<Ticket | undefined> => {
  if (way) return answerOf<Ticket>(way, { op: 'ticket', which });
  const found = await ticketTo(which);
  if (!('unnamed' in found)) return found;
  // It may be a program that can't be asked, which is told by asking it.
  if (/^[1-9]\d*$/.test(which)) return undefined;
  throw Object.assign(new Error(found.unnamed), { remedy: found.remedy });
};

/** Finds what is to be looked at; throws UsageError, and the error of not finding it. */
export const looksAt = async (wish: Wish): Promise<Looks> => {
  const { which, way, timeout } = wish;
  if (which === undefined) {
    if (!way) return programs(timeout);
    throw new UsageError(
      `No site on ${way.host} was named.`,
      `Type: offsite tree NAME --host ${way.host}; offsite sites --host ${way.host} lists them`,
    );
  }
  if (isTicket(which)) {
    throw new UsageError(
      'A ticket is a secret, and everybody on this host can see what is on a command line.',
      'Type: offsite tree - < FILE, with the ticket in it; if somebody may have seen this one, end its site',
    );
  }
  if (which === '-') return site(await ticketOnInput(), wish);
  const pid = Number(which);
  if (!way && controlled().some((each) => each.pid === pid)) return program(pid, timeout);
  const ticket = await siteNamed(which, way);
  return ticket ? site(ticketText(ticket), wish) : program(pid, timeout);
};
