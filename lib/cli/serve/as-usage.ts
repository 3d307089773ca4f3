import { OptionError } from '../../wire/errors.ts';
import { messageOf, ownRemedyOf, UsageError } from '../report.ts';
import { SERVE_OPTIONS } from './options.ts';

/** Those whose name on the command line is not their name in code with dashes. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  labels: 'label',
  scheduler: 'scheduler-host',
  serviceHours: 'service-start',
  'serviceHours.start': 'service-start',
  'serviceHours.stop': 'service-stop',
  'serviceHours.end': 'service-end',
};

/** The name on the command line of an option of a daemon; `undefined` if it has none. */
const typedName = (option: string): string | undefined => {
  const last = option.replace(/^.*\./, '').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  const name = OTHER_NAMES[option] ?? last;
  return Object.hasOwn(SERVE_OPTIONS, name) ? name : undefined;
};

/** An option that the daemon itself found wrong, as somebody reads it who has typed it; other errors stay as they are. */
export const asUsage = (error: unknown): unknown => {
  if (!(error instanceof OptionError)) return error;
  const name = typedName(error.option);
  const message = messageOf(error);
  if (name === undefined) return new UsageError(message, 'See which there are: offsite serve --help');
  return new UsageError(
    message.replace(`The option ${error.option} of a Daemon`, `The option --${name}`),
    ownRemedyOf(error) ?? `See --${name} in: offsite serve --help`,
  );
};
