import { isRecord } from '../../lib/fork/elastic/is-record.ts';
import { type OffsiteError, OptionError } from '../../lib/wire/errors.ts';
import type { ClientLine, DaemonControl, DaemonStatus } from './status.ts';

/** What those ask who steer a daemon: one JSON text for each question, over its control socket or `/admin`. */
export type Question =
  | { readonly ask: 'status' }
  | { readonly ask: 'clients' }
  | { readonly do: 'drain' }
  | { readonly do: 'resume' }
  | { readonly do: 'setCpus'; readonly cpus: number }
  | { readonly do: 'stop'; readonly now?: boolean };

/** What they are answered, by one JSON text. */
export type Answer =
  | { readonly status: DaemonStatus }
  | { readonly clients: readonly ClientLine[] }
  | { readonly done: true }
  | { readonly error: { readonly code: string; readonly message: string } };

/** The longest question, in bytes. */
export const LONGEST_QUESTION = 1_024;

const done: Answer = { done: true };

const DEEDS: Readonly<
  Record<string, (control: DaemonControl, question: Record<string, unknown>) => unknown>
> = {
  drain: (control) => control.drain(),
  resume: (control) => control.resume(),
  setCpus: (control, { cpus }) => control.setCpus(cpus as number),
  stop: (control, { now }) => control.stop({ now: now === true }),
};

const perform = async (control: DaemonControl, question: unknown): Promise<Answer> => {
  if (isRecord(question)) {
    if (question.ask === 'status') return { status: control.status() };
    if (question.ask === 'clients') return { clients: control.clients() };
    const deed = typeof question.do === 'string' && Object.hasOwn(DEEDS, question.do) && DEEDS[question.do];
    if (deed) {
      await deed(control, question);
      return done;
    }
  }
  throw new OptionError('question', 'This version of the daemon knows no such question.');
};

/** An error as it is answered. */
export const failed = (cause: unknown): Answer => {
  const { code = 'ERR_OFFSITE_DAEMON', message } = cause as Partial<OffsiteError> & { message: string };
  return { error: { code, message } };
};

/** Does what somebody asks who may; resolves when it is done, which may take until all sites have ended. Never rejects. */
export const answerTo = async (control: DaemonControl, text: string): Promise<Answer> => {
  try {
    return await perform(control, JSON.parse(text));
  } catch (cause) {
    return failed(cause instanceof SyntaxError ? new OptionError('question', 'That was no JSON.') : cause);
  }
};
