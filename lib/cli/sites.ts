import process from 'node:process';
import { type DetachedSite, detachedSites, sweep } from '../ticket/site-folder.ts';
import type { Command } from './command.ts';
import { siteTable } from './detached/table.ts';
import { answerOf, WHERE, wayOf } from './detached/where.ts';
import { UsageError } from './report.ts';

/** `offsite sites`: the detached sites of this user. */
export const sites: Command = {
  name: 'sites',
  description: 'List your detached sites, and clear up after those that are gone',
  args: { ...WHERE, json: { type: 'boolean', description: 'Print one line of JSON instead' } },
  notes: [
    [
      'COLUMNS',
      '',
      '  AGE is since it was started, IDLE how long nobody has been attached, CALLS how many run.',
    ].join('\n'),
  ],
  examples: [
    ['offsite sites', 'Those on this host'],
    ['offsite sites --host bamse', 'Those on bamse, by ssh'],
    ["offsite sites --json | jq -r '.[] | select(.idle > 3600000) | .pid'", 'Who has been idle for an hour?'],
  ],
  run: async (parsed) => {
    const { args, rest } = parsed;
    if (rest[0] !== undefined) {
      throw new UsageError(
        `sites takes no operand, and "${rest[0]}" was given.`,
        `For one site: offsite attach ${rest[0]}`,
      );
    }
    const way = wayOf(parsed);
    if (!way) await sweep();
    const found = way ? await answerOf<DetachedSite[]>(way, { op: 'sites' }) : await detachedSites();
    if (args.json === true) process.stdout.write(`${JSON.stringify(found)}\n`);
    else if (found.length > 0) process.stdout.write(`${siteTable(found, Date.now()).join('\n')}\n`);
    else process.stderr.write(`No detached site of yours runs ${way ? `on ${way.host}` : 'here'}.\n`);
    return 0;
  },
};
