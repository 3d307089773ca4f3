import { asked } from './daemon/asked.ts';

/** `offsite stop`: ends a daemon. */
export const stop = asked({
  name: 'stop',
  description: 'End a daemon when what runs there has ended, or at once',
  args: { now: { type: 'boolean', description: 'Kill what runs' } },
  notes: ['Ctrl-C ends the wait, and the daemon goes on to its end.'],
  examples: [
    ['offsite stop', 'Drain, then end'],
    ['offsite stop --now', 'Kill the sites of all clients, then end'],
  ],
  interrupted: ({ name }) => `${name} ends when what runs there has ended. At once: offsite stop --now`,
  ask: async (daemon, { args }, options) => {
    await daemon.stop({ ...options, now: args.now === true });
    return { json: { stopped: daemon.name }, lines: [`${daemon.name} has ended.`] };
  },
});
