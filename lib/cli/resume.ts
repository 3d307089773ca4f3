import { asked } from './daemon/asked.ts';

/** `offsite resume`: a daemon that drains serves again. */
export const resume = asked({
  name: 'resume',
  description: 'Have a daemon that drains take work again',
  examples: [['offsite resume', 'After offsite drain']],
  ask: async (daemon, _, options) => {
    await daemon.resume(options);
    const { state } = await daemon.status(options);
    return { json: { state }, lines: [`${daemon.name} is ${state}.`] };
  },
});
