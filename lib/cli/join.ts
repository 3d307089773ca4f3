import process from 'node:process';
import { parseBind } from '../cluster/direct/address.ts';
import { OptionError } from '../wire/errors.ts';
import { type Command, numberOf } from './command.ts';
import { untilInterrupted } from './detached/where.ts';
import { isScheduler, serveAsNode } from './join/as-node.ts';
import { beMember } from './join/member.ts';
import { ticketOf } from './join/ticket-of.ts';
import { UsageError } from './report.ts';

const bindOf = (bind: unknown): string | undefined => {
  if (typeof bind !== 'string') return undefined;
  try {
    parseBind(bind);
    return bind;
  } catch (error) {
    if (error instanceof OptionError) throw new UsageError(error.message, 'For example --bind 0.0.0.0');
    throw error;
  }
};

/** `offsite join`: sites on this machine for a cluster elsewhere, or a node for a scheduler. */
export const join: Command = {
  name: 'join',
  description:
    'Start sites here that join a cluster elsewhere, by a ticket that its program gave out; or serve as a node of a scheduler',
  operands: '[wss://SCHEDULER[:PORT]]',
  args: {
    'ticket-file': {
      type: 'string',
      valueHint: 'FILE',
      description: 'A file with the ticket that only you can read (default: the standard input)',
    },
    count: { type: 'string', alias: 'n', valueHint: 'N', description: 'How many sites (default: 1)' },
    name: { type: 'string', valueHint: 'NAME', description: 'Their name in the cluster (default: a number)' },
    bind: {
      type: 'string',
      valueHint: 'HOST[:PORT]',
      description: 'Where other workers may connect (default: only those on this machine)',
    },
    cpus: {
      type: 'string',
      valueHint: 'N',
      description: 'As a node: how many sites at most (default: all cpus)',
    },
    label: {
      type: 'string',
      valueHint: 'KEY=VALUE',
      description: 'As a node: what clients can ask for; may be repeated',
    },
    'secret-file': {
      type: 'string',
      valueHint: 'FILE',
      description: 'As a node: its key, of the domain node (default: your own)',
    },
    retry: { type: 'boolean', description: 'Join again when the program is gone or out of reach' },
    quiet: { type: 'boolean', alias: 'q', description: 'Print nothing but errors' },
  },
  notes: [
    [
      'TICKETS',
      '',
      '  A program gives one out with: new ElasticManager({ bind }).ticket(). Whoever has it can join, so it is read',
      '  from the standard input or a file, and never from the command line, which everybody here can see.',
    ].join('\n'),
    [
      'NODES',
      '',
      '  With wss://SCHEDULER this machine serves as a node of an offsite scheduler. It dials that, again and again, and',
      '  so needs no open port; clients that the scheduler lets in get sites here, as from offsite serve.',
    ].join('\n'),
    [
      'THE END',
      '',
      '  It ends with 0 when its sites were removed, or the program is gone, with 1 when one died or the ticket was',
      '  refused, with 130 after Ctrl-C. Nothing is left then.',
    ].join('\n'),
  ],
  examples: [
    ['offsite join < ticket', 'One site, as long as the program runs that gave the ticket out'],
    ['offsite join --ticket-file ~/ticket --count 4 --retry', 'Four of them, which come back'],
    ['ssh bamse offsite join --name bamse < ticket', 'On another machine'],
    ['offsite join wss://boss --secret-file node.key', 'This machine as a node of the scheduler on boss'],
  ],
  run: async (parsed) => {
    const { args, rest } = parsed;
    if (isScheduler(rest[0]) && rest[1] === undefined) return serveAsNode(rest[0], parsed);
    if (rest[0] !== undefined) {
      throw new UsageError(
        `join takes a scheduler or nothing, and "${rest[0].slice(0, 15)}" was given.`,
        'Give the ticket on the standard input, or with --ticket-file',
      );
    }
    const count = numberOf(parsed, 'count', { least: 1, whole: true }) ?? 1;
    const name = typeof args.name === 'string' ? args.name : undefined;
    const file = typeof args['ticket-file'] === 'string' ? args['ticket-file'] : undefined;
    const bind = bindOf(args.bind);
    const ticket = await ticketOf(file);
    const log = (line: string) => args.quiet !== true && process.stderr.write(`offsite: ${line}\n`);
    const { signal, code, restore } = untilInterrupted();
    try {
      const ends = await Promise.allSettled(
        Array.from({ length: count }, (_, index) => {
          const own = name !== undefined && count > 1 ? `${name}-${index + 1}` : name;
          return beMember({ ticket, name: own, bind, retry: args.retry === true, signal, log });
        }),
      );
      const failed = ends.find((end) => end.status === 'rejected');
      if (failed) throw failed.reason;
      const worst = Math.max(...ends.map((end) => (end as PromiseFulfilledResult<number>).value));
      return code() || worst;
    } finally {
      restore();
    }
  },
};
