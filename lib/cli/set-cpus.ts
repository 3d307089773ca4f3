import { asked } from './daemon/asked.ts';
import { counted, UsageError } from './report.ts';

const cpusOf = (text: string | undefined): number => {
  if (text !== undefined && /^-?\d{1,6}$/.test(text)) return Number(text);
  throw new UsageError(
    text === undefined
      ? 'The number of cpus is missing.'
      : `The number of cpus is "${text.slice(0, 20)}", but must be a whole number.`,
    'For example: offsite set-cpus 2, or, to leave one processor alone: offsite set-cpus -1',
  );
};

/** `offsite set-cpus`: how many sites a daemon has at most. */
export const setCpus = asked({
  name: 'set-cpus',
  description: 'Set how many sites a daemon has at most; what runs beyond that goes on to its end',
  operands: 'N',
  takes: 1,
  takesNumbers: true,
  examples: [
    ['offsite set-cpus 2', 'Two from now on'],
    ['offsite set-cpus -1', 'All processors but one'],
    ['offsite set-cpus 0', 'Start nothing more, as drain does, but without waiting for what runs'],
  ],
  check: ({ rest }) => void cpusOf(rest[0]),
  ask: async (daemon, { rest }, options) => {
    await daemon.setCpus(cpusOf(rest[0]), options);
    const { cpus, free } = await daemon.status(options);
    return { json: { cpus, free }, lines: [`${daemon.name} has ${counted(cpus, 'cpu')}, ${free} free.`] };
  },
});
