import { asked } from './daemon/asked.ts';
import { clientTable } from './daemon/tables.ts';

/** `offsite clients`: who uses a daemon, and with which sites. */
export const clients = asked({
  name: 'clients',
  description: 'List the clients of a daemon, with their sites',
  notes: [
    [
      'COLUMNS',
      '',
      '  SINCE is how long the client has been there, RUNS how long the site has run. A client has a line for each',
      '  of his sites, and one if he has none.',
    ].join('\n'),
  ],
  examples: [
    ['offsite clients', 'Who uses this host?'],
    ["offsite clients --json | jq -r '.[].user' | sort | uniq -c", 'Connections by user'],
  ],
  ask: async (daemon, _, options) => {
    const found = await daemon.clients(options);
    return { json: found, lines: found.length > 0 ? clientTable(found, Date.now()) : ['No client.'] };
  },
});
