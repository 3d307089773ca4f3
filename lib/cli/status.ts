import { asked } from './daemon/asked.ts';
import { statusTable } from './daemon/tables.ts';

/** `offsite status`: how a daemon does. */
export const status = asked({
  name: 'status',
  description: 'Show how a daemon does: its slots, hours, clients and their sites',
  notes: ['It exits with 1 if no daemon serves, so it can be asked as a health check.'],
  examples: [
    ['offsite status', 'The daemon of yours on this host'],
    ['offsite status --host bamse --secret-file ~/admin.key', 'One elsewhere'],
    ['offsite status --json | jq .free', 'How many slots are free?'],
  ],
  ask: async (daemon, _, options) => {
    const now = await daemon.status(options);
    return { json: now, lines: statusTable(now, Date.now()) };
  },
});
