import { asked } from './daemon/asked.ts';

/** `offsite drain`: a daemon starts nothing more. */
export const drain = asked({
  name: 'drain',
  description: 'Have a daemon start nothing more, and wait until what runs has ended',
  notes: ['It serves again after: offsite resume. Ctrl-C ends the wait, and the daemon goes on draining.'],
  examples: [
    ['offsite drain', 'Before this host is worked on'],
    ['timeout 600 offsite drain || offsite stop --now', 'But for ten minutes at most'],
  ],
  interrupted: ({ name }) => `${name} goes on draining. To have it serve again: offsite resume`,
  ask: async (daemon, _, options) => {
    await daemon.drain(options);
    return { json: { drained: daemon.name }, lines: [`${daemon.name} is drained: nothing runs there.`] };
  },
});
