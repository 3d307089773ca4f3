import process from 'node:process';
import { mayColour } from '../../actors/terminal.ts';

export { mayColour };

/** The exit code of a command line that makes no sense, as in BSD's `sysexits.h`. */
export const EX_USAGE = 64;

/** The user typed something that can't be done; says what, and what to type instead. */
export class UsageError extends Error {
  /** What to type or to change. */
  readonly remedy: string;

  constructor(message: string, remedy: string) {
    super(message);
    this.name = 'UsageError';
    this.remedy = remedy;
  }
}

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;

/** So many of something, as people say it: `1 site`, `2 sites`. */
export const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

/** The message of anything that can be thrown, as one line. */
export const messageOf = (error: unknown): string =>
  (error instanceof Error ? (textOf(error.message) ?? error.name) : String(error)).trim();

/** The remedy that an error carries. */
export const ownRemedyOf = (error: unknown): string | undefined =>
  textOf((error as { remedy?: unknown } | null)?.remedy);

/** The remedy that an error carries and that its message doesn't say already. */
export const remedyOf = (error: unknown): string | undefined => {
  const remedy = ownRemedyOf(error);
  return remedy !== undefined && !messageOf(error).includes(remedy) ? remedy : undefined;
};

/**
 * Writes an error for a human (a sentence, then what to do; the stack only with `OFFSITE_DEBUG`) and returns
 * the exit code that fits it: 64 for a wrong command line, else 1.
 */
export const report = (error: unknown, stream: NodeJS.WritableStream & { isTTY?: boolean }): number => {
  const [start, end] = mayColour(stream) ? ['\u001b[31m', '\u001b[39m'] : ['', ''];
  stream.write(`${start}offsite: ${messageOf(error)}${end}\n`);
  const remedy = remedyOf(error);
  if (remedy !== undefined) stream.write(`  → ${remedy}\n`);
  if (process.env.OFFSITE_DEBUG && error instanceof Error) stream.write(`${error.stack ?? ''}\n`);
  return error instanceof UsageError ? EX_USAGE : 1;
};
