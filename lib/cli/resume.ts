import { asked } from './daemon/asked.ts';

/** `offsite resume`: a daemon that drains serves again. */
export const resume = asked({
  name: 'resume',
  description: 'Have a daemon that drains take work again',
  examples: [['offsite resume', 'After offsite drain']],
  ask: async (daemon) => {
    await daemon.resume();
    const { state } = await daemon.status();
    return { json: { state }, lines: [`${daemon.name} is ${state}.`] };
  },
});
