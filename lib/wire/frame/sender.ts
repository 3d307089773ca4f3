import { encodeBody } from '../codec/codec.ts';
import type { EncodeContext } from '../codec/context.ts';
import type { Link } from '../link/link.ts';
import { Kind } from './frame.ts';
import { Outbox } from './outbox.ts';

/**
 * Writes a session's frames and lets those of one turn leave together. Before there is a link they wait, so that a
 * site can be called before it has started.
 */
export class Sender {
  /** Where a session writes the frames of calls itself, between `begin` and `done`. */
  readonly outbox = new Outbox();
  readonly #beforeLeaving: () => void;
  #link: Link | undefined;
  #scheduled = false;
  #writing = false;
  #ended = false;

  /** `beforeLeaving` is told when the frames of a turn are about to leave: the last moment to change them. */
  constructor(beforeLeaving: () => void) {
    this.#beforeLeaving = beforeLeaving;
  }

  /** Whether half a frame is in the outbox, so that no other can be written now. */
  get writing(): boolean {
    return this.#writing;
  }

  attach(link: Link): void {
    this.#link = link;
  }

  /** Marks that a frame is being written. */
  begin(): void {
    this.#writing = true;
  }

  /** The frame is whole, or was taken back. */
  done(): void {
    this.#writing = false;
  }

  /** Writes a frame whose body is a value; throws what the codec throws, and then nothing was written. */
  value(kind: number, id: number, value: unknown, tables: EncodeContext, path: string): void {
    if (this.#ended) return;
    this.#writing = true;
    try {
      this.outbox.begin(kind, 0, 0, id);
      encodeBody(this.outbox, value, tables, path);
      this.outbox.end();
    } catch (cause) {
      this.outbox.abandon();
      throw cause;
    } finally {
      this.#writing = false;
    }
  }

  /** Writes a frame that has no body. */
  bare(kind: number, id: number): void {
    if (this.#ended) return;
    if (this.#writing) {
      // A getter of what is being sent waits for another call: its frame follows the one that is half written.
      queueMicrotask(() => {
        this.bare(kind, id);
        this.flushSoon();
      });
      return;
    }
    this.outbox.begin(kind, 0, 0, id);
    this.outbox.end();
  }

  /** Gives back `count` introductions of a reference. */
  release(id: number, count: number): void {
    if (this.#ended) return;
    this.outbox.begin(Kind.release, 0, 0, id);
    this.outbox.double(count);
    this.outbox.end();
    this.flushSoon();
  }

  /** Sends text that user code printed, at once: the next thing that it does may be to block or to exit. */
  output(descriptor: number, text: string): void {
    if (this.#ended || this.#writing) return;
    this.outbox.begin(Kind.output, descriptor, 0, 0);
    this.outbox.text(text);
    this.outbox.end();
    this.flush();
  }

  /**
   * Flushes after all that runs in this turn of microtasks: `await` calls `then` one microtask after the call was
   * made, and the call's flags must know of it.
   */
  flushSoon(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(this.#secondHop);
  }

  /** Sends what has gathered. */
  flush(): void {
    const { outbox } = this;
    if (!this.#link || outbox.length === 0 || this.#writing) return;
    this.#beforeLeaving();
    outbox.reset(this.#link.send(outbox.bytes.subarray(0, outbox.length)));
  }

  /** Nothing will be sent any more. */
  end(): void {
    this.#ended = true;
    this.outbox.reset(false);
  }

  readonly #secondHop = (): void => {
    queueMicrotask(this.#flushNow);
  };

  readonly #flushNow = (): void => {
    this.#scheduled = false;
    this.flush();
  };
}
