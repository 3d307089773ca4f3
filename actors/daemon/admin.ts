import type { Visitor } from '../../lib/access/visitor.ts';
import { OffsiteError } from '../../lib/wire/errors.ts';
import { Caller } from './caller.ts';
import type { DaemonControl } from './status.ts';
import { answerTo, failed, LONGEST_QUESTION } from './steering.ts';

/** How long the last words may take to leave, in milliseconds. */
const LAST_WORDS_WITHIN = 1_000;
/** Questions that wait for the answer to one before them. */
const MOST_ASKED = 100;

/** Those who steer a daemon from afar. */
export class Admin {
  /** Those who are there, and by when they have been answered all that they asked. */
  readonly #callers = new Map<Caller, () => Promise<void>>();
  readonly #control: DaemonControl;

  constructor(control: DaemonControl) {
    this.#control = control;
  }

  /** Answers a visitor's questions, one after another, until he has gone. Never rejects. */
  async serve(visitor: Visitor, lease: number): Promise<void> {
    let asked = 0;
    let answered = Promise.resolve();
    const caller = new Caller(visitor, lease, (text) => {
      if (visitor.domain !== 'admin' || text.length > LONGEST_QUESTION || ++asked > MOST_ASKED)
        return caller.drop();
      answered = answered.then(async () => {
        caller.say(await answerTo(this.#control, text));
        asked--;
      });
    });
    this.#callers.set(caller, () => answered);
    if (visitor.domain !== 'admin') {
      const what = `The user ${visitor.user} may use this daemon, but not steer it. That takes a key of the domain admin.`;
      caller.say(failed(new OffsiteError('ERR_OFFSITE_ACCESS', what)));
      await caller.end(LAST_WORDS_WITHIN);
    }
    await caller.gone;
    this.#callers.delete(caller);
  }

  /** Tells a visitor that there is nothing where he asked, and hangs up. Never rejects. */
  async turnAway(visitor: Visitor, path: string): Promise<void> {
    const caller = new Caller(visitor, LAST_WORDS_WITHIN, () => {});
    caller.say(failed(new OffsiteError('ERR_OFFSITE_ACCESS', `A daemon has nothing at ${path}.`)));
    await caller.end(LAST_WORDS_WITHIN);
  }

  /** Hangs up when what was answered has left. Never rejects. */
  async close(): Promise<void> {
    await Promise.all(
      [...this.#callers].map(async ([caller, answered]) => {
        // Who has stopped it is told so a moment after it has.
        await answered();
        await caller.end(LAST_WORDS_WITHIN);
      }),
    );
  }
}
