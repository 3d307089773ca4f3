import process from 'node:process';
import type { Command } from './command.ts';
import { showLog } from './detached/log.ts';
import { durationText } from './detached/table.ts';
import { operandOf, WHERE } from './detached/where.ts';

/** How many of the last lines come first. */
const LINES = 10;

/** `offsite attach`: what a detached site prints, as if it had been started here. */
export const attach: Command = {
  name: 'attach',
  description: 'Show how a detached site is and what it prints, until Ctrl-C, which leaves it alone',
  operands: 'NAME|PID',
  args: WHERE,
  notes: [
    'To call what is in it, a program attaches with a ticket: RemoteManager.attach(ticket). This command only looks.',
  ],
  examples: [
    ['offsite attach crawler', 'The last lines of the site named crawler, and those to come'],
    ['offsite attach 4711 --host bamse', 'The same for a process id on bamse'],
  ],
  run: async (parsed) =>
    showLog(
      parsed,
      operandOf(parsed, 'attach'),
      { lines: LINES, follow: true },
      ({ name, pid, since, node }) =>
        process.stderr.write(
          `${name}, pid ${pid}, Node.js ${node}, started ${durationText(Date.now() - since)} ago\n`,
        ),
    ),
};
