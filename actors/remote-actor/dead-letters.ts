import type { EventObject } from 'xstate';
import { DeadLetterError } from './errors.ts';

/** Events that did not reach their actor, or that it emitted and that could not be sent. */
export interface DeadLetter {
  /** In the order in which they were sent; of one that could not cross, what could be told of it. */
  readonly events: readonly EventObject[];
  /** The actor's id, as its parent knows it. */
  readonly actor: string;
  /** The site in which it runs, or ran. */
  readonly site: string;
  /** Why, in a whole sentence; `cause` has the error that was the reason, if there was one. */
  readonly error: DeadLetterError;
}

/** What is told of events that were lost; without one, the process is warned. */
export type DeadLetterListener = (letter: DeadLetter) => void;

/** Who the letters were for. */
export interface Addressee {
  readonly id: string;
  readonly site: string;
  readonly onDeadLetter?: DeadLetterListener | undefined;
}

/** Tells of events that were lost: the listener of their actor, or whoever reads this process's warnings. */
export const bury = (
  { id, site, onDeadLetter }: Addressee,
  events: readonly EventObject[],
  why: string,
  cause?: unknown,
): void => {
  if (events.length === 0) return;
  const what = events.length === 1 ? `The event ${events[0]!.type}` : `${events.length} events`;
  const first = events.length === 1 ? '' : `, the first of them ${events[0]!.type}`;
  const error = new DeadLetterError(
    `${what} for the actor ${id} in ${site} may not have reached it${first}: ${why}`,
    cause === undefined ? {} : { cause },
  );
  if (onDeadLetter) onDeadLetter({ events, actor: id, site, error });
  else process.emitWarning(error.message, { type: 'DeadLetterWarning', code: error.code });
};
