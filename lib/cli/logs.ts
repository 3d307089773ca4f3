import type { Command } from './command.ts';
import { numberOf } from './command.ts';
import { showLog } from './detached/log.ts';
import { operandOf, WHERE } from './detached/where.ts';

/** `offsite logs`: what a detached site has printed. */
export const logs: Command = {
  name: 'logs',
  description: 'Print what a detached site has printed, also after its end',
  operands: 'NAME|PID',
  args: {
    follow: { type: 'boolean', alias: 'f', description: 'Go on until the site ends, or Ctrl-C' },
    lines: { type: 'string', alias: 'n', valueHint: 'N', description: 'Only so many of the last lines' },
    ...WHERE,
  },
  notes: ['A log keeps the last one or two MiB, and is kept for seven days after the end of its site.'],
  examples: [
    ['offsite logs crawler', 'All that is kept'],
    ['offsite logs -f -n 20 crawler', 'The last 20 lines, and those to come'],
    ['offsite logs 4711 --host bamse', 'A site on bamse, by its pid'],
  ],
  run: async (parsed) => {
    const lines = numberOf(parsed, 'lines', { least: 0, whole: true });
    const follow = parsed.args.follow === true;
    return showLog(parsed, operandOf(parsed, 'logs'), { follow, ...(lines !== undefined && { lines }) });
  },
};
