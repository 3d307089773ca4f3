import { readFileSync } from 'node:fs';
import { OptionError } from '../../lib/wire/errors.ts';
import { parseMachine } from './machine-spec.ts';

const complain = (message: string, cause: unknown): OptionError => {
  const why = cause instanceof Error ? cause.message : String(cause);
  const error = new OptionError('machineFile', `${message}: ${why}`);
  error.cause = cause;
  return error;
};

/**
 * Reads the text of a machine file, as `julia --machine-file` does: `[count*][user@]host[:port] [bind_addr[:port]]` a
 * line, where the count may be `auto`; blank lines and what follows a `#` are passed over. `file` is for the messages.
 * Throws OptionError, which names the line.
 */
export const parseMachineFile = (text: string, file: string): string[] => {
  const machines: string[] = [];
  for (const [at, raw] of text.split('\n').entries()) {
    const line = raw.replace(/#.*$/, '').trim();
    if (line === '') continue;
    try {
      parseMachine(line);
    } catch (cause) {
      throw complain(`Line ${at + 1} of the machine file ${file} is not right`, cause);
    }
    machines.push(line);
  }
  if (machines.length === 0)
    throw new OptionError('machineFile', `The machine file ${file} names no machine. Write one a line.`);
  return machines;
};

/** Reads a machine file for `addProcs`; throws OptionError. */
export const readMachineFile = (file: string): string[] => {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw complain(`The machine file ${file} can't be read`, cause);
  }
  return parseMachineFile(text, file);
};
