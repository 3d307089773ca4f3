import type { EventObject } from 'xstate';
import { pack } from './crossing.ts';
import { type Addressee, bury } from './dead-letters.ts';
import { MailboxFullError } from './errors.ts';
import type { InletService } from './protocol.ts';
import { refusalOf } from './refusal.ts';

/** How many events leave in one call at most; more wait no longer for the end of the turn. */
const BATCH = 256;

/** How many events may wait for an actor, unless its owner says otherwise. */
export const MAILBOX = 10_000;

/**
 * The sender's end of the way to an actor in another site. The events of a turn leave in one call, whose answer
 * acknowledges all of them; so many of them may be unacknowledged, and one more is refused.
 */
export class Mailbox {
  readonly #addressee: Addressee;
  readonly #inlet: InletService;
  readonly #bound: number;
  #events: EventObject[] = [];
  #packed: unknown[] = [];
  #references = false;
  #unacknowledged = 0;
  #number = 0;
  #scheduled = false;
  #closed = false;
  /** The acknowledgement of the batch that left last. */
  #last: Promise<void> | undefined;

  constructor(addressee: Addressee, inlet: InletService, bound: number = MAILBOX) {
    this.#addressee = addressee;
    this.#inlet = inlet;
    this.#bound = bound;
  }

  /**
   * Sends an event behind those before it. Throws MailboxFullError, and UnserializableError for one that can't cross.
   */
  post(event: EventObject): void {
    if (this.#unacknowledged + this.#events.length >= this.#bound) {
      throw new MailboxFullError(this.#addressee.id, this.#addressee.site, this.#bound);
    }
    const { value, references, plain } = pack(event);
    if (!plain) {
      // Whether this can cross is known when it is written, and then its sender shall know.
      this.flush();
      const refusal = this.#send([event], [value], references);
      if (refusal) throw refusal;
      return;
    }
    this.#events.push(event);
    this.#packed.push(value);
    this.#references ||= references;
    if (this.#events.length >= BATCH) this.flush();
    else if (!this.#scheduled) {
      this.#scheduled = true;
      queueMicrotask(() => {
        this.#scheduled = false;
        this.flush();
      });
    }
  }

  /** Sends what has gathered, now. */
  flush(): void {
    const events = this.#events;
    if (events.length === 0) return;
    const packed = this.#packed;
    const references = this.#references;
    this.#events = [];
    this.#packed = [];
    this.#references = false;
    if (!this.#send(events, packed, references)) return;
    // One of them can't cross; the others are none the worse for it.
    for (const [i, event] of events.entries()) {
      const why = this.#send([event], [packed[i]], references);
      if (why) bury(this.#addressee, [event], 'it can not be sent.', why);
    }
  }

  /** Resolves when all that was posted by now was taken, or is lost. */
  async taken(): Promise<void> {
    this.flush();
    await this.#last;
  }

  /** Its owner has stopped the actor: as with a local one, what it had not taken by then is nobody's loss. */
  close(): void {
    this.flush();
    this.#closed = true;
  }

  /** Sends a batch; gives the reason if it can't be sent, and then nothing was. */
  #send(events: EventObject[], packed: unknown[], references: boolean): Error | undefined {
    const answer = this.#inlet.deliver(this.#number, packed, references);
    const refusal = refusalOf(answer);
    if (refusal) return refusal;
    const number = this.#number++;
    this.#unacknowledged += events.length;
    this.#last = Promise.resolve(answer).then(
      (taken) => {
        this.#unacknowledged -= events.length;
        if (!this.#closed) bury(this.#addressee, events.slice(taken), 'it had ended before.');
      },
      (cause: Error) => {
        // It may not have got as far as being counted over there, and those behind it wait for its number.
        this.#inlet.deliver(number, [], false).then(undefined, () => {});
        this.#unacknowledged -= events.length;
        if (!this.#closed) bury(this.#addressee, events, cause.message, cause);
      },
    );
    return undefined;
  }
}
