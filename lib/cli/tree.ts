import process from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';
import { ControlError } from '../../actors/control/errors.ts';
import type { TreeNode } from '../engine/tree.ts';
import { checkPrivateRoot } from '../ticket/folder.ts';
import { type Command, numberOf } from './command.ts';
import { DEFAULT_S, WHERE, wayOf } from './detached/where.ts';
import { UsageError } from './report.ts';
import { looksAt } from './tree/looks.ts';
import { treeText } from './tree/render.ts';

/** How often `--watch` looks, in seconds, and how long each site may take to answer. */
const DEFAULTS = { every: 1, timeout: 1 };
const SECOND = 1_000;
/** To the upper left, and all behind it gone. */
const AGAIN = '\u001b[H\u001b[J';

/** `offsite tree`: the supervisors, sites and actors of a program or a detached site, as they are now or live. */
export const tree: Command = {
  name: 'tree',
  description:
    'Show the supervisors, sites and actors of a program or a detached site, or of all programs that can be asked',
  operands: '[PID|NAME|-]',
  args: {
    watch: { type: 'boolean', alias: 'w', description: 'Show it again and again, until Ctrl-C' },
    json: { type: 'boolean', description: 'One line of JSON for each program' },
    every: {
      type: 'string',
      valueHint: 'S',
      description: `Seconds between two looks of --watch (default: ${DEFAULTS.every})`,
    },
    timeout: {
      type: 'string',
      valueHint: 'S',
      description: `Seconds that each site may take to answer (default: ${DEFAULTS.timeout})`,
    },
    host: { ...WHERE.host, description: 'Where the detached site runs, user@host:port (default: here)' },
    fork: WHERE.fork,
  },
  notes: [
    'A program can be asked from its first Supervisor on, or after it has called expose(); by its own user only.',
    [
      'DETACHED SITES',
      '',
      '  One of yours is named by its name or pid. One that you have a ticket for is asked with -, and the ticket on',
      '  the standard input: it is a secret, and everybody can see what is on a command line. With --watch the site has',
      '  one client more, so its idleTimeout does not end it meanwhile.',
    ].join('\n'),
  ],
  examples: [
    ['offsite tree', 'All programs of yours that can be asked'],
    ['offsite tree 4711 --watch', 'One of them, live'],
    ['offsite tree 4711 --json', 'The same for another program to read'],
    ['offsite tree crawler --host bamse', 'A detached site of yours on bamse, by ssh'],
    ['offsite tree - < ticket.txt', 'The detached site that a ticket leads to'],
  ],
  run: async (parsed) => {
    const { args, rest } = parsed;
    if (rest.length > 1)
      throw new UsageError('More than one program or site was named.', 'Type: offsite tree --help');
    const every = (numberOf(parsed, 'every', { least: 0 }) ?? DEFAULTS.every) * SECOND;
    const timeout = (numberOf(parsed, 'timeout', { least: 0 }) ?? DEFAULTS.timeout) * SECOND;
    const out = process.stdout;
    if (args.watch === true && args.json !== true && !out.isTTY) {
      throw new UsageError(
        '--watch draws on a terminal, and this is none.',
        'Use --watch --json, or no --watch',
      );
    }
    const show = (trees: readonly TreeNode[]) => {
      if (args.json === true) for (const each of trees) out.write(`${JSON.stringify(each)}\n`);
      else
        out.write(
          `${args.watch === true ? AGAIN : ''}${treeText(trees, (out.isTTY && out.columns) || undefined)}`,
        );
    };
    const way = wayOf(parsed, DEFAULT_S * SECOND);
    const looks = await looksAt({ which: rest[0], way, timeout });
    try {
      const first = await looks.look();
      if (first.length === 0) {
        checkPrivateRoot();
        throw new ControlError(
          'No program of this user can be asked. A program can from its first Supervisor on, or after it has called expose().',
        );
      }
      show(first);
      while (args.watch === true) {
        await pause(every);
        show(await looks.look());
      }
    } finally {
      await looks.end();
    }
    return 0;
  },
};
