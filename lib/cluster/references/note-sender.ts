import type { Outcome } from '../protocol.ts';
import type { Note, Noted, RefId } from './protocol.ts';
import { keyOf } from './ref.ts';

/** How long is waited before what did not get through is sent again, in milliseconds: at first, and at most. */
const AGAIN_AFTER = 50;
const AGAIN_AT_MOST = 2_000;

/** What a sender of notes needs. */
export interface NotePort {
  /** Sends notes, of which the first has this number. */
  send(first: number, notes: readonly Note[]): Promise<Noted>;
  /** Gives a Future's value back to its owner. Rejects if it can't be said whether that came about. */
  giveBack(ref: RefId, outcome: Outcome): Promise<void>;
  /** Whether it is of no use to try again after this error. */
  isFinal(error: unknown): boolean;
}

interface Entry {
  readonly note: Note;
  /** The value of the Future that the note lends: its owner may not have it any more. */
  readonly outcome: Outcome | undefined;
}

/**
 * The notes to one owner: all of one turn leave together, in order. They are numbered and kept until the owner has them,
 * because a direct way may break while both ends live on; then they are sent again the other way.
 */
export class NoteSender {
  readonly #port: NotePort;
  #log: Entry[] = [];
  /** The number of the first one in the log. */
  #first = 1;
  /** How many of the log are on their way. */
  #sent = 0;
  #inFlight = 0;
  #scheduled = false;
  #again = AGAIN_AFTER;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  /** What the owner wants back. */
  readonly #wanted = new Map<string, Outcome>();

  constructor(port: NotePort) {
    this.#port = port;
  }

  /** How many the owner is not known to have. */
  get size(): number {
    return this.#log.length + this.#wanted.size;
  }

  add(note: Note, outcome?: Outcome): void {
    if (this.#closed) return;
    this.#log.push({ note, outcome });
    if (this.#scheduled) return;
    this.#scheduled = true;
    // Not now: a message may be just half written, which is why the note is made.
    queueMicrotask(() => {
      this.#scheduled = false;
      this.flush();
    });
  }

  /** Sends what has not left; not while a message is written. */
  flush(): void {
    if (this.#closed || this.#timer || this.#sent === this.#log.length) return;
    const first = this.#first + this.#sent;
    // Ids that many notes share are copied, because JSON carries each object once.
    const notes = this.#log
      .slice(this.#sent)
      .map(({ note: [kind, ref, ...rest] }) => [kind, [...ref], ...rest] as unknown as Note);
    this.#sent = this.#log.length;
    this.#inFlight++;
    this.#port.send(first, notes).then(
      (noted) => {
        this.#inFlight--;
        this.#again = AGAIN_AFTER;
        this.#onNoted(noted);
      },
      (error: unknown) => {
        this.#inFlight--;
        if (this.#port.isFinal(error)) this.close();
        else this.#tryAgain();
      },
    );
  }

  /** The owner is gone, or this process leaves. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#log = [];
    this.#wanted.clear();
  }

  #onNoted({ last, wanted }: Noted): void {
    for (const ref of wanted) this.#giveBack(ref);
    const done = Math.max(0, last - this.#first + 1);
    this.#log.splice(0, done);
    this.#first += done;
    this.#sent = Math.max(0, this.#sent - done);
    // Others that had left before were lost.
    if (this.#inFlight === 0 && this.#sent > 0) this.#sent = 0;
    this.flush();
  }

  #tryAgain(): void {
    if (this.#closed || this.#timer) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#sent = 0;
      this.flush();
    }, this.#again).unref();
    this.#again = Math.min(this.#again * 2, AGAIN_AT_MOST);
  }

  #giveBack(ref: RefId): void {
    const key = keyOf(ref);
    if (this.#wanted.has(key)) return;
    const entry = this.#log.find(({ note, outcome }) => outcome && keyOf(note[1]) === key);
    if (!entry) return;
    this.#wanted.set(key, entry.outcome!);
    void this.#untilBack(ref, key, entry.outcome!);
  }

  async #untilBack(ref: RefId, key: string, outcome: Outcome): Promise<void> {
    for (let wait = AGAIN_AFTER; !this.#closed; wait = Math.min(wait * 2, AGAIN_AT_MOST)) {
      try {
        await this.#port.giveBack(ref, outcome);
        break;
      } catch (error) {
        if (this.#port.isFinal(error)) break;
        await new Promise((resolve) => setTimeout(resolve, wait).unref());
      }
    }
    this.#wanted.delete(key);
  }
}
