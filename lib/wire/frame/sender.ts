import { textOf } from '../codec/remote-error.ts';
import { UnserializableError } from '../errors.ts';
import type { Link } from '../link/link.ts';
import { FORGET, Kind } from './frame.ts';
import { Outbox } from './outbox.ts';

/** `then` of it is a microtask, and a third of what `queueMicrotask` takes. */
const now = Promise.resolve();

/** What of one turn takes more bytes than this does not wait for its end, so that both sides work at once. */
const EAGER = 16 * 1024;

/** How much is told of what was thrown and can't cross, in characters: it may be the sheer size that it can't cross for. */
const MOST_TOLD = 2_000;

/** What an error crosses as that can't cross itself, and what if not even that can. */
const substitutes = (cause: unknown): unknown[] => {
  const text = textOf(cause);
  const told = text.length > MOST_TOLD ? `${text.slice(0, MOST_TOLD)} …` : text;
  const error = new Error(`Thrown in the site: ${told}`);
  return [error, error.message.slice(0, 80), undefined];
};

/** Writes the bodies of frames that are values. */
export interface BodyWriter {
  /** Writes the body of the frame that was begun, and ends it; throws what the codec throws, and LimitError. */
  write(outbox: Outbox, value: unknown, path: string): void;
}

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

  /** Whether so much has gathered in this turn that the peer had better have it now. */
  get hurries(): boolean {
    return this.outbox.length > EAGER && this.#link !== undefined;
  }

  /** Marks that a frame is being written. */
  begin(): void {
    this.#writing = true;
  }

  /** The frame is whole, or was taken back. */
  done(): void {
    this.#writing = false;
  }

  /** Resolves when the link takes more; `undefined` if it does now. Without a link there is nothing to wait for. */
  drained(): Promise<void> | undefined {
    return this.#link?.congested ? this.#link.drained() : undefined;
  }

  /**
   * Writes a frame whose body is a value and returns its size in bytes; throws what the codec throws, and then nothing
   * was written.
   */
  value(kind: number, flags: number, id: number, value: unknown, writer: BodyWriter, path: string): number {
    if (this.#ended) return 0;
    this.refuseWithin();
    this.#writing = true;
    const { outbox } = this;
    try {
      outbox.begin(kind, flags, 0, id);
      writer.write(outbox, value, path);
      return outbox.frameSize;
    } catch (cause) {
      outbox.abandon();
      throw cause;
    } finally {
      this.#writing = false;
    }
  }

  /** Throws UnserializableError if a frame is half written: something of it, a getter, wants to send another one. */
  refuseWithin(): void {
    if (!this.#writing) return;
    throw new UnserializableError('A getter used another site while its object was being sent.', 'arguments');
  }

  /** Writes a frame whose body is what was thrown, or why something ends; what can't cross goes as text. */
  reason(kind: number, flags: number, id: number, cause: unknown, writer: BodyWriter): void {
    if (this.#writing) {
      queueMicrotask(() => this.reason(kind, flags, id, cause, writer));
      return;
    }
    try {
      this.value(kind, flags, id, cause, writer, 'error');
    } catch {
      // What was thrown can't cross as it is, but the fact must.
      for (const substitute of substitutes(cause)) {
        try {
          this.value(kind, flags, id, substitute, writer, 'error');
          break;
        } catch {
          // It is larger than the bound of a frame, which somebody has set very low.
        }
      }
    }
    this.flushSoon();
  }

  /** Writes a frame that has no body. */
  bare(kind: number, id: number, flags = 0): void {
    if (this.#ended) return;
    if (this.#writing) {
      // A getter of what is being sent waits for another call: its frame follows the one that is half written.
      queueMicrotask(() => {
        this.bare(kind, id, flags);
        this.flushSoon();
      });
      return;
    }
    this.outbox.begin(kind, flags, 0, id);
    this.outbox.end();
  }

  /** Writes a frame whose body is a number. */
  number(kind: number, flags: number, id: number, value: number): void {
    if (this.#ended) return;
    if (this.#writing) {
      queueMicrotask(() => this.number(kind, flags, id, value));
      return;
    }
    this.outbox.begin(kind, flags, 0, id);
    this.outbox.double(value);
    this.outbox.end();
    this.flushSoon();
  }

  /** Gives back `count` introductions of a reference. */
  release(id: number, count: number): void {
    this.number(Kind.release, 0, id, count);
  }

  /** Tells that a signal will never be aborted. */
  forget(id: number): void {
    this.flagged(Kind.abort, FORGET, id);
  }

  /** Writes a frame that has nothing but flags. */
  flagged(kind: number, flags: number, id: number): void {
    this.bare(kind, id, flags);
    this.flushSoon();
  }

  /** Sends a part of what is too large for a frame, at once; `left` is called when its memory can be used again. */
  part(id: number, bytes: Uint8Array, left: () => void): void {
    if (this.#ended) return;
    const { outbox } = this;
    if (this.#link?.sendFrame && outbox.length === 0) {
      this.#link.sendFrame(outbox.head(Kind.part, id, bytes.length), bytes, left);
      return;
    }
    outbox.begin(Kind.part, 0, 0, id);
    outbox.raw(bytes);
    outbox.end();
    this.flush();
    left();
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
    if (this.hurries) return this.flush();
    if (this.#scheduled) return;
    this.#scheduled = true;
    void now.then(this.#secondHop);
  }

  /** Sends what has gathered. */
  flush(): void {
    const { outbox } = this;
    if (!this.#link || outbox.length === 0 || this.#writing) return;
    this.#beforeLeaving();
    try {
      outbox.reset(this.#link.send(outbox.bytes.subarray(0, outbox.length), outbox.takeBeside()));
    } catch (cause) {
      // The peer would wait for what is lost here, and nobody is there who could catch this.
      outbox.reset(false);
      this.#link.destroy(cause as Error);
    }
  }

  /** Nothing will be sent any more. */
  end(): void {
    this.#ended = true;
    this.outbox.reset(false);
  }

  readonly #secondHop = (): void => {
    void now.then(this.#flushNow);
  };

  readonly #flushNow = (): void => {
    this.#scheduled = false;
    this.flush();
  };
}
