import process from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';
import { treeOf } from '../../actors/control/ask.ts';
import { ControlError } from '../../actors/control/errors.ts';
import { controlled } from '../../actors/control/folder.ts';
import type { TreeNode } from '../engine/tree.ts';
import { type Command, numberOf } from './command.ts';
import { UsageError } from './report.ts';
import { treeText } from './tree/render.ts';

/** How often `--watch` looks, in seconds, and how long each site may take to answer. */
const DEFAULTS = { every: 1, timeout: 1 };
const SECOND = 1_000;
/** To the upper left, and all behind it gone. */
const AGAIN = '\u001b[H\u001b[J';

/** Gives the trees that were asked for, anew at each call. */
type Look = () => Promise<TreeNode[]>;

const lookAt = (word: string | undefined, timeout: number): Look => {
  if (word === undefined) {
    return async () => {
      const looks = await Promise.allSettled(controlled().map((pid) => treeOf(pid, { timeout })));
      // One that has ended meanwhile is not missed.
      return looks.flatMap((look) => (look.status === 'fulfilled' ? [look.value] : []));
    };
  }
  if (!/^[1-9]\d*$/.test(word)) {
    throw new UsageError(
      `"${word}" is no process id.`,
      'Type: offsite tree, which shows all programs that can be asked, each with its PID',
    );
  }
  return async () => [await treeOf(Number(word), { timeout })];
};

/** `offsite tree`: the supervisors, sites and actors of a program, as they are now or live. */
export const tree: Command = {
  name: 'tree',
  description: 'Show the supervisors, sites and actors of a program, or of all programs that can be asked',
  operands: '[PID]',
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
  },
  notes: [
    'A program can be asked from its first Supervisor on, or after it has called expose(); by its own user only.',
  ],
  examples: [
    ['offsite tree', 'All programs of yours that can be asked'],
    ['offsite tree 4711 --watch', 'One of them, live'],
    ['offsite tree 4711 --json', 'The same for another program to read'],
  ],
  run: async (parsed) => {
    const { args, rest } = parsed;
    if (rest.length > 1)
      throw new UsageError('More than one process id was given.', 'Type: offsite tree --help');
    const every = (numberOf(parsed, 'every', { least: 0 }) ?? DEFAULTS.every) * SECOND;
    const timeout = (numberOf(parsed, 'timeout', { least: 0 }) ?? DEFAULTS.timeout) * SECOND;
    const look = lookAt(rest[0], timeout);
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
          `${args.watch === true ? AGAIN : ''}${treeText(trees, out.isTTY ? out.columns : undefined)}`,
        );
    };
    const first = await look();
    if (first.length === 0) {
      throw new ControlError(
        'No program of this user can be asked. A program can from its first Supervisor on, or after it has called expose().',
      );
    }
    show(first);
    while (args.watch === true) {
      await pause(every);
      show(await look());
    }
    return 0;
  },
};
