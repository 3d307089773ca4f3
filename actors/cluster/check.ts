import * as v from 'valibot';
import { OptionError } from '../../lib/wire/errors.ts';

/** Checks options by their schema; throws OptionError, which names the first one that is wrong. `whose` is for the message. */
export const checked = <S extends v.GenericSchema>(
  schema: S,
  options: unknown,
  whose: string,
): v.InferOutput<S> => {
  const result = v.safeParse(schema, options, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const option = v.getDotPath(issue) ?? 'options';
  throw new OptionError(
    option,
    issue.type === 'strict_object' && issue.expected === 'never'
      ? `There is no option "${option}" for ${whose}.`
      : `The option ${option} of ${whose} is not right: ${issue.message}.`,
  );
};

const sentence = 'must be a whole number from 1 up';

/** A whole number from 1 up. */
export const count = () => v.pipe(v.number(sentence), v.integer(sentence), v.minValue(1, sentence));

/** A time in milliseconds that Node's timers take. */
export const milliseconds = () =>
  v.pipe(v.number(), v.minValue(1), v.maxValue(2 ** 31 - 1, 'must be below 2^31 milliseconds'));

/** A word that is not empty, and is no option where a name was asked for. */
export const word = () =>
  v.pipe(v.string(), v.nonEmpty('must not be empty'), v.regex(/^[^-]/, 'must not begin with a dash'));

/** Words of a command. */
export const words = () => v.array(v.string());
